//! What a run tells while it goes on, and when it has ended.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick<'a> {
    /// Exploration steps so far.
    pub env_steps: u64,
    /// Exploration steps in all.
    pub steps_total: u64,
    /// Coverage cells ever visited.
    pub coverage_cells: usize,
    /// Coverage cells in all; 0 where they are not counted.
    pub coverage_total: usize,
    /// Name and value of the latest evaluation's leading figure.
    pub evaluation: Option<(String, f64)>,
    /// What is being done: `warm-up`, `exploring`, `learning`, ...
    pub phase: &'a str,
    /// Whole epochs behind; `None` during the warm-up.
    pub epoch: Option<u64>,
    /// Epochs in all.
    pub epochs: u64,
    /// Since this process began, seconds.
    pub elapsed_s: f64,
}

/// Whoever wants to know.
pub trait Progress {
    /// Called often; must return at once.
    fn tick(&mut self, tick: &Tick<'_>);

    /// Called once, at the end.
    fn done(&mut self) {}
}

/// What a run came to: the `--json` of `explore` and `resume`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Run directory.
    pub run: String,
    /// Exploration steps, warm-up included.
    pub env_steps: u64,
    /// SAC gradient steps.
    pub updates: u64,
    /// Episodes committed.
    pub episodes: u64,
    /// Seconds, over all processes that worked on the run.
    pub wall_s: f64,
    /// Hash of the last checkpoint's parameters and moments.
    pub params_blake3: String,
    /// Metric -> mean over all evaluation pictures, at the end.
    #[serde(rename = "final")]
    pub final_metrics: BTreeMap<String, f64>,
}
