//! What a report tells of: a run's directory, rows and events, and what was drawn of it.

use std::path::Path;

use super::drawn::Drawn;
use super::runs::Run;
use crate::keep::store::Store;
use crate::keep::store::fs::DiskFs;
use crate::keep::supervise::events::{self, Event, Kind};

/// What a report tells of.
pub(super) struct Story<'a> {
    pub(super) run_dir: &'a Path,
    pub(super) run: &'a Run,
    pub(super) inputs: &'a Drawn,
    pub(super) events: Vec<Event>,
    /// Exploration steps.
    pub(super) steps: u64,
}

impl<'a> Story<'a> {
    pub(super) fn of(run_dir: &'a Path, run: &'a Run, inputs: &'a Drawn) -> Self {
        let store = Store::read_only(run_dir).ok();
        let committed = store.and_then(|store| Some(store.lines().last()?.env_steps_end));
        let steps = committed.unwrap_or_else(|| run.steps());
        let mut events = events::read(&DiskFs, run_dir);
        events.retain(|event| event.event != Kind::Done); // the steps say it
        Self { run_dir, run, inputs, events, steps }
    }

    /// Steps that the configuration asks for.
    pub(super) fn planned(&self) -> u64 {
        self.run.cfg.run.steps
    }

    /// The leading figure of the last evaluation, and what the best constant answer scores.
    pub(super) fn beside_constant(&self) -> Option<(f64, f64)> {
        let metric = self.run.leading()?;
        let told = |name: &str| self.inputs.final_metrics.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
        told(metric).zip(told(&format!("best_constant_{metric}")))
    }
}
