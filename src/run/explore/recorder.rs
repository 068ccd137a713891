//! Writes a live run's files: episodes, a row for each epoch, events, `STATUS.json`, checkpoints.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::config::NightConfig;
use crate::error::Result;
use crate::keep::checkpoint::{self, CheckpointContent, Retention, Saved};
use crate::keep::provenance::utc;
use crate::keep::store::Store;
use crate::keep::store::fs::Fs;
use crate::keep::supervise::events::{self, Cause, Event, Kind};
use crate::keep::supervise::status::{RunPhase, Status};
use crate::show::metrics::{MetricsCsv, MetricsRow};
use crate::show::tensorboard::Events;

/// Time between two updates of `STATUS.json` while nothing else is recorded.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(10);

/// Counters that every status and event includes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub env_steps: u64,
    pub updates: u64,
    /// Updates, episodes and evaluations skipped because of non-finite values.
    pub skipped: u64,
    /// Number of rollbacks to a checkpoint.
    pub rolled_back: u32,
}

/// Seconds spent on writing the run's files since the last row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WritingTime {
    /// Processor time.
    pub cpu_s: f64,
    /// Time spent waiting for the disk.
    pub wait_s: f64,
}

/// The run's files, and its clock.
pub(super) struct Recorder {
    pub store: Store,
    pub metrics: MetricsCsv,
    pub safety: WritingTime,
    /// True once it is recorded that episodes enter replay at other updates than before.
    pub replay_differs: bool,
    pub(super) fs: Arc<dyn Fs>,
    pub(super) night: NightConfig,
    tensorboard: Events,
    /// Time of the last write of `STATUS.json`.
    reported: Option<Instant>,
    begun: Instant,
    /// Seconds that earlier processes spent on the run.
    earlier_s: f64,
}

impl Recorder {
    /// Appends to `store` and `metrics`; earlier processes spent `earlier_s` seconds on the run.
    pub(super) fn new(fs: Arc<dyn Fs>, store: Store, metrics: MetricsCsv, night: &NightConfig, earlier_s: f64) -> Self {
        Self {
            tensorboard: Events::of(store.dir()),
            store,
            metrics,
            safety: WritingTime::default(),
            replay_differs: false,
            fs,
            night: night.clone(),
            reported: None,
            begun: Instant::now(),
            earlier_s,
        }
    }

    /// Follows a run directory that was moved: from now on writes go to its new place. Returns false if it was removed.
    pub(super) fn follow(&mut self) -> bool {
        let there = self.store.still_ours().is_ok() || self.store.follow();
        self.fs = self.store.fs();
        there
    }

    /// The run's directory.
    pub(super) fn dir(&self) -> &Path {
        self.store.dir()
    }

    /// Seconds since this process began.
    pub(super) fn elapsed_s(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Seconds spent on the run by all processes.
    pub(super) fn wall_s(&self) -> f64 {
        self.earlier_s + self.elapsed_s()
    }

    /// Adds a row to `metrics.csv`; after an error the same row may be tried again.
    pub(super) fn row(&mut self, row: &MetricsRow) -> Result<()> {
        self.metrics.append(row)
    }

    /// Adds a row to TensorBoard's files.
    pub(super) fn tensorboard_row(&mut self, row: &MetricsRow) -> Result<()> {
        self.tensorboard.row(&*self.fs, row)
    }

    /// Adds pictures to TensorBoard's files.
    pub(super) fn tensorboard_pictures(&mut self, env_steps: u64, files: &[std::path::PathBuf]) -> Result<()> {
        self.tensorboard.pictures(&*self.fs, env_steps, files)
    }

    /// Replaces `STATUS.json`. `why`: the reason if the run is not exploring.
    pub(super) fn status(&mut self, at: &Position, state: RunPhase, why: Option<&str>) -> Result<()> {
        self.reported = Some(Instant::now());
        let status = Status {
            state,
            why: why.map(str::to_owned),
            env_steps: at.env_steps,
            updates: at.updates,
            skipped: at.skipped,
            rolled_back: at.rolled_back,
            process: std::process::id(),
            updated_at: utc(SystemTime::now()),
        };
        status.write(&*self.fs, self.store.dir())
    }

    /// Replaces `STATUS.json` if it is older than [`HEARTBEAT`]. Best effort: the next heartbeat retries.
    pub(super) fn heartbeat(&mut self, at: &Position, state: RunPhase, why: Option<&str>) {
        if self.reported.is_some_and(|reported| reported.elapsed() >= HEARTBEAT) {
            let _ = self.status(at, state, why);
        }
    }

    /// Adds an event to `night.jsonl`, and to the log.
    pub(super) fn event(&self, at: &Position, kind: Kind, why: &str) -> Result<()> {
        self.write_event(at, kind, None, why)
    }

    /// Records a pause, with its cause for the report.
    pub(super) fn record_pause(&self, at: &Position, cause: Cause, why: &str) -> Result<()> {
        self.write_event(at, Kind::Paused, Some(cause), why)
    }

    fn write_event(&self, at: &Position, kind: Kind, cause: Option<Cause>, why: &str) -> Result<()> {
        match kind {
            Kind::Began | Kind::Resumed | Kind::WentOn | Kind::Stopped | Kind::Done => {
                tracing::info!("{kind:?}: {why}")
            }
            _ => tracing::error!("{kind:?}: {why}"),
        }
        let event = Event {
            at: utc(SystemTime::now()),
            env_steps: at.env_steps,
            updates: at.updates,
            event: kind,
            cause,
            why: why.to_owned(),
        };
        events::record(&*self.fs, self.store.dir(), &event)
    }

    /// Saves a checkpoint and deletes those that `keep` does not retain.
    pub(super) fn checkpoint(&mut self, snapshot: &CheckpointContent, keep: Retention<'_>) -> Result<Saved> {
        let saved = checkpoint::save(&*self.fs, self.store.dir(), snapshot, keep)?;
        tracing::info!("checkpoint {} params_blake3={}", saved.dir.display(), saved.params_blake3);
        Ok(saved)
    }
}
