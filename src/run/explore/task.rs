//! The task of a run: the environment that is explored, how much of it was visited, and where goals are attempted.

use skewfit_envs::{Env, EnvFault, EnvSnapshot};

use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::Episode;
use crate::learn::learner::Learner;
use crate::learn::skew::Weights;
use crate::task::attempt::{self, Attempt, EvaluationGoal, Evaluator};
use crate::task::coverage::{Coverage, along};
use crate::task::knn_entropy::PictureEntropy;
use crate::task::scene::{Build, Described, check_scene};

/// What is explored.
pub(super) struct Task {
    pub env: Box<dyn Env>,
    /// What `env.json` says of it.
    pub described: Described,
    /// What is tried.
    pub goals: Vec<EvaluationGoal>,
    /// `None` where the environment cannot be frozen: then goals are tried in `env` itself.
    evaluator: Option<Evaluator>,
    measure: CoverageMeasure,
    /// Every visited state on the map's two axes.
    pub visited: Vec<[f64; 2]>,
}

/// How visits are counted: in cells of what is known of a state, or else by the pictures.
enum CoverageMeasure {
    Cells(Coverage),
    Pictures(Box<PictureEntropy>),
}

impl Task {
    /// The environment to explore, and others for attempts where it can be frozen; nothing was visited yet.
    ///
    /// # Errors
    /// What the environment refuses; `Usage` where it does not fit the configuration.
    pub(super) fn new(cfg: &Config, build: Build<'_>) -> Result<Self> {
        let fitting = |goals| {
            let env = build(&cfg.env, goals)?;
            check_scene(&*env, &cfg.env).map(|()| env)
        };
        let mut env = fitting(0)?;
        let evaluator = attempt::snapshot(&*env)?.map(|_| Evaluator::new(cfg, &fitting)).transpose()?;
        if evaluator.is_none() && env.truth().is_some() {
            drop(env); // a device is there once
            env = fitting(cfg.evaluate.pictures)?;
        }
        let goals = attempt::env_goals(evaluator.as_ref().map_or(&*env, Evaluator::env));
        let window = cfg.coverage.window_steps;
        let measure = match env.coverage() {
            Some(grid) => CoverageMeasure::Cells(Coverage::new(grid.clone(), window)),
            None => CoverageMeasure::Pictures(Box::new(PictureEntropy::new(cfg.env.image_size, cfg.seed, window)?)),
        };
        Ok(Self { described: Described::of(&*env), env, goals, evaluator, measure, visited: Vec::new() })
    }

    /// Tries these pictures in place of the environment's own goals; none: its own stay. Nothing judges attempts at them.
    pub(super) fn replace_goals(&mut self, goals: Vec<EvaluationGoal>) {
        if !goals.is_empty() {
            (self.goals, self.described.metrics) = (goals, None);
        }
    }

    /// Whether attempts are judged by a truth; else there is the latent distance.
    pub(super) fn judged(&self) -> bool {
        self.described.metrics.is_some()
    }

    /// Whether what was acted after a checkpoint can be acted again.
    pub(super) fn has_snapshots(&self) -> bool {
        self.evaluator.is_some()
    }

    /// The environment as it is, for a checkpoint; empty where it cannot be frozen.
    ///
    /// # Errors
    /// What the environment reports.
    pub(super) fn snapshot(&self) -> Result<Vec<u8>> {
        Ok(attempt::snapshot(&*self.env)?.map_or_else(Vec::new, |EnvSnapshot(bytes)| bytes))
    }

    /// Puts the environment where [`snapshot`](Self::snapshot) was taken; `false` where one of the two could not be done.
    ///
    /// # Errors
    /// `BadSnapshot` for another environment's.
    pub(super) fn restore_env(&mut self, snapshot: &[u8]) -> Result<bool> {
        if snapshot.is_empty() {
            return Ok(false);
        }
        match self.env.restore(&EnvSnapshot(snapshot.to_vec())) {
            Err(EnvFault::NoSnapshot) => Ok(false),
            restored => Ok(restored.map(|()| true)?),
        }
    }

    /// Counts an episode's visits (its first picture was counted with the episode before, or is the start).
    ///
    /// # Errors
    /// What the pictures' network reports.
    pub(super) fn observe(&mut self, episode: &Episode) -> Result<()> {
        match &mut self.measure {
            CoverageMeasure::Pictures(pictures) => pictures.observe(episode)?,
            CoverageMeasure::Cells(coverage) => {
                let axes = self.described.map_axes().cloned();
                for t in 1..=episode.steps() {
                    let state = episode.counted(t);
                    coverage.observe(&state);
                    self.visited.extend(axes.as_ref().map(|axes| along(axes, &state)));
                }
            }
        }
        Ok(())
    }

    /// The same for an episode that `later` steps follow which are counted, too: pictures beyond the window are passed over.
    ///
    /// # Errors
    /// As there.
    pub(super) fn observe_earlier(&mut self, episode: &Episode, later: u64) -> Result<()> {
        match &self.measure {
            CoverageMeasure::Pictures(pictures) if later >= pictures.window() as u64 => Ok(()),
            _ => self.observe(episode),
        }
    }

    /// (visited, all) cells; (0, 0) where visits are not counted in cells.
    pub(super) fn cells(&self) -> (usize, usize) {
        match &self.measure {
            CoverageMeasure::Cells(coverage) => (coverage.cells(), coverage.cells_total()),
            CoverageMeasure::Pictures(_) => (0, 0),
        }
    }

    /// What is measured of the visits, by column.
    pub(super) fn coverage(&self) -> Vec<(&'static str, f64)> {
        match &self.measure {
            CoverageMeasure::Cells(coverage) => {
                vec![("coverage/cells", coverage.cells() as f64), ("coverage/entropy_nats", coverage.entropy_nats())]
            }
            CoverageMeasure::Pictures(pictures) => {
                pictures.nats().map(|nats| ("coverage/knn_entropy", nats)).into_iter().collect()
            }
        }
    }

    /// Columns of the mapped states' means, over the newest visits and weighted by `skewed`, one weight a visit: what the
    /// skewing favours.
    pub(super) fn mean_states(&self, skewed: &Weights) -> Vec<(String, f64)> {
        let seen = &self.visited[self.visited.len().saturating_sub(skewed.p.len())..];
        let names = self.described.spec.counted_names();
        let axes = self.described.map_axes().into_iter().flatten().enumerate();
        axes.flat_map(|(k, axis)| {
            let uniform = seen.iter().map(|s| s[k]).sum::<f64>() / seen.len().max(1) as f64;
            let weighted = seen.iter().zip(&skewed.p).map(|(s, p)| s[k] * p).sum();
            let name = &names[axis.state];
            [(format!("replay/mean_{name}"), uniform), (format!("skew/mean_{name}"), weighted)]
        })
        .collect()
    }

    /// Tries goals, in an environment of attempts or in the exploration's own, as the configuration says and as there is
    /// one; calls `beat` once a goal.
    ///
    /// # Errors
    /// What the environment reports; `NotFinite`.
    pub(super) fn attempt(
        &mut self,
        learner: &Learner,
        cfg: &Config,
        goals: &[(u64, EvaluationGoal)],
        beat: &mut dyn FnMut(),
    ) -> Result<Vec<Attempt>> {
        if let Some(evaluator) = self.evaluator.as_mut().filter(|_| !cfg.evaluate.shared_env) {
            return evaluator.attempt(learner, cfg, goals, beat);
        }
        let one = |goal| {
            beat();
            attempt::attempt(&mut *self.env, learner, cfg, goal)
        };
        let attempts = goals.iter().map(one).collect::<Result<Vec<_>>>()?;
        Ok(attempts.into_iter().enumerate().map(|(i, attempt)| attempt.drop_late_episode(i)).collect())
    }
}
