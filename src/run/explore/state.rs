//! The part of a checkpoint besides tensors: counters, and the sums of the current epoch.

use serde::{Deserialize, Serialize};

use super::epoch_sums::EpochSums;
use crate::error::{Error, Result};
use crate::keep::checkpoint::CheckpointContent;
use crate::keep::supervise::ladder::Ladder;
use crate::learn::learner::Counts;

/// Counters of the run and the learner. With tensors and episodes, they are all that the next step depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Exploration steps.
    pub env_steps: u64,
    /// Episodes committed.
    pub episodes: u64,
    /// Completed epochs.
    pub epoch: u64,
    /// The learner's counters.
    pub counts: Counts,
    /// Sums of the current epoch.
    pub sums: EpochSums,
    /// Name and mean of the first metric of the latest evaluation.
    pub evaluation: Option<(String, f64)>,
    /// Seconds spent on the run by all processes.
    pub wall_s: f64,
    /// Updates of the last scheduled checkpoints, oldest first; a rollback goes to one of these. Checkpoints that a
    /// stop saves are not among them, so a stopped run rolls back like an uninterrupted one.
    #[serde(default)]
    pub due: Vec<u64>,
    /// [`Config::identity`](crate::config::Config::identity); empty in checkpoints of older programs.
    #[serde(default)]
    pub config: String,
    /// Recent non-finite values and rollbacks.
    #[serde(default)]
    pub ladder: Ladder,
    /// Updates, episodes and evaluations skipped because of non-finite values.
    #[serde(default)]
    pub skipped: u64,
    /// Episodes skipped since the last committed one.
    #[serde(default)]
    pub left_out: u64,
}

impl RunState {
    /// Drops non-finite values, which a checkpoint cannot hold. Nothing is learned from these values.
    pub fn keep_finite(&mut self) {
        self.sums.keep_finite();
        self.evaluation = self.evaluation.take().filter(|(_, value)| value.is_finite());
    }

    /// Reads the counters of a checkpoint.
    ///
    /// # Errors
    /// `Damaged` if they have another form.
    pub fn of(snapshot: &CheckpointContent) -> Result<Self> {
        serde_json::from_value(snapshot.state.clone())
            .map_err(|e| Error::Damaged(format!("checkpoint {:08}: state.json: {e}", snapshot.update)))
    }
}
