//! What a run leaves behind as it goes: a row an epoch, `STATUS.json`, checkpoints (and one in memory, to go back to), a
//! line in the log.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::Run;
use super::state::{RunState, Sums, model_tensors, restore_models};
use crate::checkpoint::{self, Keep, Saved, Snapshot};
use crate::config::RunConfig;
use crate::episode::Episode;
use crate::error::{Error, Result};
use crate::metrics::Row;
use crate::progress::Tick;
use crate::provenance::{Whose, cpu_s, resident_mb, utc};
use crate::supervise::events::{self, Event, Kind};
use crate::supervise::status::Status;

/// Time between two `STATUS.json` while nothing else is told.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(10);

impl Run<'_> {
    /// Seconds that the run has taken, over all processes.
    pub(super) fn wall_s(&self) -> f64 {
        self.earlier_s + self.begun.elapsed().as_secs_f64()
    }

    /// Tells whoever watches, and that it lives if it got on.
    pub(super) fn tick(&mut self, phase: &str) {
        let counts = &self.learner.counts;
        let position = self.state.env_steps + counts.updates + counts.vae_updates + counts.refreshes + self.work;
        self.house.pulse.at(position);
        if self.told.is_some_and(|told| told.elapsed() >= HEARTBEAT) {
            let _ = self.status("exploring", None); // the epoch's own record waits for the disk
        }
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
        let cpu = cpu_s(Whose::Process);
        values.insert("time/cpu_s".into(), cpu - sums.began_cpu_s);
        self.state.sums.began_cpu_s = cpu;
        if let Some(megabytes) = resident_mb("VmRSS") {
            values.insert("time/rss_mb".into(), megabytes);
        }
        values.retain(|name, _| self.metrics.has(name));
        self.state.wall_s = now;
        let figures: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value:.4}")).collect();
        tracing::info!("epoch {} env_steps={} {}", self.state.epoch, self.state.env_steps, figures.join(" "));
        let row = Row { env_steps: self.state.env_steps, values };
        self.durably(|run| run.metrics.append(&row))?;
        self.durably(|run| run.events.row(&*run.house.fs, &row))?;
        self.durably(|run| run.status("exploring", None))
    }

    /// Replaces `STATUS.json`; `why` it is not exploring.
    pub(super) fn status(&mut self, state: &str, why: Option<&str>) -> Result<()> {
        self.told = Some(std::time::Instant::now());
        let status = Status {
            state: state.to_owned(),
            why: why.map(str::to_owned),
            env_steps: self.state.env_steps,
            updates: self.learner.counts.updates,
            skipped: self.state.skipped,
            rolled_back: self.learner.counts.halvings,
            process: std::process::id(),
            updated_at: utc(SystemTime::now()),
        };
        status.write(&*self.house.fs, self.store.dir())
    }

    /// Adds to the account of the night, and to the log.
    pub(super) fn tell(&self, event: Kind, why: &str) -> Result<()> {
        match event {
            Kind::Began | Kind::Resumed | Kind::WentOn | Kind::Stopped | Kind::Done => {
                tracing::info!("{event:?}: {why}")
            }
            _ => tracing::error!("{event:?}: {why}"),
        }
        let event = Event {
            at: utc(SystemTime::now()),
            env_steps: self.state.env_steps,
            updates: self.learner.counts.updates,
            event,
            why: why.to_owned(),
        };
        events::tell(&*self.house.fs, self.store.dir(), &event)
    }

    /// Models and counters as they are now, in memory.
    pub(super) fn mark(&self) -> (Snapshot, RunState) {
        let (params, optimizer) = model_tensors(&self.learner);
        let state = RunState { counts: self.learner.counts.clone(), ..self.state.clone() };
        (Snapshot { update: state.counts.updates, params, optimizer, state: Value::Null, env: Vec::new() }, state)
    }

    /// Goes back to a mark; replay's latents are not those of its VAE then, so nothing can be learned from them.
    ///
    /// # Errors
    /// `Damaged` for a mark of another run.
    pub(super) fn undo(&mut self, (models, state): (Snapshot, RunState)) -> Result<()> {
        restore_models(&mut self.learner, &models)?;
        self.learner.counts = state.counts.clone();
        self.state = state;
        Ok(())
    }

    /// A [`checkpoint`](Self::checkpoint) that was due by the schedule: trouble may lead back to it.
    pub(super) fn due_checkpoint(&mut self) -> Result<()> {
        let (update, keep) = (self.learner.counts.updates, self.cfg.run.keep_checkpoints);
        let due = &mut self.state.due;
        due.retain(|earlier| *earlier != update);
        due.push(update);
        due.drain(..due.len().saturating_sub(keep));
        self.checkpoint().map(drop)
    }

    /// Saves everything that the next update depends on; parameters that cannot be saved go back first.
    pub(super) fn checkpoint(&mut self) -> Result<Saved> {
        loop {
            match self.durably(Self::save) {
                Err(Error::NotFinite(why)) => self.roll_back(&why)?,
                saved => return saved,
            }
        }
    }

    fn save(&mut self) -> Result<Saved> {
        self.work += 1;
        self.tick("saving");
        self.state.wall_s = self.wall_s();
        self.state.counts = self.learner.counts.clone();
        self.state.config = self.cfg.identity()?;
        self.state.keep_finite();
        let (params, optimizer) = model_tensors(&self.learner);
        let snapshot = Snapshot {
            update: self.learner.counts.updates,
            params,
            optimizer,
            state: json!(self.state),
            env: self.env.snapshot()?.0,
        };
        let run = &self.cfg.run;
        let every_s = run.keep_every_hours * 3600.0;
        let keep = Keep { newest: run.keep_checkpoints, every_s, spared: &self.state.due };
        let saved = checkpoint::save(&*self.house.fs, self.store.dir(), &snapshot, keep)?;
        tracing::info!("checkpoint {} params_blake3={}", saved.dir.display(), saved.params_blake3);
        Ok(saved)
    }
}

/// Exploration steps of a whole run: `run.steps`, rounded up to whole epochs.
pub(super) fn last_step(run: &RunConfig) -> u64 {
    run.warmup_steps + run.epochs() * run.epoch_steps
}
