//! `summary.json`: what a run came to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
