//! What a checkpoint holds besides tensors: counters, and the sums of an epoch that is not over yet.

use serde::{Deserialize, Serialize};

use super::epoch_sums::EpochSums;
use crate::error::{Error, Result};
use crate::keep::checkpoint::Snapshot;
use crate::keep::supervise::ladder::Ladder;
use crate::learn::learner::Counts;

/// Counters of the run; with the learner's, all that the next step depends on besides tensors and episodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Exploration steps.
    pub env_steps: u64,
    /// Episodes committed.
    pub episodes: u64,
    /// Whole epochs behind.
    pub epoch: u64,
    /// The learner's.
    pub counts: Counts,
    /// Of the epoch under way.
    pub sums: EpochSums,
    /// Name and value of the latest evaluation's leading figure.
    pub evaluation: Option<(String, f64)>,
    /// Seconds, over all processes that worked on the run.
    pub wall_s: f64,
    /// Updates of the last checkpoints that were due by the schedule, oldest first: what trouble may lead back to. Those
    /// that a stop leaves are not among them, so a run that was stopped goes back as one that was not.
    #[serde(default)]
    pub due: Vec<u64>,
    /// [`Config::identity`](crate::config::Config::identity); empty in a checkpoint of an older program.
    #[serde(default)]
    pub config: String,
    /// What trouble with numbers has led to.
    #[serde(default)]
    pub ladder: Ladder,
    /// Updates, episodes and evaluations left out because something was not finite.
    #[serde(default)]
    pub skipped: u64,
    /// Episodes left out since the last one that was committed.
    #[serde(default)]
    pub left_out: u64,
}

impl RunState {
    /// Drops figures that are not finite, which a checkpoint could not hold; nothing is learned from them.
    pub fn keep_finite(&mut self) {
        self.sums.keep_finite();
        self.evaluation = self.evaluation.take().filter(|(_, value)| value.is_finite());
    }

    /// The counters of a checkpoint.
    ///
    /// # Errors
    /// `Damaged` for a state of another shape.
    pub fn of(snapshot: &Snapshot) -> Result<Self> {
        serde_json::from_value(snapshot.state.clone())
            .map_err(|e| Error::Damaged(format!("checkpoint {:08}: state.json: {e}", snapshot.update)))
    }
}
