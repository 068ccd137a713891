//! Records of a live run: progress, a row for each epoch, events, checkpoints.

use serde_json::json;

use super::Run;
use super::epoch_sums::EpochSums;
use super::recorder::Position;
use crate::config::RunConfig;
use crate::error::{Error, Result};
use crate::keep::checkpoint::{CheckpointContent, Retention, Saved};
use crate::keep::provenance::{CpuClock, cpu_s, resident_mb};
use crate::keep::supervise::events::Kind;
use crate::keep::supervise::status::RunPhase;
use crate::run::progress::Tick;
use crate::show::metrics::MetricsRow;

impl Run<'_> {
    /// The counters for a record.
    pub(super) fn position(&self) -> Position {
        Position {
            env_steps: self.state.env_steps,
            updates: self.learner.counts.updates,
            skipped: self.state.skipped,
            rolled_back: self.learner.counts.halvings,
        }
    }

    /// Reports progress; pings the watchdog if work advanced.
    pub(super) fn tick(&mut self, phase: &str) {
        let counts = &self.learner.counts;
        let done = self.state.env_steps + counts.updates + counts.vae_updates + counts.refreshes + self.host.work;
        self.host.pulse.at(done);
        let at = self.position();
        self.log.heartbeat(&at, RunPhase::Exploring, None);
        let (coverage_cells, coverage_total) = self.task.cells();
        self.host.progress.tick(&Tick {
            env_steps: self.state.env_steps,
            steps_total: last_step(&self.cfg.run),
            coverage_cells,
            coverage_total,
            evaluation: self.state.evaluation.clone(),
            phase,
            epoch: (self.state.env_steps >= self.cfg.run.warmup_steps).then_some(self.state.epoch),
            epochs: self.cfg.run.epochs(),
            elapsed_s: self.log.elapsed_s(),
        });
    }

    /// Adds an event to `night.jsonl`, and to the log.
    pub(super) fn record(&mut self, kind: Kind, why: &str) -> Result<()> {
        let at = self.position();
        self.log.retry(&mut self.host, &at, |log| log.event(&at, kind, why))
    }

    /// Replaces `STATUS.json`. `why`: the reason if the run is not exploring.
    pub(super) fn status(&mut self, state: RunPhase, why: Option<&str>) -> Result<()> {
        let at = self.position();
        self.log.retry(&mut self.host, &at, |log| log.status(&at, state, why))
    }

    /// Adds the time spent on writing files to the current epoch.
    pub(super) fn add_writing_time(&mut self) {
        let spent = std::mem::take(&mut self.log.safety);
        self.state.sums.add("time/safety_cpu_s", spent.cpu_s);
        self.state.sums.add("time/safety_wait_s", spent.wait_s);
    }

    /// Writes the epoch's row to `metrics.csv`, TensorBoard and the log, and updates `STATUS.json`.
    pub(super) fn record_epoch(&mut self) -> Result<()> {
        self.add_writing_time();
        let now = self.log.wall_s();
        let sums = std::mem::replace(&mut self.state.sums, EpochSums::new(now));
        let cpu = cpu_s(CpuClock::Process);
        let mut values = sums.row();
        values.extend(
            [
                ("time/wall_s", now),
                ("time/other_s", (now - sums.began_s - sums.accounted_s()).max(0.0)),
                ("time/cpu_s", cpu - sums.began_cpu_s),
            ]
            .into_iter()
            .chain(self.task.coverage())
            .map(|(column, value)| (column.to_owned(), value)),
        );
        values.extend(resident_mb("VmRSS").map(|megabytes| ("time/rss_mb".to_owned(), megabytes)));
        self.state.sums.began_cpu_s = cpu;
        self.state.wall_s = now;
        let row = MetricsRow { env_steps: self.state.env_steps, values };
        let figures: Vec<String> = row.values.iter().map(|(column, value)| format!("{column}={value:.4}")).collect();
        tracing::info!("epoch {} env_steps={} {}", self.state.epoch, row.env_steps, figures.join(" "));
        let at = self.position();
        self.log.retry(&mut self.host, &at, |log| log.row(&row))?;
        self.log.retry(&mut self.host, &at, |log| log.tensorboard_row(&row))?;
        self.status(RunPhase::Exploring, None)
    }

    /// Saves a scheduled [`checkpoint`](Self::checkpoint); a rollback may return to it.
    pub(super) fn due_checkpoint(&mut self) -> Result<()> {
        let (update, keep) = (self.learner.counts.updates, self.cfg.run.keep_checkpoints);
        let due = &mut self.state.due;
        due.retain(|earlier| *earlier != update);
        due.push(update);
        due.drain(..due.len().saturating_sub(keep));
        self.checkpoint().map(drop)
    }

    /// Saves everything that the next update depends on. If a parameter is not finite, it rolls back first.
    pub(super) fn checkpoint(&mut self) -> Result<Saved> {
        loop {
            match self.save() {
                Err(Error::NotFinite(why)) => self.roll_back(&why)?,
                saved => return saved,
            }
        }
    }

    fn save(&mut self) -> Result<Saved> {
        self.host.work += 1;
        self.tick("saving");
        self.add_writing_time();
        self.state.wall_s = self.log.wall_s();
        self.state.counts = self.learner.counts.clone();
        self.state.config = self.cfg.identity()?;
        self.state.keep_finite();
        let (at, run) = (self.position(), &self.cfg.run);
        let (state, learner, env) = (&self.state, &self.learner, self.task.snapshot()?);
        self.log.retry(&mut self.host, &at, |log| {
            let models = learner.models()?;
            let snapshot = CheckpointContent { update: at.updates, models, state: json!(state), env: env.clone() };
            let every_s = run.keep_every_hours * 3600.0;
            log.checkpoint(&snapshot, Retention { newest: run.keep_checkpoints, every_s, protected: &state.due })
        })
    }
}

/// Exploration steps of a complete run: `run.steps`, rounded up to whole epochs.
pub(super) fn last_step(run: &RunConfig) -> u64 {
    run.warmup_steps + run.epochs() * run.epoch_steps
}
