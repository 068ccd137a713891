//! `summary.json`: the results of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The results of a run; `explore --json` and `resume --json` print them.
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
    /// Wall time, seconds, summed over all processes that worked on the run.
    pub wall_s: f64,
    /// Hash of the parameters and Adam moments in the last checkpoint.
    pub params_blake3: String,
    /// Metric -> mean over all evaluation pictures, in the final evaluation.
    #[serde(rename = "final")]
    pub final_metrics: BTreeMap<String, f64>,
}
