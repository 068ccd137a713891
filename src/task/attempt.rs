//! Attempts to reach goal pictures, and how near they come. Attempts do not count as exploration and are not learned
//! from.

use skewfit_envs::{Env, EnvFault, EnvSnapshot, Image, Metrics, StateVec, scenes};

use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::{Episode, GoalOrigin};
use crate::learn::goals::latent_distance;
use crate::learn::learner::Learner;
use crate::learn::nn::workers::{cores, most_threads};
use crate::learn::rng;
use crate::learn::rollout::{Behaviour, RolloutGoal, rollout};

/// The first attempts keep their episodes, for pictures and clips; all attempts keep their metrics.
pub const EPISODES_KEPT: usize = 100;

/// A picture to reach in an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationGoal {
    /// The scene's name for it, or the file's.
    pub name: String,
    /// The picture.
    pub image: Image,
    /// Its true state; `None` for a user's picture.
    pub state: Option<StateVec>,
}

/// The result of one attempt at a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The goal.
    pub goal: EvaluationGoal,
    /// The last observation.
    pub reached: Image,
    /// The last true state.
    pub state: Option<StateVec>,
    /// The scene's metrics; empty if no ground truth is known.
    pub metrics: Metrics,
    /// Latent distance from the last picture to the goal.
    pub latent_distance: f64,
    /// By the scene's threshold; for a user's picture by the latent threshold. `None` = unknown.
    pub success: Option<bool>,
    /// The episode; `None` after the first [`EPISODES_KEPT`] attempts.
    pub episode: Option<Episode>,
}

impl Attempt {
    /// Drops the episode if this attempt's `number` in its evaluation, from 0, is [`EPISODES_KEPT`] or more.
    #[must_use]
    pub fn drop_late_episode(self, number: usize) -> Self {
        Self { episode: self.episode.filter(|_| number < EPISODES_KEPT), ..self }
    }
}

/// Environments for attempts only. They run in parallel, and each attempt begins at the start state.
pub struct Evaluator {
    envs: Vec<Box<dyn Env>>,
    /// Start of each attempt; `None`: where `reset` leads.
    start: Option<EnvSnapshot>,
}

/// The environment's own evaluation pictures, in their fixed, shuffled order.
#[must_use]
pub fn env_goals(env: &dyn Env) -> Vec<EvaluationGoal> {
    let own = |g: &skewfit_envs::GoalPicture| EvaluationGoal {
        name: g.name.clone(),
        image: g.image.clone(),
        state: Some(g.state.clone()),
    };
    env.truth().map_or_else(Vec::new, |truth| truth.evaluation_goals().iter().map(own).collect())
}

/// A snapshot of the environment; `None` if it does not support snapshots.
///
/// # Errors
/// Every other error of the environment.
pub fn snapshot(env: &dyn Env) -> Result<Option<EnvSnapshot>> {
    match env.snapshot() {
        Err(EnvFault::NoSnapshot) => Ok(None),
        snapshot => Ok(snapshot.map(Some)?),
    }
}

impl Evaluator {
    /// Builds one environment a thread for a shipped scene. A caller's environment may own a device, so only one is
    /// built. `build` takes the number of evaluation pictures.
    ///
    /// # Errors
    /// Those of `build` and of the environment.
    pub fn new(cfg: &Config, build: &dyn Fn(usize) -> Result<Box<dyn Env>>) -> Result<Self> {
        let threads = if cfg.run.threads == 0 { cores() } else { cfg.run.threads.min(most_threads()) };
        let first = build(cfg.evaluate.pictures)?;
        let alone = cfg.evaluate.shared_env || !scenes::NAMES.contains(&first.spec().name.as_str());
        let at_once = if alone { 1 } else { threads.min(cfg.evaluate.pictures_each_time) };
        let others = (1..at_once).map(|_| build(0));
        let start = snapshot(&*first)?;
        Ok(Self { envs: [Ok(first)].into_iter().chain(others).collect::<Result<_>>()?, start })
    }

    /// The first of the environments.
    #[must_use]
    pub fn env(&self) -> &dyn Env {
        &*self.envs[0]
    }

    /// Makes one attempt at each goal, in the given order; calls `beat` after each. The number of environments does not
    /// change the results.
    ///
    /// # Errors
    /// Those of the environment and of the policy.
    pub fn attempt(
        &mut self,
        learner: &Learner,
        cfg: &Config,
        goals: &[(u64, EvaluationGoal)],
        beat: &mut dyn FnMut(),
    ) -> Result<Vec<Attempt>> {
        let mut attempts = Vec::with_capacity(goals.len());
        for round in goals.chunks(self.envs.len()) {
            let mut shares: Vec<_> = self.envs.iter_mut().zip(round).map(|pair| (pair, None)).collect();
            learner.workers().each(&mut shares, |_, ((env, goal), done)| {
                let begun = self.start.as_ref().map_or(Ok(()), |start| env.restore(start));
                *done = Some(begun.map_err(Into::into).and_then(|()| attempt(&mut ***env, learner, cfg, goal)));
            });
            for attempt in shares.into_iter().filter_map(|(_, done)| done) {
                beat();
                attempts.push(attempt?.drop_late_episode(attempts.len()));
            }
        }
        Ok(attempts)
    }
}

/// One attempt from the current state of `env`. `goal` is (number, goal); the number names the random stream.
///
/// # Errors
/// Those of the environment and of the policy.
pub fn attempt(env: &mut dyn Env, learner: &Learner, cfg: &Config, goal: &(u64, EvaluationGoal)) -> Result<Attempt> {
    let (number, goal) = goal;
    let policy = learner.policy()?;
    let mut scratch = policy.scratch();
    let latent = policy.encode(&mut scratch, &goal.image.pixels);
    let target = RolloutGoal { latent, picture: goal.image.pixels.clone(), origin: GoalOrigin::Replay };
    let mut reset = rng::stream(cfg.seed, "evaluate", &[learner.counts.updates, *number]);
    let behaviour = Behaviour::Deterministic;
    let episode = rollout(env, policy, behaviour, &target, *number, cfg.env.episode_steps, &mut reset)?;
    let last = episode.frame(episode.steps());
    let reached = Image { size: episode.image_size, pixels: last.to_vec() };
    let distance = f64::from(latent_distance(&policy.encode(&mut scratch, last), &target.latent));
    let state = env.true_state();
    let judged = env.truth().zip(state.as_ref().zip(goal.state.as_ref()));
    Ok(Attempt {
        reached,
        metrics: judged.map_or_else(Vec::new, |(truth, (s, g))| truth.metrics(s, g)),
        success: judged.map(|(truth, (s, g))| truth.success(s, g)),
        latent_distance: distance,
        state,
        goal: goal.clone(),
        episode: Some(episode),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::scene::build;

    #[test]
    fn attempts_do_not_depend_on_the_number_of_scenes() {
        let mut cfg = Config::resolve("corridor-tiny", vec![]).unwrap();
        cfg.run.threads = 3;
        let learner = Learner::new(&cfg.learner(), 2).unwrap();
        let mut attempts_with = |threads: usize| {
            cfg.run.threads = threads;
            let mut evaluator = Evaluator::new(&cfg, &|goals| build(&cfg.env, goals)).unwrap();
            assert_eq!(evaluator.envs.len(), threads);
            let goals: Vec<_> = (0..).zip(env_goals(evaluator.env())).collect();
            evaluator.attempt(&learner, &cfg, &goals, &mut || {}).unwrap()
        };
        let in_turn = attempts_with(1);
        assert_eq!(in_turn.len(), 4);
        assert!(in_turn[1..].iter().any(|attempt| attempt.reached != in_turn[0].reached), "the attempts differ");
        for threads in [2, 3, 4] {
            assert_eq!(attempts_with(threads), in_turn, "{threads} scenes");
        }
    }
}
