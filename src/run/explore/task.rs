//! The task of a run: the scene that is explored, how much of it was visited, and the scenes in which goals are attempted.

use skewfit_envs::Scene;

use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::Episode;
use crate::learn::learner::Learner;
use crate::learn::skew::Weights;
use crate::task::attempt::{self, Attempt, Evaluator, Goal};
use crate::task::coverage::{Coverage, along};
use crate::task::scene::{Build, fits};

/// What is explored.
pub(super) struct Task {
    pub env: Box<dyn Scene>,
    pub evaluator: Evaluator,
    pub coverage: Coverage,
    /// Every visited state on the heat map's two axes.
    pub visited: Vec<[f64; 2]>,
}

impl Task {
    /// The scene to explore, and another for attempts; nothing was visited yet.
    ///
    /// # Errors
    /// What the scene refuses; `Usage` where it does not fit the configuration.
    pub(super) fn new(cfg: &Config, build: Build<'_>) -> Result<Self> {
        let fitting = |goals| {
            let scene = build(&cfg.env, goals)?;
            fits(&*scene, &cfg.env).map(|()| scene)
        };
        let env = fitting(0)?;
        let evaluator = Evaluator::new(cfg, &fitting)?;
        let coverage = Coverage::new(env.coverage().clone(), cfg.coverage.window_steps);
        Ok(Self { env, evaluator, coverage, visited: Vec::new() })
    }

    /// Counts an episode's states (its first one was counted with the episode before, or is the start).
    pub(super) fn observe(&mut self, episode: &Episode) {
        let axes = self.env.coverage().heat_map.clone();
        for t in 1..=episode.steps() {
            let state = episode.state(t);
            self.coverage.observe(state);
            self.visited.push(along(&axes, state));
        }
    }

    /// Columns of the mapped states' means, over the newest visits and weighted by `skewed`, one weight a visit: what the
    /// skewing favours.
    pub(super) fn mean_states(&self, skewed: &Weights) -> Vec<(String, f64)> {
        let seen = &self.visited[self.visited.len().saturating_sub(skewed.p.len())..];
        let names = &self.env.spec().state_names;
        let axes = self.env.coverage().heat_map.iter().enumerate();
        axes.flat_map(|(k, axis)| {
            let uniform = seen.iter().map(|s| s[k]).sum::<f64>() / seen.len().max(1) as f64;
            let weighted = seen.iter().zip(&skewed.p).map(|(s, p)| s[k] * p).sum();
            let name = &names[axis.state];
            [(format!("replay/mean_{name}"), uniform), (format!("skew/mean_{name}"), weighted)]
        })
        .collect()
    }

    /// Tries goals, in the scene of attempts or in the exploration's, as the configuration says; calls `beat` once a goal.
    ///
    /// # Errors
    /// What the scene reports; `NotFinite`.
    pub(super) fn attempt(
        &mut self,
        learner: &Learner,
        cfg: &Config,
        goals: &[(u64, Goal)],
        beat: &mut dyn FnMut(),
    ) -> Result<Vec<Attempt>> {
        if !cfg.evaluate.shared_env {
            return self.evaluator.attempt(learner, cfg, goals, beat);
        }
        let one = |goal| {
            beat();
            attempt::attempt(&mut *self.env, learner, cfg, goal)
        };
        goals.iter().map(one).collect()
    }
}
