//! Goal pictures -> attempts from the scene's start state -> how near they came. Never counted, never learned from.

use skewfit_envs::{EnvSnapshot, Image, Scene, StateVec};

use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::{Episode, GoalOrigin};
use crate::learn::goals::latent_distance;
use crate::learn::learner::Learner;
use crate::learn::rng;
use crate::learn::rollout::{Behaviour, Policy, Target, rollout};

/// Attempts whose episodes are kept, for pictures and clips; figures are kept of all.
pub const EPISODES_KEPT: usize = 100;

/// A picture to be reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// The scene's name for it, or a file's.
    pub name: String,
    /// What to reach.
    pub image: Image,
    /// The scene's own pictures have one.
    pub state: Option<StateVec>,
}

/// What came of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The goal.
    pub goal: Goal,
    /// The last picture.
    pub reached: Image,
    /// The last true state.
    pub state: Option<StateVec>,
    /// The scene's metrics; empty for a picture of the user's.
    pub metrics: Vec<(&'static str, f64)>,
    /// Of the last picture from the goal.
    pub latent_distance: f64,
    /// By the scene's threshold, or by the latent threshold for a picture of the user's; `None` = unknown.
    pub success: Option<bool>,
    /// What was seen on the way; `None` beyond the first [`EPISODES_KEPT`].
    pub episode: Option<Episode>,
}

/// A scene of its own for attempts, each from its start state.
pub struct Evaluator {
    scene: Box<dyn Scene>,
    start: EnvSnapshot,
}

impl Evaluator {
    /// A fresh instance.
    ///
    /// # Errors
    /// What the scene refuses.
    pub fn new(scene: Box<dyn Scene>) -> Result<Self> {
        let start = scene.snapshot()?;
        Ok(Self { scene, start })
    }

    /// The scene's evaluation pictures, in their fixed, shuffled order.
    #[must_use]
    pub fn goals(&self) -> Vec<Goal> {
        let own = |g: &skewfit_envs::GoalPicture| Goal {
            name: g.name.clone(),
            image: g.image.clone(),
            state: Some(g.state.clone()),
        };
        self.scene.evaluation_goals().iter().map(own).collect()
    }

    /// The scene that attempts are made in.
    #[must_use]
    pub fn scene(&self) -> &dyn Scene {
        &*self.scene
    }

    /// Tries each goal once, in this instance; calls `beat` before each.
    ///
    /// # Errors
    /// What the scene reports.
    pub fn attempt(
        &mut self,
        learner: &mut Learner,
        cfg: &Config,
        goals: &[(u64, Goal)],
        beat: &mut dyn FnMut(),
    ) -> Result<Vec<Attempt>> {
        let (scene, start) = (&mut *self.scene, &self.start);
        let one = |(i, goal): (usize, &(u64, Goal))| {
            beat();
            scene.restore(start)?;
            let attempt = attempt(scene, learner, cfg, goal)?;
            Ok(Attempt { episode: attempt.episode.filter(|_| i < EPISODES_KEPT), ..attempt })
        };
        goals.iter().enumerate().map(one).collect()
    }
}

/// One attempt from where `scene` stands; its random stream is named by the goal's number.
///
/// # Errors
/// What the scene reports.
pub fn attempt(scene: &mut dyn Scene, learner: &mut Learner, cfg: &Config, goal: &(u64, Goal)) -> Result<Attempt> {
    let (number, goal) = goal;
    let latent = learner.vae.encode_one(&goal.image.pixels);
    let target = Target { latent, picture: goal.image.pixels.clone(), origin: GoalOrigin::Replay };
    let mut reset = rng::stream(cfg.seed, "evaluate", &[learner.counts.updates, *number]);
    let policy = Policy { vae: &mut learner.vae, sac: &mut learner.sac, behaviour: Behaviour::Deterministic };
    let episode = rollout(scene, policy, &target, *number, cfg.env.episode_steps, &mut reset)?;
    let last = episode.frame(episode.steps());
    let reached = Image { size: episode.image_size, pixels: last.to_vec() };
    let distance = f64::from(latent_distance(&learner.vae.encode_one(last), &target.latent));
    let state = scene.true_state();
    let known = state.as_ref().zip(goal.state.as_ref());
    Ok(Attempt {
        reached,
        metrics: known.map_or_else(Vec::new, |(s, g)| scene.metrics(s, g)),
        success: known.map(|(s, g)| scene.success(s, g)),
        latent_distance: distance,
        state,
        goal: goal.clone(),
        episode: Some(episode),
    })
}
