//! A run's directory -> the four parts of what its page shows, as JSON: `run`, `curves`, `episodes`, `health`. Files that
//! have not changed are not read again, and none of it grows with the run but the reading of `metrics.csv`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::pictures::Gallery;
use crate::config::Config;
use crate::keep::provenance::utc;
use crate::keep::store::fs::{DiskFs, Fs};
use crate::keep::supervise::status::Phase;
use crate::keep::supervise::{control, events};
use crate::show::metrics::{self, Table};
use crate::show::report::metric_words;

/// Points of a drawn line.
const POINTS: usize = 400;
/// Events told, the newest.
const EVENTS: usize = 30;
/// The disk's room is told in these units, bytes: it moves all the time.
const ROOM: u64 = 10_000_000;
/// The time left goes by the last so many epochs.
const EPOCHS_AVERAGED: usize = 3;

/// Part -> its JSON.
pub type Parts = BTreeMap<&'static str, Arc<str>>;

/// Curves: the column of `metrics.csv`, its heading, and the unit of its axis. The leading evaluation comes between.
const COVERAGE: [(&str, &str, &str); 2] =
    [("coverage/cells", "Coverage cells", "cells"), ("coverage/entropy_nats", "Coverage entropy", "nats")];
const SUCCESS: (&str, &str, &str) = ("eval/success_rate", "Success rate", "of 1");
const LOSSES: [(&str, &str, &str); 2] =
    [("train/critic_loss", "Critic loss", "reward²"), ("vae/loss", "VAE loss", "an image")];

/// Looks at one run.
pub struct Watch {
    dir: PathBuf,
    looked: Option<Instant>,
    parts: Parts,
    /// What each file was when it was last read.
    stamps: BTreeMap<&'static str, Stamp>,
    config: Option<Config>,
    table: Table,
    status: Value,
    wall_s: Option<f64>,
    night: Value,
    gallery: Gallery,
}

/// When a file was written, and how long it is; `None` where there is none.
type Stamp = Option<(SystemTime, u64)>;

impl Watch {
    /// At the run in `dir`; nothing is read yet.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            looked: None,
            parts: Parts::new(),
            stamps: BTreeMap::new(),
            config: None,
            table: Table::default(),
            status: Value::Null,
            wall_s: None,
            night: json!({}),
            gallery: Gallery::default(),
        }
    }

    /// The parts as they are, or were at most `age` ago.
    pub fn look(&mut self, age: Duration) -> Parts {
        if self.looked.is_none_or(|looked| looked.elapsed() > age) {
            self.read();
            self.looked = Some(Instant::now());
            let parts = [
                ("run", self.run()),
                ("curves", self.curves()),
                ("episodes", self.gallery.told()),
                ("health", self.health()),
            ];
            self.parts = parts.into_iter().map(|(name, part)| (name, part.to_string().into())).collect();
        }
        self.parts.clone()
    }

    /// A picture of an episode that the page was told of.
    pub fn picture(&self, episode: &str, which: &str) -> Option<Vec<u8>> {
        self.gallery.picture(episode, which)
    }

    /// Whether nobody will look at what is asked any more.
    pub fn over(&mut self) -> bool {
        self.look(Duration::ZERO);
        serde_json::from_value(self.status["state"].clone()).is_ok_and(Phase::is_over)
    }

    fn read(&mut self) {
        let files = ["config.toml", "STATUS.json", "metrics.csv", "summary.json", "episodes.jsonl", events::FILE];
        let new: BTreeSet<&str> = files.into_iter().filter(|name| self.is_new(name)).collect();
        let path = |name: &str| self.dir.join(name);
        if new.contains("config.toml") {
            self.config = Config::read(&path("config.toml"), Vec::new()).ok();
        }
        if new.contains("STATUS.json") {
            self.status = object(&path("STATUS.json"));
        }
        if new.contains("metrics.csv") {
            self.table = metrics::read(&path("metrics.csv")).unwrap_or_default();
        }
        if new.contains("summary.json") {
            self.wall_s = object(&path("summary.json"))["wall_s"].as_f64();
        }
        if new.contains(events::FILE) {
            self.night = night(&self.dir);
        }
        if new.contains("episodes.jsonl") {
            self.gallery.look(&self.dir);
        }
    }

    /// Whether a file is another one than at the last look.
    fn is_new(&mut self, name: &'static str) -> bool {
        let facts = self.dir.join(name).metadata().ok();
        let stamp = facts.and_then(|facts| Some((facts.modified().ok()?, facts.len())));
        self.stamps.insert(name, stamp) != Some(stamp)
    }

    fn run(&self) -> Value {
        let run = self.config.as_ref().map(|cfg| &cfg.run);
        let steps_total = run.map(|run| run.warmup_steps + run.epochs() * run.epoch_steps);
        let (steps, episodes) = self.gallery.newest().unwrap_or_default();
        let told = self.status["env_steps"].as_u64().unwrap_or_default();
        json!({
            "name": self.config.as_ref().map(|cfg| &cfg.name),
            "seed": self.config.as_ref().map(|cfg| cfg.seed),
            "dir": self.dir.display().to_string(),
            "state": self.status["state"].as_str(),
            "updated_at": self.status["updated_at"].as_str(),
            "now": utc(SystemTime::now()),
            "asked": control::asked(&DiskFs, &self.dir).word(),
            "env_steps": steps.max(told),
            "steps_total": steps_total,
            "updates": self.status["updates"].as_u64(),
            "updates_total": run.map(|run| run.epochs() * run.updates_per_epoch),
            "episodes": episodes,
            "wall_s": self.wall_s.or_else(|| self.table.last("time/wall_s")),
            "left_s": steps_total.and_then(|total| left_s(&self.table, total)),
        })
    }

    fn curves(&self) -> Value {
        let evaluate = self.config.as_ref().map(|cfg| &cfg.evaluate);
        let turn = evaluate.map_or(1, |cfg| cfg.pictures.div_ceil(cfg.pictures_each_time.max(1)).max(1));
        let leading = self.table.columns.iter().map(|(name, _)| name.as_str()).find(|n| n.starts_with("eval/final_"));
        let error = leading.map(|name| {
            let words = metric_words(name);
            let (heading, unit) = words.trim_end_matches(')').split_once(" (").unwrap_or((&words, "scene's units"));
            (name, heading.to_owned(), unit.to_owned())
        });
        let own = |(name, heading, unit): (&'static str, &str, &str)| (name, heading.to_owned(), unit.to_owned());
        let all = COVERAGE.into_iter().map(own).chain(error).chain([SUCCESS].map(own)).chain(LOSSES.map(own));
        let figures: Vec<Value> = all
            .map(|(name, heading, unit)| {
                let dots = measured(&self.table, name);
                let over = if name.starts_with("eval/") { turn } else { 1 };
                let line = thinned(means(&dots, over));
                let dots = if over > 1 { thinned(dots) } else { Vec::new() };
                json!({ "heading": heading, "unit": unit, "line": line, "dots": dots, "over": over })
            })
            .collect();
        json!({ "figures": figures })
    }

    fn health(&self) -> Value {
        json!({
            "disk_free_bytes": DiskFs.free_bytes(&self.dir).ok().map(|free| free / ROOM * ROOM),
            "memory_mb": self.table.last("time/rss_mb"),
            "night": self.night,
        })
    }
}

/// How often each thing happened, and the newest events, newest first.
fn night(dir: &Path) -> Value {
    let mut all = events::read(&DiskFs, dir);
    let mut counts = BTreeMap::<String, u64>::new();
    for event in &all {
        let kind = json!(event.event);
        *counts.entry(kind.as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    all.reverse();
    all.truncate(EVENTS);
    json!({ "counts": counts, "events": all })
}

/// A JSON file; `Null` where it is none.
fn object(path: &Path) -> Value {
    std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// (steps, value) where a value was measured and is finite.
fn measured(table: &Table, name: &str) -> Vec<(u64, f64)> {
    let values = table.column(name).unwrap_or_default();
    let both = table.env_steps.iter().zip(values);
    both.filter_map(|(steps, value)| Some((*steps, (*value)?))).filter(|(_, value)| value.is_finite()).collect()
}

/// Each point from the `over`-th on as the mean of the last `over` ones; all of them where there are fewer.
fn means(points: &[(u64, f64)], over: usize) -> Vec<(u64, f64)> {
    let over = over.min(points.len()).max(1);
    let mean = |window: &[(u64, f64)]| {
        let sum: f64 = window.iter().map(|(_, value)| value).sum();
        (window[over - 1].0, sum / over as f64)
    };
    points.windows(over).map(mean).collect()
}

/// At most [`POINTS`] of them, evenly, the last one among them.
fn thinned(points: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    let every = points.len().div_ceil(POINTS).max(1);
    let last = points.len().saturating_sub(1) % every;
    points.into_iter().enumerate().filter(|(i, _)| i % every == last).map(|(_, point)| point).collect()
}

/// Seconds to `total` steps at the pace of the last epochs.
fn left_s(table: &Table, total: u64) -> Option<f64> {
    let walls = measured(table, "time/wall_s");
    let [(from, began), .., (to, ended)] = walls[walls.len().saturating_sub(EPOCHS_AVERAGED + 1)..] else {
        return None;
    };
    let left = total.checked_sub(to).filter(|left| *left > 0)?;
    Some((ended - began) / to.checked_sub(from).filter(|steps| *steps > 0)? as f64 * left as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Vec<(u64, f64)> {
        (1..).zip(values).map(|(i, v)| (i * 10, *v)).collect()
    }

    #[test]
    fn a_line_is_the_mean_over_a_turn_and_keeps_its_end() {
        let four = points(&[1.0, 3.0, 8.0, 1.0]);
        assert_eq!(means(&four, 2), [(20, 2.0), (30, 5.5), (40, 4.5)]);
        assert_eq!(means(&four, 1), four);
        assert_eq!(means(&four, 9), [(40, 3.25)], "fewer than a turn");
        assert_eq!(means(&[], 5), []);
        for n in [0, 1, POINTS - 1, POINTS, POINTS + 1, 2 * POINTS, 7 * POINTS + 3] {
            let all = points(&vec![0.5; n]);
            let some = thinned(all.clone());
            assert!(some.len() <= POINTS && some.len() >= n.min(POINTS / 2) && some.last() == all.last(), "{n}");
        }
    }

    #[test]
    fn the_time_left_is_that_of_the_last_epochs() {
        let table = |walls: &[f64]| Table {
            env_steps: (1..=walls.len() as u64).map(|i| i * 100).collect(),
            columns: vec![("time/wall_s".into(), walls.iter().map(|w| Some(*w)).collect())],
        };
        assert_eq!([left_s(&table(&[]), 900), left_s(&table(&[5.0]), 900)], [None; 2]);
        assert_eq!(left_s(&table(&[5.0, 15.0]), 900), Some(70.0));
        assert_eq!(left_s(&table(&[500.0, 520.0, 530.0, 540.0, 550.0]), 800), Some(30.0));
        assert_eq!(left_s(&table(&[5.0, 15.0]), 200), None, "nothing is left");
    }

    #[test]
    fn what_was_not_measured_or_is_not_finite_is_no_point() {
        let table = Table {
            env_steps: vec![1, 2, 3, 4],
            columns: vec![("a".into(), vec![Some(1.0), None, Some(f64::NAN), Some(4.0)])],
        };
        assert_eq!(measured(&table, "a"), [(1, 1.0), (4, 4.0)]);
        assert_eq!(measured(&table, "b"), []);
    }

    #[test]
    fn a_directory_without_a_run_is_told_as_such() {
        let dir = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(dir.path().to_owned());
        let parts = watch.look(Duration::ZERO);
        assert_eq!(parts.keys().copied().collect::<Vec<_>>(), ["curves", "episodes", "health", "run"]);
        let run: Value = serde_json::from_str(&parts["run"]).unwrap();
        assert_eq!((&run["state"], &run["asked"], &run["env_steps"]), (&Value::Null, &json!("run"), &json!(0)));
        assert!(!watch.over() && watch.picture("0123456789abcdef", "goal").is_none());
        std::fs::write(dir.path().join("STATUS.json"), "{\"state\":\"failed\"}").unwrap();
        assert!(watch.over());
    }
}
