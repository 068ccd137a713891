//! The report: what was explored, coverage over the hours, the rarest, the best and the worst, what happened meanwhile, how
//! the run was made, and what to run next.

use super::page::{Block, Page, Section, Table};
use super::story::Story;
use super::words::{figure, words};
use super::{advice, events, provenance::Made, timeline};
use crate::format::{duration, grouped};

impl Story<'_> {
    /// With the pictures that are in `plots`, of before as well, named relative to the run.
    pub(super) fn page(&self) -> Page {
        let shown = |pictures: &[(&str, &str)]| -> Vec<Block> {
            let there = pictures.iter().filter(|(name, _)| self.run_dir.join("plots").join(name).is_file());
            there.map(|(name, caption)| Block::Picture(format!("plots/{name}"), (*caption).into())).collect()
        };
        let mut over_time = shown(&COVERAGE);
        if let Some(table) = timeline::table(self.run) {
            let at = over_time.len().min(1);
            let turned = self.run.turn() > 1 && self.run.leading().is_some();
            let note = "Evaluations are means over a turn through all pictures, while it went on learning.";
            let note = turned.then(|| Block::Text(note.into()));
            over_time.splice(at..at, [Block::Table(table)].into_iter().chain(note));
        }
        let sections = [
            ("", self.lead()),
            ("What it can do", shown(&REACHED)),
            ("Coverage over the hours", over_time),
            ("The rarest it managed", shown(&RAREST)),
            ("Best and worst goals", shown(&EXTREMES)),
            ("What it did by itself", shown(&OWN)),
            ("How it learned", shown(&LEARNING)),
            ("What happened meanwhile", self.meanwhile()),
            ("How it was made", self.made()),
            ("What to run next", advice::advice(self)),
        ];
        let sections = sections.into_iter().filter(|(_, blocks)| !blocks.is_empty());
        Page {
            title: format!("{}, seed {}", self.run.cfg.name, self.run.cfg.seed),
            sections: sections.map(|(heading, blocks)| Section { heading, blocks }).collect(),
        }
    }

    fn lead(&self) -> Vec<Block> {
        let time = self.inputs.wall_s.or_else(|| self.run.table.last("time/wall_s"));
        let time = time.map_or(String::new(), |s| format!(" in {}", duration(s)));
        let short = match self.planned() {
            planned if self.steps < planned => format!(" of {} planned", grouped(planned)),
            _ => String::new(),
        };
        let scene = &self.run.cfg.env.scene;
        let explored = format!("Explored {scene} for {} steps{short}{time}.", grouped(self.steps));
        let meanwhile = match self.events.as_slice() {
            [] => String::new(),
            events => format!(" Meanwhile: {}.", events::in_short(events)),
        };
        let figures = self.final_figures();
        let rows: Vec<_> = figures.iter().map(|(name, v)| vec![heading(name), figure(*v)]).collect();
        let table = Table { head: vec!["At the end".into(), String::new()], rows, numbers: true };
        let table = (!figures.is_empty()).then_some(Block::Table(table));
        [Block::Text(explored + &meanwhile)].into_iter().chain(table).collect()
    }

    fn meanwhile(&self) -> Vec<Block> {
        match (self.events.as_slice(), Made::of(self.run_dir).resumed) {
            ([], 0) => vec![],
            ([], times) => {
                vec![Block::Text(format!("It was taken up again {times} times; nothing else was written down."))]
            }
            (events, _) => {
                vec![
                    Block::Text(format!("In short: {}.", events::in_short(events))),
                    Block::Table(events::table(events)),
                ]
            }
        }
    }

    fn made(&self) -> Vec<Block> {
        let Made { command, commit, machine, started_at, .. } = Made::of(self.run_dir);
        let rows = [("Command", command), ("Commit", commit), ("Machine", machine), ("Begun (UTC)", started_at)];
        let rows = rows.map(|(name, value)| vec![name.to_owned(), value]).to_vec();
        vec![Block::Table(Table { head: vec!["Made by".into(), String::new()], rows, numbers: false })]
    }

    /// The given ones, else the last measured evaluation; then the last coverage.
    fn final_figures(&self) -> Vec<(String, f64)> {
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

/// (file in `plots/`, what it shows), in the order of reading.
const REACHED: [(&str, &str); 1] =
    [("reached.png", "Pictures it was shown, each beside what it saw at the end of its attempt.")];
const COVERAGE: [(&str, &str); 4] = [
    ("coverage_over_time.png", "How much of the state space it has seen, against the time it has worked."),
    ("coverage.png", "The same against its steps: entropy of its recent states, and cells ever visited."),
    ("states.png", "Every state it visited, with the evaluation goals where they are known."),
    ("states_over_time.png", "Where it spent each part of the run."),
];
const RAREST: [(&str, &str); 1] = [(
    "rarest.png",
    "The pictures that its VAE, at its last refresh, found least likely (log p, one an episode at most), each beside the \
     goal it had set itself. Older episodes than replay holds are not among them.",
)];
const EXTREMES: [(&str, &str); 2] = [
    ("best.png", "Evaluation goals that it came nearest to, each beside what it saw at the end."),
    ("worst.png", "Those that it stayed furthest from."),
];
const OWN: [(&str, &str); 2] = [
    ("last_episode.gif", "Its last episode: what the camera saw, beside the goal it had set itself."),
    ("goals.png", "Goals it set itself, early and late in the run."),
];
const LEARNING: [(&str, &str); 4] = [
    ("evaluation.png", "How its attempts at the evaluation goals ended."),
    ("reconstructions.png", "Camera pictures and what the VAE makes of them."),
    ("prior_samples.png", "What the VAE imagines: decoded draws from its prior."),
    ("learning.png", "What the learners report: SAC, VAE and skewing."),
];

/// `coverage/cells` -> `Coverage cells`, `angle_error_rad` -> `Angle error (rad)`.
fn heading(metric: &str) -> String {
    words(&metric.replace("coverage/", "coverage_"))
}
