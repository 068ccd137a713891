//! Goal pictures -> attempts from where the environment starts -> how near they came. Never counted, never learned from.

use skewfit_envs::{Env, EnvFault, EnvSnapshot, Image, Metrics, StateVec, scenes};

use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::{Episode, GoalOrigin};
use crate::learn::goals::latent_distance;
use crate::learn::learner::Learner;
use crate::learn::rng;
use crate::learn::rollout::{Behaviour, Target, rollout};

/// Attempts whose episodes are kept, for pictures and clips; figures are kept of all.
pub const EPISODES_KEPT: usize = 100;

/// A picture to be reached.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluationGoal {
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
    pub goal: EvaluationGoal,
    /// The last picture.
    pub reached: Image,
    /// The last true state.
    pub state: Option<StateVec>,
    /// The scene's metrics; empty where nothing judges it.
    pub metrics: Metrics,
    /// Of the last picture from the goal.
    pub latent_distance: f64,
    /// By the scene's threshold, or by the latent threshold for a picture of the user's; `None` = unknown.
    pub success: Option<bool>,
    /// What was seen on the way; `None` beyond the first [`EPISODES_KEPT`].
    pub episode: Option<Episode>,
}

impl Attempt {
    /// As the `number`-th of an evaluation, from 0: without its episode beyond [`EPISODES_KEPT`].
    #[must_use]
    pub fn drop_late_episode(self, number: usize) -> Self {
        Self { episode: self.episode.filter(|_| number < EPISODES_KEPT), ..self }
    }
}

/// Environments of their own for attempts, each of which begins at the start state. Several try goals at the same time.
pub struct Evaluator {
    envs: Vec<Box<dyn Env>>,
    /// `None`: an attempt begins where `reset` leads to.
    start: Option<EnvSnapshot>,
}

/// The evaluation pictures that an environment has itself, in their fixed, shuffled order.
#[must_use]
pub fn env_goals(env: &dyn Env) -> Vec<EvaluationGoal> {
    let own = |g: &skewfit_envs::GoalPicture| EvaluationGoal {
        name: g.name.clone(),
        image: g.image.clone(),
        state: Some(g.state.clone()),
    };
    env.truth().map_or_else(Vec::new, |truth| truth.evaluation_goals().iter().map(own).collect())
}

/// A snapshot to begin from; `None` of what cannot be frozen.
///
/// # Errors
/// What else the environment reports.
pub fn snapshot(env: &dyn Env) -> Result<Option<EnvSnapshot>> {
    match env.snapshot() {
        Err(EnvFault::NoSnapshot) => Ok(None),
        snapshot => Ok(snapshot.map(Some)?),
    }
}

impl Evaluator {
    /// As many environments as attempts may be made at the same time, by `build` of so many evaluation pictures: of a
    /// shipped scene one a thread, of a caller's, which may own a device, one in all.
    ///
    /// # Errors
    /// What a scene refuses.
    pub fn new(cfg: &Config, build: &dyn Fn(usize) -> Result<Box<dyn Env>>) -> Result<Self> {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if cfg.run.threads == 0 { cores() } else { cfg.run.threads };
        let first = build(cfg.evaluate.pictures)?;
        let alone = cfg.evaluate.shared_env || !scenes::NAMES.contains(&first.spec().name.as_str());
        let at_once = if alone { 1 } else { threads.min(cfg.evaluate.pictures_each_time) };
        let others = (1..at_once).map(|_| build(0));
        let start = snapshot(&*first)?;
        Ok(Self { envs: [Ok(first)].into_iter().chain(others).collect::<Result<_>>()?, start })
    }

    /// The environment that attempts are made in.
    #[must_use]
    pub fn env(&self) -> &dyn Env {
        &*self.envs[0]
    }

    /// Tries each goal once, in the order given; calls `beat` once a goal. How many environments there are changes no byte.
    ///
    /// # Errors
    /// What a scene reports.
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

/// One attempt from where `env` stands; its random stream is named by the goal's number.
///
/// # Errors
/// What the environment reports.
pub fn attempt(env: &mut dyn Env, learner: &Learner, cfg: &Config, goal: &(u64, EvaluationGoal)) -> Result<Attempt> {
    let (number, goal) = goal;
    let policy = learner.policy()?;
    let mut scratch = policy.scratch();
    let latent = policy.encode(&mut scratch, &goal.image.pixels);
    let target = Target { latent, picture: goal.image.pixels.clone(), origin: GoalOrigin::Replay };
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
    fn attempts_are_the_same_in_any_number_of_scenes() {
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
        assert!(
            in_turn[1..].iter().any(|attempt| attempt.reached != in_turn[0].reached),
            "each goal is its own attempt"
        );
        for threads in [2, 3, 4] {
            assert_eq!(attempts_with(threads), in_turn, "{threads} scenes");
        }
    }
}
