//! Everything that a report is written from.

use std::path::Path;

use super::inputs::ReportInputs;
use super::runs::RunData;
use crate::keep::store::Store;
use crate::keep::store::fs::DiskFs;
use crate::keep::supervise::events::{self, Event, Kind};

/// A run's directory, rows and events, and the report's inputs.
pub(super) struct ReportData<'a> {
    pub(super) run_dir: &'a Path,
    pub(super) run: &'a RunData,
    pub(super) inputs: &'a ReportInputs,
    pub(super) events: Vec<Event>,
    /// Exploration steps of the committed episodes.
    pub(super) steps: u64,
}

impl<'a> ReportData<'a> {
    pub(super) fn of(run_dir: &'a Path, run: &'a RunData, inputs: &'a ReportInputs) -> Self {
        let store = Store::read_only(run_dir).ok();
        let committed = store.and_then(|store| Some(store.lines().last()?.env_steps_end));
        let steps = committed.unwrap_or_else(|| run.steps());
        let mut events = events::read(&DiskFs, run_dir);
        events.retain(|event| event.event != Kind::Done); // the number of steps shows it
        Self { run_dir, run, inputs, events, steps }
    }

    /// Exploration steps that the configuration asks for.
    pub(super) fn planned(&self) -> u64 {
        self.run.cfg.run.steps
    }

    /// The leading metric of the final evaluation, and the best constant answer's score.
    pub(super) fn final_and_constant(&self) -> Option<(f64, f64)> {
        let metric = self.run.leading_metric()?;
        let value = |name: &str| self.inputs.final_metrics.iter().find(|(n, _)| n == name).map(|(_, v)| *v);
        value(metric).zip(value(&format!("best_constant_{metric}")))
    }
}
