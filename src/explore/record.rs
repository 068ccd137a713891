//! What a run leaves behind as it goes: a row an epoch, `STATUS.json`, checkpoints, a line in the log.

use serde_json::json;

use super::Run;
use super::state::{Sums, model_tensors};
use crate::checkpoint::{self, Saved, Snapshot};
use crate::config::RunConfig;
use crate::episode::Episode;
use crate::error::Result;
use crate::metrics::Row;
use crate::progress::Tick;
use crate::provenance::{resident_mb, utc};
use crate::store::fs::{DiskFs, write_atomic};

impl Run<'_> {
    /// Seconds that the run has taken, over all processes.
    pub(super) fn wall_s(&self) -> f64 {
        self.earlier_s + self.begun.elapsed().as_secs_f64()
    }

    /// Tells whoever watches.
    pub(super) fn tick(&mut self, phase: &str) {
        self.progress.tick(&Tick {
            env_steps: self.state.env_steps,
            steps_total: last_step(&self.cfg.run),
            coverage_cells: self.coverage.cells(),
            coverage_total: self.coverage.cells_total(),
            evaluation: self.state.evaluation.clone(),
            phase,
            epoch: (self.state.env_steps >= self.cfg.run.warmup_steps).then_some(self.state.epoch),
            epochs: self.cfg.run.epochs(),
            elapsed_s: self.begun.elapsed().as_secs_f64(),
        });
    }

    /// Counts an episode's states (its first one was counted with the episode before, or is the start).
    pub(super) fn observe(&mut self, episode: &Episode) {
        let axes = self.env.coverage().heat_map.clone();
        for t in 1..=episode.steps() {
            let state = episode.state(t);
            self.coverage.observe(state);
            self.visited.push([&axes[0], &axes[1]].map(|axis| state.get(axis.state).copied().unwrap_or(f64::NAN)));
        }
    }

    /// The epoch's row in `metrics.csv`, its line in the log, and `STATUS.json`.
    pub(super) fn record_epoch(&mut self) -> Result<()> {
        let now = self.wall_s();
        let sums = std::mem::replace(&mut self.state.sums, Sums::since(now));
        let mut values = sums.values();
        values.insert("coverage/cells".into(), self.coverage.cells() as f64);
        values.insert("coverage/entropy_nats".into(), self.coverage.entropy_nats());
        values.insert("time/wall_s".into(), now);
        values.insert("time/other_s".into(), (now - sums.began_s - sums.accounted_s()).max(0.0));
        if let Some(megabytes) = resident_mb("VmRSS") {
            values.insert("time/rss_mb".into(), megabytes);
        }
        self.state.wall_s = now;
        let figures: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value:.4}")).collect();
        tracing::info!("epoch {} env_steps={} {}", self.state.epoch, self.state.env_steps, figures.join(" "));
        let row = Row { env_steps: self.state.env_steps, values };
        self.metrics.append(&row)?;
        self.events.row(&DiskFs, &row)?;
        self.status("exploring")
    }

    /// Replaces `STATUS.json`.
    pub(super) fn status(&self, state: &str) -> Result<()> {
        let status = json!({
            "state": state,
            "env_steps": self.state.env_steps,
            "updates": self.learner.counts.updates,
            "updated_at": utc(std::time::SystemTime::now()),
        });
        write_atomic(&DiskFs, &self.store.dir().join("STATUS.json"), format!("{status:#}\n").as_bytes())
    }

    /// Everything that the next update depends on.
    pub(super) fn checkpoint(&mut self) -> Result<Saved> {
        self.tick("saving");
        self.state.wall_s = self.wall_s();
        self.state.counts = self.learner.counts.clone();
        let (params, optimizer) = model_tensors(&self.learner);
        let snapshot = Snapshot {
            update: self.learner.counts.updates,
            params,
            optimizer,
            state: json!(self.state),
            env: self.env.snapshot()?.0,
        };
        let saved = checkpoint::save(&DiskFs, self.store.dir(), &snapshot, self.cfg.run.keep_checkpoints)?;
        tracing::info!("checkpoint {} params_blake3={}", saved.dir.display(), saved.params_blake3);
        Ok(saved)
    }
}

/// Exploration steps of a whole run: `run.steps`, rounded up to whole epochs.
pub(super) fn last_step(run: &RunConfig) -> u64 {
    run.warmup_steps + run.epochs() * run.epoch_steps
}
