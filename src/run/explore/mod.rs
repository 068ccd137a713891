//! The exploration loop: set goals, collect episodes, update the agent, refit the VAE. It can stop and resume anywhere.
//!
//! Everything is a function of (configuration, seed, counters, episodes). So a checkpoint holds parameters, counters
//! and, if the environment supports snapshots, a snapshot of it.

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
mod practise;
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

/// Part of every message about a run that no longer reproduces an uninterrupted one.
const NOT_THE_SAME: &str = "from here on the run differs from an uninterrupted one";

/// A live exploration; exploring and learning take turns (`lockstep`).
pub struct Run<'a> {
    cfg: Config,
    /// The environment, its coverage, and the evaluation goals.
    task: Task,
    /// The models and replay.
    learner: Learner,
    /// The files of the run.
    log: Recorder,
    /// The services of this process.
    host: Host<'a>,
    /// The counters.
    state: RunState,
}

impl Run<'_> {
    /// Runs until `run.steps` or until a stop is requested; then finishes: checkpoint, evaluation, pictures.
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

    /// Collects warm-up episodes towards goals from the prior; `metrics.csv` does not report them.
    fn warm_up(&mut self) -> Result<()> {
        while self.state.env_steps < self.cfg.run.warmup_steps {
            if self.should_stop()? {
                return Ok(());
            }
            self.collect("warm-up")?;
        }
        self.add_writing_time();
        self.state.sums = self.state.sums.after_warm_up(self.log.wall_s());
        self.due_checkpoint()
    }

    /// One epoch: collect, update the agent, refit the VAE, evaluate, record. The counters hold the progress, so an
    /// epoch can be left and re-entered.
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
