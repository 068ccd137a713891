//! The task of a run: the explored environment, its coverage, and attempts at goals.

use skewfit_envs::{Env, EnvFault, EnvSnapshot};

use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::Episode;
use crate::learn::learner::Learner;
use crate::learn::skew::{SkewedDistribution, Weights};
use crate::task::attempt::{self, Attempt, EvaluationGoal, Evaluator};
use crate::task::coverage::{Coverage, along};
use crate::task::knn_entropy::PictureEntropy;
use crate::task::reached::ReachedCells;
use crate::task::scene::{Build, EnvDescription, check_scene};
use crate::task::true_distances::TrueDistances;

/// The environment, its coverage and its evaluation goals.
pub(super) struct Task {
    pub env: Box<dyn Env>,
    /// Its description, as in `env.json`.
    pub described: EnvDescription,
    /// Evaluation goals.
    pub goals: Vec<EvaluationGoal>,
    /// `None` if the environment does not support snapshots: then attempts run in `env` itself.
    evaluator: Option<Evaluator>,
    measure: CoverageMeasure,
    /// `None` if the environment does not know its reachable cells.
    reached: Option<ReachedCells>,
    /// States of the stored frames, from which goals are drawn.
    known: TrueDistances,
    /// All visited states, on the two axes of the map.
    pub visited: Vec<[f64; 2]>,
}

/// How coverage is measured: in cells of known states, or else by the entropy of pictures.
enum CoverageMeasure {
    Cells(Coverage),
    Pictures(Box<PictureEntropy>),
}

impl Task {
    /// Builds the environment to explore and, if it supports snapshots, others for attempts. Coverage starts empty.
    ///
    /// # Errors
    /// Those of `build`; `Usage` if the environment does not match the configuration.
    pub(super) fn new(cfg: &Config, build: Build<'_>) -> Result<Self> {
        let fitting = |goals| {
            let env = build(&cfg.env, goals)?;
            check_scene(&*env, &cfg.env).map(|()| env)
        };
        let mut env = fitting(0)?;
        let evaluator = attempt::snapshot(&*env)?.map(|_| Evaluator::new(cfg, &fitting)).transpose()?;
        if evaluator.is_none() && env.truth().is_some() {
            drop(env); // a device can be opened only once
            env = fitting(cfg.evaluate.pictures)?;
        }
        let goals = attempt::env_goals(evaluator.as_ref().map_or(&*env, Evaluator::env));
        let window = cfg.coverage.window_steps;
        let measure = match env.coverage() {
            Some(grid) => CoverageMeasure::Cells(Coverage::new(grid.clone(), window)),
            None => CoverageMeasure::Pictures(Box::new(PictureEntropy::new(cfg.env.image_size, cfg.seed, window)?)),
        };
        let reachable = env.truth().and_then(|truth| truth.reachable());
        let reached = reachable.map(|cells| ReachedCells::new(cells.clone(), window));
        let (known, described) = (TrueDistances::new(cfg.replay.capacity), EnvDescription::of(&*env));
        Ok(Self { described, env, goals, evaluator, measure, reached, known, visited: Vec::new() })
    }

    /// Evaluates on the user's pictures instead of the environment's; an empty list changes nothing. The user's
    /// pictures have no metrics.
    pub(super) fn replace_goals(&mut self, goals: Vec<EvaluationGoal>) {
        if !goals.is_empty() {
            (self.goals, self.described.metrics) = (goals, None);
        }
    }

    /// Whether attempts have metrics of a ground truth; otherwise only the latent distance.
    pub(super) fn judged(&self) -> bool {
        self.described.metrics.is_some()
    }

    /// Whether the environment supports snapshots, so that episodes after a checkpoint can be collected again.
    pub(super) fn has_snapshots(&self) -> bool {
        self.evaluator.is_some()
    }

    /// A snapshot of the environment for a checkpoint; empty if it does not support snapshots.
    ///
    /// # Errors
    /// Those of the environment.
    pub(super) fn snapshot(&self) -> Result<Vec<u8>> {
        Ok(attempt::snapshot(&*self.env)?.map_or_else(Vec::new, |EnvSnapshot(bytes)| bytes))
    }

    /// Restores the environment from a [`snapshot`](Self::snapshot). Returns false if the snapshot is empty or the
    /// environment does not support snapshots.
    ///
    /// # Errors
    /// `BadSnapshot` for a snapshot of another environment.
    pub(super) fn restore_env(&mut self, snapshot: &[u8]) -> Result<bool> {
        if snapshot.is_empty() {
            return Ok(false);
        }
        match self.env.restore(&EnvSnapshot(snapshot.to_vec())) {
            Err(EnvFault::NoSnapshot) => Ok(false),
            restored => Ok(restored.map(|()| true)?),
        }
    }

    /// Adds an episode to the coverage, without its first observation, which belongs to the episode before or is the
    /// start.
    ///
    /// # Errors
    /// Those of [`PictureEntropy::observe`].
    pub(super) fn observe(&mut self, episode: &Episode) -> Result<()> {
        self.observe_states(episode);
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

    fn observe_states(&mut self, episode: &Episode) {
        self.known.observe(episode);
        if let Some(reached) = &mut self.reached {
            (1..=episode.steps()).for_each(|t| reached.observe(episode.state(t)));
        }
    }

    /// [`observe`](Self::observe) for an earlier episode, after which `later` steps are added too. Skips pictures that
    /// would leave the window.
    ///
    /// # Errors
    /// As [`observe`](Self::observe).
    pub(super) fn observe_earlier(&mut self, episode: &Episode, later: u64) -> Result<()> {
        match &self.measure {
            CoverageMeasure::Pictures(pictures) if later >= pictures.window() as u64 => {
                self.observe_states(episode);
                Ok(())
            }
            _ => self.observe(episode),
        }
    }

    /// (visited, total) cells; (0, 0) if coverage is not measured in cells.
    pub(super) fn cells(&self) -> (usize, usize) {
        match &self.measure {
            CoverageMeasure::Cells(coverage) => (coverage.cells(), coverage.cells_total()),
            CoverageMeasure::Pictures(_) => (0, 0),
        }
    }

    /// True distances of the episode's goals; empty without a truth. The episode is not yet observed.
    pub(super) fn true_distances(&self, episode: &Episode) -> Vec<f64> {
        self.env.truth().map_or_else(Vec::new, |truth| self.known.of(episode, truth).collect())
    }

    /// The coverage metrics, by column.
    pub(super) fn coverage(&self) -> Vec<(&'static str, f64)> {
        let mut columns = match &self.measure {
            CoverageMeasure::Cells(coverage) => {
                vec![
                    ("coverage/cells", coverage.cells() as f64),
                    ("coverage/entropy_nats", coverage.entropy_nats()),
                    ("coverage/recent_cells", coverage.recent_cells() as f64),
                ]
            }
            CoverageMeasure::Pictures(pictures) => {
                pictures.nats().map(|nats| ("coverage/knn_entropy", nats)).into_iter().collect()
            }
        };
        columns.extend(self.reached.iter().flat_map(ReachedCells::coverage));
        columns
    }

    /// How densities and skewed weights compare with the visits of reachable cells, by column; see
    /// [`ReachedCells::densities`].
    pub(super) fn densities(&self, skewed: &SkewedDistribution) -> Vec<(&'static str, f64)> {
        self.reached.iter().flat_map(|reached| reached.densities(skewed)).collect()
    }

    /// Means of the mapped states over the newest visits, by column: uniform, and with the weights `skewed`, one for
    /// each visit. The difference shows which states the skewing favours.
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

    /// Makes one attempt at each goal and calls `beat` for each. Attempts run in environments of their own if there are
    /// any and `evaluate.shared_env` is off, otherwise in the explored environment.
    ///
    /// # Errors
    /// Those of the environment; `NotFinite`.
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
