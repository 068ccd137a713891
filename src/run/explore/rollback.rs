//! Non-finite values: the update or episode is skipped. If they recur, the models go back to a checkpoint and the
//! learning rates are halved.
//!
//! Only the models go back. Steps, episodes and counters continue, so all random draws are new.

use super::Run;
use crate::error::{Error, Result};
use crate::keep::checkpoint;
use crate::keep::models::restore_models;
use crate::keep::supervise::events::Kind;
use crate::keep::supervise::ladder::NonFiniteAction;

impl Run<'_> {
    /// Passes `outcome` on, except for a non-finite value, which it [handles](Self::handle_non_finite).
    pub(super) fn skip_non_finite(&mut self, outcome: Result<()>) -> Result<()> {
        match outcome {
            Err(Error::NotFinite(why)) => self.handle_non_finite(&why),
            other => other,
        }
    }

    /// Counts an update or episode that was skipped for a non-finite value; rolls back if the ladder asks for it.
    pub(super) fn handle_non_finite(&mut self, why: &str) -> Result<()> {
        let counts = &self.learner.counts;
        let rung = self.state.ladder.non_finite(counts.updates + counts.vae_updates);
        self.state.skipped += 1;
        match rung {
            NonFiniteAction::Skip => self.record(Kind::Skipped, why),
            NonFiniteAction::RollBack => self.roll_back(why),
        }
    }

    /// Restores the models of the last good checkpoint, halves the learning rates, and refreshes the latents.
    ///
    /// # Errors
    /// `NotFinite` if no checkpoint is left.
    pub(super) fn roll_back(&mut self, why: &str) -> Result<()> {
        loop {
            let there = self.rollback_updates()?;
            let Some(update) = self.state.ladder.roll_back_target(&there) else {
                let way = "every checkpoint led back to it; lower the learning rates and begin a new run";
                return Err(Error::NotFinite(format!("{why} ({way})")));
            };
            match self.restore_checkpoint(update) {
                Ok(()) => {
                    let halved = self.learner.counts.halvings;
                    let back = format!("{why}; back to checkpoint {update:08}, learning rate halved ({halved} times)");
                    return self.record(Kind::RolledBack, &back);
                }
                Err(Error::NotFinite(again)) => tracing::error!("checkpoint {update:08}: {again}"),
                Err(Error::Damaged(damage)) => {
                    self.state.ladder.give_up(update);
                    self.record(Kind::Damaged, &damage)?;
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// Updates of the checkpoints to roll back to, newest first. If an older program began the run: of all checkpoints.
    fn rollback_updates(&mut self) -> Result<Vec<u64>> {
        if !self.state.due.is_empty() {
            return Ok(self.state.due.iter().rev().copied().collect());
        }
        let now = self.learner.counts.updates;
        let at = self.position();
        let there = self.log.retry(&mut self.host, &at, |log| checkpoint::updates(log.dir()))?;
        Ok(there.into_iter().filter(|update| *update <= now).collect())
    }

    fn restore_checkpoint(&mut self, update: u64) -> Result<()> {
        let at = self.position();
        let snapshot = self.log.retry(&mut self.host, &at, |log| checkpoint::load(log.dir(), update))?;
        restore_models(&mut self.learner, &snapshot)?;
        self.learner.counts.halvings += 1;
        let skew = self.learner.counts.skew_power.is_some();
        let pulse = &mut self.host.pulse;
        self.learner.refresh(skew, &mut || pulse.beat()).map(drop)
    }
}
