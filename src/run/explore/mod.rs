//! The loop: collect episodes towards goals of its own, learn from them, refit the VAE; stop and go on at any point.
//!
//! Everything is a function of (configuration, seed, counters, episodes), so a checkpoint is parameters, counters and, where
//! the environment can be frozen, the environment.

mod begin;
mod collect;
mod epoch_sums;
mod evaluate;
mod finish;
mod host;
mod inject;
mod legacy_epoch_sums;
mod load;
mod pause;
mod rarest;
mod record;
mod recorder;
mod restore;
mod resume;
mod retry;
mod rollback;
pub mod state;
mod task;
mod update;

pub use begin::{start, start_in};
pub use host::stop_flag;
pub use resume::{resume, resume_in};

use crate::config::Config;
use crate::error::Result;
use crate::keep::summary::Summary;
use crate::learn::learner::Learner;
use host::Host;
use recorder::Recorder;
use state::RunState;
use task::Task;

/// Said wherever a run cannot be what it would have been.
const NOT_THE_SAME: &str = "what follows is not the uninterrupted run bit for bit";

/// An exploration under way, lockstep, by what owns its parts.
pub struct Run<'a> {
    cfg: Config,
    /// What is explored.
    task: Task,
    /// What was learned.
    learner: Learner,
    /// What is on disk.
    log: Recorder,
    /// The process around it.
    host: Host<'a>,
    /// How far it got.
    state: RunState,
}

impl Run<'_> {
    /// To the end of `run.steps`, or to where it is asked to stop; then evaluation, checkpoint, pictures.
    fn run_to_end(&mut self) -> Result<Summary> {
        if self.state.env_steps == 0 {
            self.tick("beginning");
            self.due_checkpoint()?;
        }
        if self.state.env_steps < self.cfg.run.warmup_steps {
            self.warm_up()?;
        }
        while self.state.epoch < self.cfg.run.epochs() && !self.should_stop()? {
            self.epoch()?;
        }
        self.finish()
    }

    /// Collects warm-up episodes, towards goals of the prior; they are not reported in `metrics.csv`.
    fn warm_up(&mut self) -> Result<()> {
        while self.state.env_steps < self.cfg.run.warmup_steps {
            if self.should_stop()? {
                return Ok(());
            }
            self.collect("warm-up")?;
        }
        self.add_safety_time();
        self.state.sums = self.state.sums.after_warm_up(self.log.wall_s());
        self.due_checkpoint()
    }

    /// Collect, update the agent, refit the VAE, evaluate, record. Counters say how far it got, so it can be left and
    /// re-entered.
    fn epoch(&mut self) -> Result<()> {
        let (epoch, run) = (self.state.epoch, self.cfg.run.clone());
        while self.state.env_steps < run.warmup_steps + (epoch + 1) * run.epoch_steps {
            if self.should_stop()? {
                return Ok(());
            }
            self.collect("exploring")?;
        }
        while self.learner.counts.updates < (epoch + 1) * run.updates_per_epoch {
            if self.should_stop()? {
                return Ok(());
            }
            self.update_agent()?;
        }
        if !self.refit(epoch)? {
            return Ok(());
        }
        if (epoch + 1).is_multiple_of(self.cfg.evaluate.every_epochs) {
            self.evaluate(epoch)?;
        }
        self.state.epoch += 1;
        self.record_epoch()?;
        if self.state.epoch.is_multiple_of(run.checkpoint_every_epochs) {
            self.due_checkpoint()?;
        }
        Ok(())
    }
}
