//! What a run leaves on disk as it goes: episodes, a row an epoch, events, `STATUS.json`, checkpoints.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use crate::config::NightConfig;
use crate::error::Result;
use crate::keep::checkpoint::{self, Keep, Saved, Snapshot};
use crate::keep::provenance::utc;
use crate::keep::store::Store;
use crate::keep::store::fs::Fs;
use crate::keep::supervise::events::{self, Cause, Event, Kind};
use crate::keep::supervise::status::{Phase, Status};
use crate::show::metrics::{MetricsCsv, MetricsRow};
use crate::show::tensorboard::Events;

/// Time between two `STATUS.json` while nothing else is recorded.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(10);

/// Where a run stands, as every record has it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    pub env_steps: u64,
    pub updates: u64,
    /// Updates, episodes and evaluations left out because something was not finite.
    pub skipped: u64,
    /// Returns to a checkpoint.
    pub rolled_back: u32,
}

/// Seconds that went into keeping the run safe since the last row.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Safety {
    /// Of the processor.
    pub cpu_s: f64,
    /// Of waiting for the disk.
    pub wait_s: f64,
}

/// The run's files, and its clock.
pub(super) struct Recorder {
    pub store: Store,
    pub metrics: MetricsCsv,
    pub safety: Safety,
    /// Whether it was recorded that episodes enter replay at other updates than before.
    pub differs: bool,
    pub(super) fs: Arc<dyn Fs>,
    pub(super) night: NightConfig,
    tensorboard: Events,
    /// When `STATUS.json` was written last.
    reported: Option<Instant>,
    begun: Instant,
    /// Seconds spent by processes before this one.
    earlier_s: f64,
}

impl Recorder {
    /// Goes on after what `store` and `metrics` hold; earlier processes took `earlier_s` seconds.
    pub(super) fn new(fs: Arc<dyn Fs>, store: Store, metrics: MetricsCsv, night: &NightConfig, earlier_s: f64) -> Self {
        Self {
            tensorboard: Events::of(store.dir()),
            store,
            metrics,
            safety: Safety::default(),
            differs: false,
            fs,
            night: night.clone(),
            reported: None,
            begun: Instant::now(),
            earlier_s,
        }
    }

    /// Writes to the run's directory from here on, wherever it was moved to; `false` where it was removed.
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

    /// Seconds that the run has taken, over all processes.
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

    /// Replaces `STATUS.json`; `why` it is not exploring.
    pub(super) fn status(&mut self, at: &Position, state: Phase, why: Option<&str>) -> Result<()> {
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

    /// Replaces `STATUS.json` where the last one is older than a [`HEARTBEAT`]; best effort, the next one retries.
    pub(super) fn heartbeat(&mut self, at: &Position, state: Phase, why: Option<&str>) {
        if self.reported.is_some_and(|reported| reported.elapsed() >= HEARTBEAT) {
            let _ = self.status(at, state, why);
        }
    }

    /// Adds an event to `night.jsonl`, and to the log.
    pub(super) fn event(&self, at: &Position, kind: Kind, why: &str) -> Result<()> {
        self.event_of(at, kind, None, why)
    }

    /// Records that the run stands still, and the cause that the report looks for.
    pub(super) fn paused(&self, at: &Position, cause: Cause, why: &str) -> Result<()> {
        self.event_of(at, Kind::Paused, Some(cause), why)
    }

    fn event_of(&self, at: &Position, kind: Kind, cause: Option<Cause>, why: &str) -> Result<()> {
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
        events::tell(&*self.fs, self.store.dir(), &event)
    }

    /// Saves a checkpoint, and drops those that need not be kept.
    pub(super) fn checkpoint(&mut self, snapshot: &Snapshot, keep: Keep<'_>) -> Result<Saved> {
        let saved = checkpoint::save(&*self.fs, self.store.dir(), snapshot, keep)?;
        tracing::info!("checkpoint {} params_blake3={}", saved.dir.display(), saved.params_blake3);
        Ok(saved)
    }
}
