//! The report's page: results, coverage over time, least likely pictures, best and worst attempts, goals, learning curves,
//! events, provenance, and commands to run next.

use super::data::ReportData;
use super::labels::{format_value, metric_label};
use super::page::{PageBlock, PageTable, ReportPage, Section};
use super::{advice, events, provenance::ProvenanceSummary, timeline};
use crate::format::{duration, grouped};

impl ReportData<'_> {
    /// Builds the page. It shows every known picture in `plots`, also those of an earlier call, named relative to the run.
    pub(super) fn page(&self) -> ReportPage {
        let shown = |pictures: &[(&str, &str)]| -> Vec<PageBlock> {
            let there = pictures.iter().filter(|(name, _)| self.run_dir.join("plots").join(name).is_file());
            there.map(|(name, caption)| PageBlock::Picture(format!("plots/{name}"), (*caption).into())).collect()
        };
        let mut over_time = shown(&COVERAGE);
        if let Some(table) = timeline::table(self.run) {
            let at = over_time.len().min(1);
            let averaged = self.run.evaluations_per_pass() > 1 && self.run.leading_metric().is_some();
            let note =
                "Each evaluation value is a mean over one pass through all pictures; learning went on meanwhile.";
            let note = averaged.then(|| PageBlock::Text(note.into()));
            over_time.splice(at..at, [PageBlock::Table(table)].into_iter().chain(note));
        }
        let sections = [
            ("", self.results()),
            ("Goals and final pictures", shown(&REACHED)),
            ("Coverage over time", over_time),
            ("Least likely pictures", shown(&RAREST)),
            ("Best and worst attempts", shown(&EXTREMES)),
            ("Exploration", shown(&EXPLORATION)),
            ("Learning", shown(&LEARNING)),
            ("Events", self.events()),
            ("Provenance", self.provenance()),
            ("What to run next", advice::advice(self)),
        ];
        let sections = sections.into_iter().filter(|(_, blocks)| !blocks.is_empty());
        ReportPage {
            title: format!("{}, seed {}", self.run.cfg.name, self.run.cfg.seed),
            sections: sections.map(|(heading, blocks)| Section { heading, blocks }).collect(),
        }
    }

    /// Steps, time, events and the final metrics.
    fn results(&self) -> Vec<PageBlock> {
        let time = self.inputs.wall_s.or_else(|| self.run.table.last("time/wall_s"));
        let time = time.map_or(String::new(), |s| format!(" in {}", duration(s)));
        let short = match self.planned() {
            planned if self.steps < planned => format!(" of {} planned", grouped(planned)),
            _ => String::new(),
        };
        let scene = &self.run.cfg.env.scene;
        let explored = format!("Explored {scene} for {} steps{short}{time}.", grouped(self.steps));
        let events = match self.events.as_slice() {
            [] => String::new(),
            events => format!(" Events: {}.", events::summary(events)),
        };
        let metrics = self.final_metrics();
        let rows: Vec<_> = metrics.iter().map(|(name, v)| vec![heading(name), format_value(*v)]).collect();
        let table = PageTable { head: vec!["Final result".into(), String::new()], rows, numbers: true };
        let table = (!metrics.is_empty()).then_some(PageBlock::Table(table));
        [PageBlock::Text(explored + &events)].into_iter().chain(table).collect()
    }

    fn events(&self) -> Vec<PageBlock> {
        match (self.events.as_slice(), ProvenanceSummary::of(self.run_dir).resumed) {
            ([], 0) => vec![],
            ([], times) => {
                vec![PageBlock::Text(format!("The run was resumed {times} times; no other event was recorded."))]
            }
            (events, _) => {
                vec![
                    PageBlock::Text(format!("Summary: {}.", events::summary(events))),
                    PageBlock::Table(events::table(events)),
                ]
            }
        }
    }

    fn provenance(&self) -> Vec<PageBlock> {
        let ProvenanceSummary { command, commit, machine, started_at, .. } = ProvenanceSummary::of(self.run_dir);
        let rows = [("Command", command), ("Commit", commit), ("Machine", machine), ("Started (UTC)", started_at)];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value]).to_vec();
        vec![PageBlock::Table(PageTable { head: vec!["Entry".into(), "Value".into()], rows, numbers: false })]
    }

    /// The final metrics that were given, else those of the last evaluation; then the last coverage.
    fn final_metrics(&self) -> Vec<(String, f64)> {
        let table = &self.run.table;
        let measured = |prefix: &str| -> Vec<(String, f64)> {
            let names = table.columns.iter().map(|(name, _)| name).filter(|name| name.starts_with(prefix));
            names.filter_map(|name| Some((name.clone(), table.last(name)?))).collect()
        };
        let given = self.inputs.final_metrics.clone();
        let attempts = if given.is_empty() { measured("eval/") } else { given };
        attempts.into_iter().chain(measured("coverage/")).collect()
    }
}

/// (file in `plots/`, caption), in reading order.
const REACHED: [(&str, &str); 1] = [("reached.png", "Goal pictures, each beside the last picture of the attempt.")];
const COVERAGE: [(&str, &str); 4] = [
    ("coverage_over_time.png", "Visited part of the state space, against running time."),
    (
        "coverage.png",
        "The same against steps: entropy of the recent states, and number of cells ever visited. Where the \
         reachable cells are known, also the share of them ever visited, and the gap to uniform visits of them.",
    ),
    ("states.png", "All visited states, with the evaluation goals where their states are known."),
    ("states_over_time.png", "Visited states in each part of the run."),
];
const RAREST: [(&str, &str); 1] = [(
    "rarest.png",
    "The stored pictures with the lowest log p under the VAE at its last refresh, at most one per episode, each beside the \
     episode's goal. Episodes that are no longer in replay are not included.",
)];
const EXTREMES: [(&str, &str); 2] = [
    ("best.png", "The evaluation attempts with the smallest error: goal, and last picture."),
    ("worst.png", "The evaluation attempts with the largest error."),
];
const EXPLORATION: [(&str, &str); 2] = [
    ("last_episode.gif", "The last exploration episode: camera pictures, beside its goal."),
    ("goals.png", "Goals of exploration episodes, early and late in the run."),
];
const LEARNING: [(&str, &str); 4] = [
    ("evaluation.png", "Evaluation results."),
    ("reconstructions.png", "Camera pictures and their VAE reconstructions."),
    ("prior_samples.png", "Samples from the VAE prior, decoded."),
    ("learning.png", "Learning metrics of SAC, VAE and Skew-Fit."),
];

/// `coverage/cells` -> `Coverage cells`, `angle_error_rad` -> `Angle error (rad)`.
fn heading(metric: &str) -> String {
    metric_label(&metric.replace("coverage/", "coverage_"))
}
