//! Restores a learner's models from a checkpoint.

use super::checkpoint::CheckpointContent;
use crate::error::{Error, Result};
use crate::learn::learner::Learner;

/// Sets the learner's models to those of a checkpoint; counters stay as they are.
///
/// # Errors
/// `Damaged` where a tensor is missing or has another shape; some models may already be restored then.
pub fn restore_models(learner: &mut Learner, snapshot: &CheckpointContent) -> Result<()> {
    learner.restore_models(&snapshot.models).map_err(|e| match e {
        Error::Damaged(why) => Error::Damaged(format!("checkpoint {:08}: {why}", snapshot.update)),
        other => other,
    })
}
