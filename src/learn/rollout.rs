//! Policy + goal -> one episode.

use skewfit_envs::{Action, Ending, Env};

use crate::error::{Error, Result};
use crate::learn::episode::{Episode, GoalOrigin};
use crate::learn::policy::Policy;
use crate::learn::rng::Rng;
use crate::learn::rng::normals;

/// What an episode is to reach.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// (Z).
    pub latent: Vec<f32>,
    /// (H, W, 3) u8.
    pub picture: Vec<u8>,
    /// Where it came from.
    pub origin: GoalOrigin,
}

/// How actions are chosen.
pub enum Behaviour<'a> {
    /// Drawn from the policy, with noise from this stream.
    Explore(&'a mut Rng),
    /// tanh(mean).
    Deterministic,
}

/// Runs episode `id`: `env` for at most `steps` steps towards `target`. An environment that goes on is `Truncated` there.
///
/// # Errors
/// What the environment reports; `NotFinite` where an action is not finite.
pub fn rollout(
    env: &mut dyn Env,
    policy: Policy<'_>,
    mut behaviour: Behaviour<'_>,
    target: &Target,
    id: u64,
    steps: usize,
    reset: &mut Rng,
) -> Result<Episode> {
    let mut scratch = policy.scratch();
    let mut observation = env.reset(reset)?;
    let spec = env.spec().clone();
    let mut episode = Episode {
        id,
        image_size: spec.image_size,
        frames: observation.image.pixels.clone(),
        proprio: observation.proprio.clone(),
        proprio_dim: spec.proprio_dim,
        actions: Vec::with_capacity(steps * spec.action_dim),
        action_dim: spec.action_dim,
        goal_image: target.picture.clone(),
        goal_latent: target.latent.clone(),
        goal_origin: target.origin,
        states: env.true_state().map_or_else(Vec::new, |s| s.0),
        state_names: spec.state_names,
        ending: Ending::Truncated,
    };
    for _ in 0..steps {
        let mut input = policy.encode(&mut scratch, &observation.image.pixels);
        input.extend_from_slice(&target.latent);
        let action = match &mut behaviour {
            Behaviour::Explore(rng) => policy.sample(&mut scratch, &input, &normals(spec.action_dim, rng)),
            Behaviour::Deterministic => policy.mean(&mut scratch, &input),
        };
        if !action.iter().all(|a| a.is_finite()) {
            return Err(Error::NotFinite(format!("episode {id}: the policy's action is not finite")));
        }
        let step = env.step(&Action(action))?;
        observation = step.observation;
        episode.frames.extend_from_slice(&observation.image.pixels);
        episode.proprio.extend_from_slice(&observation.proprio);
        episode.actions.extend_from_slice(&step.executed.0);
        episode.states.extend(env.true_state().map_or_else(Vec::new, |s| s.0));
        if let Some(ending) = step.ending {
            episode.ending = ending;
            break;
        }
    }
    Ok(episode)
}
