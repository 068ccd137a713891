//! Runs one episode with a policy and a goal.

use skewfit_envs::{Action, Ending, Env, EnvFault, EnvSpec, Observation};

use crate::error::{Error, Result};
use crate::learn::episode::{Episode, EpisodeGoal, GoalOrigin};
use crate::learn::policy::Policy;
use crate::learn::practice::{Course, PractisedGoal};
use crate::learn::rng::Rng;
use crate::learn::rng::normals;

/// The goal of an episode.
#[derive(Clone, Debug, PartialEq)]
pub struct RolloutGoal {
    /// (Z).
    pub latent: Vec<f32>,
    /// (H, W, 3) u8.
    pub picture: Vec<u8>,
    /// Where it came from.
    pub origin: GoalOrigin,
}

/// How actions are chosen.
pub enum Behaviour<'a, 'g> {
    /// Sampled from the policy, with noise from this stream; the goal stays the same.
    Explore(&'a mut Rng),
    /// As `Explore`; the course changes the goal when it is reached, and wanders.
    Practise(&'a mut Rng, &'a mut Course<'g>),
    /// The mean action, tanh(mean).
    Deterministic,
}

/// Runs episode `id`: at most `steps` steps of `env`, first with the goal `target`. If the environment has not ended by
/// then, the episode is `Truncated`. The caller adds pictures and frames of later goals.
///
/// # Errors
/// Errors of the environment; `NotFinite` if an action is not finite.
pub fn rollout(
    env: &mut dyn Env,
    policy: Policy<'_>,
    mut behaviour: Behaviour<'_, '_>,
    target: &RolloutGoal,
    id: u64,
    steps: usize,
    reset: &mut Rng,
) -> Result<Episode> {
    let mut scratch = policy.scratch();
    let spec = env.spec().clone();
    let mut observation = checked(&spec, env.reset(reset)?)?;
    let mut episode = Episode {
        id,
        image_size: spec.image_size,
        frames: observation.image.pixels.clone(),
        proprio: observation.proprio.clone(),
        proprio_dim: spec.proprio_dim,
        actions: Vec::with_capacity(steps * spec.action_dim),
        action_dim: spec.action_dim,
        goal: EpisodeGoal::first(target.picture.clone(), target.latent.clone(), target.origin),
        later_goals: vec![],
        states: state(&spec, env)?,
        state_names: spec.state_names.clone(),
        ending: Ending::Truncated,
    };
    for t in 0..steps {
        let z = policy.encode(&mut scratch, &observation.image.pixels);
        let mut towards = |goal: &[f32], noise: Option<&mut Rng>| {
            let input = [&z, goal].concat();
            match noise {
                Some(rng) => policy.sample(&mut scratch, &input, &normals(spec.action_dim, rng)),
                None => policy.mean_action(&mut scratch, &input),
            }
        };
        let action = match &mut behaviour {
            Behaviour::Explore(noise) => towards(&target.latent, Some(noise)),
            Behaviour::Practise(noise, course) => {
                course.observe(t, &z, &target.latent);
                let wandering = course.wander(spec.action_dim);
                wandering.unwrap_or_else(|| towards(course.goal(&target.latent), Some(noise)))
            }
            Behaviour::Deterministic => towards(&target.latent, None),
        };
        if !action.iter().all(|a| a.is_finite()) {
            return Err(Error::NotFinite(format!("episode {id}: the policy's action is not finite")));
        }
        let step = env.step(&Action(action))?;
        observation = checked(&spec, step.observation)?;
        numbers("executed action", step.executed.0.iter().map(|a| f64::from(*a)), spec.action_dim)?;
        episode.frames.extend_from_slice(&observation.image.pixels);
        episode.proprio.extend_from_slice(&observation.proprio);
        episode.actions.extend_from_slice(&step.executed.0);
        episode.states.extend(state(&spec, env)?);
        if let Some(ending) = step.ending {
            episode.ending = ending;
            break;
        }
    }
    if let Behaviour::Practise(_, course) = behaviour {
        let z = policy.encode(&mut scratch, &observation.image.pixels);
        course.arrives(episode.steps(), &z, &target.latent);
        episode.goal.reached = course.first_reached;
        episode.later_goals = course.later.iter().map(later_goal).collect();
    }
    Ok(episode)
}

fn later_goal(PractisedGoal { start, reached, goal }: &PractisedGoal) -> EpisodeGoal {
    let (start, reached, latent, origin) = (*start, *reached, goal.latent.clone(), goal.origin);
    EpisodeGoal { start, picture: Vec::new(), latent, origin, reached, frame: None }
}

/// Refuses an observation whose shapes are not those of `spec`.
fn checked(spec: &EnvSpec, observation: Observation) -> Result<Observation, EnvFault> {
    let (side, bytes) = (observation.image.size, observation.image.pixels.len());
    let want = spec.image_size;
    if side != want || bytes != want * want * 3 {
        let what = format!("a picture of {side} x {side} pixels and {bytes} bytes; expected {want} x {want} x 3");
        return Err(EnvFault::OutOfRange { what });
    }
    numbers("proprioception", observation.proprio.iter().map(|p| f64::from(*p)), spec.proprio_dim)?;
    Ok(observation)
}

/// The true state (S); refused if its length is not the number of state names.
fn state(spec: &EnvSpec, env: &dyn Env) -> Result<Vec<f64>, EnvFault> {
    let state = env.true_state().map_or_else(Vec::new, |state| state.0);
    numbers("true state", state.iter().copied(), spec.state_names.len())?;
    Ok(state)
}

/// Refuses anything but `count` finite numbers.
fn numbers(what: &str, values: impl ExactSizeIterator<Item = f64> + Clone, count: usize) -> Result<(), EnvFault> {
    if values.len() == count && values.clone().all(f64::is_finite) {
        return Ok(());
    }
    let values: Vec<f64> = values.collect();
    Err(EnvFault::OutOfRange { what: format!("{what} {values:?}; expected {count} finite numbers") })
}
