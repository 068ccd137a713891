//! A run directory opened for reading: episodes, configuration, newest sound checkpoint, learner.

use std::path::Path;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::keep::checkpoint::{self, CheckpointContent, Loaded};
use crate::keep::models::restore_models;
use crate::keep::store::Store;
use crate::learn::learner::Learner;
use crate::task::scene::EnvDescription;

/// The contents of a run directory; nothing is written.
pub struct OpenedRun {
    /// Its committed episodes.
    pub store: Store,
    /// Its resolved configuration.
    pub cfg: Config,
    /// Its newest sound checkpoint, and the damaged checkpoints that were skipped.
    pub checkpoint: Loaded,
}

impl OpenedRun {
    /// Opens a run that has a checkpoint; the run may be live.
    ///
    /// # Errors
    /// `Usage` if `dir` is not a run or has no checkpoint yet; `Damaged` if no checkpoint is sound.
    pub fn read(dir: &Path) -> Result<Self> {
        let store = Store::read_only(dir)?;
        let cfg = Config::of_run(dir, Vec::new())?;
        let none = || Error::Usage(format!("{}: the run has no checkpoint yet; let it run longer", dir.display()));
        let checkpoint = checkpoint::newest_sound(dir)?.ok_or_else(none)?;
        Ok(Self { store, cfg, checkpoint })
    }

    /// The learner at the checkpoint, with an empty replay buffer.
    ///
    /// # Errors
    /// `Damaged` if the checkpoint's tensors or counters do not match its configuration.
    pub fn learner(&self) -> Result<Learner> {
        let mut learner = Learner::new(&self.cfg.learner(), self.action_dim()?)?;
        restore(&mut learner, &self.checkpoint.content)?;
        Ok(learner)
    }

    /// The description of the run's environment, read without building a caller's environment.
    ///
    /// # Errors
    /// As [`EnvDescription::read`].
    pub fn described(&self) -> Result<Option<EnvDescription>> {
        EnvDescription::of_run(self.store.dir(), self.store.root(), &self.cfg.env)
    }

    /// A, from the policy's last layer, which has one mean and one deviation for each action entry.
    fn action_dim(&self) -> Result<usize> {
        let snapshot = &self.checkpoint.content;
        let bias = snapshot.models.params.iter().find(|t| t.name == "policy.last.bias");
        let missing = || Error::Damaged(format!("checkpoint {:08}: no tensor `policy.last.bias`", snapshot.update));
        bias.map(|t| t.data.len() / 2).filter(|a| *a > 0).ok_or_else(missing)
    }
}

/// Restores models, Adam moments and counters of a checkpoint into a learner of the same shapes. Does not restore
/// replay.
///
/// # Errors
/// `Damaged` if the checkpoint's tensors or counters do not match the learner's configuration.
pub fn restore(learner: &mut Learner, snapshot: &CheckpointContent) -> Result<()> {
    restore_models(learner, snapshot)?;
    learner.counts = serde_json::from_value(snapshot.state["counts"].clone())
        .map_err(|e| Error::Damaged(format!("checkpoint {:08}: state.json: {e}", snapshot.update)))?;
    Ok(())
}
