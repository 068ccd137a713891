//! A checkpoint's models into a learner.

use super::checkpoint::Snapshot;
use crate::error::{Error, Result};
use crate::learn::learner::Learner;

/// Brings the models to a checkpoint; counters are not touched.
///
/// # Errors
/// `Damaged` where a tensor is missing or has another shape; a part may have been restored then.
pub fn restore_models(learner: &mut Learner, snapshot: &Snapshot) -> Result<()> {
    learner.restore_models(&snapshot.models).map_err(|e| match e {
        Error::Damaged(why) => Error::Damaged(format!("checkpoint {:08}: {why}", snapshot.update)),
        other => other,
    })
}
