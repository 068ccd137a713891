//! Reads a run's directory into the four parts of its page, as JSON: `run`, `curves`, `episodes`, `health`. Unchanged files
//! are not read again. Only the work for `metrics.csv` and the events grows with the run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use super::is_read_only;
use super::lines::{left_s, means, measured, thinned};
use super::pictures::Gallery;
use crate::config::Config;
use crate::keep::provenance::utc;
use crate::keep::store::fs::{DiskFs, Fs, from_json};
use crate::keep::supervise::status::RunPhase;
use crate::keep::supervise::{control, events};
use crate::show::metrics::{self, MetricsTable, find};
use crate::show::report::metric_label;

/// Newest events that are shown.
const EVENTS: usize = 30;
/// Free disk space is rounded to this many bytes, since it changes all the time.
const ROOM: u64 = 10_000_000;
/// Name of a part -> its JSON.
pub type PageParts = BTreeMap<&'static str, Arc<str>>;

/// Columns whose curves follow those of coverage and of the leading metric.
const LEARNING: [&str; 3] = ["eval/success_rate", "train/critic_loss", "vae/loss"];

/// Reads one run's directory.
pub struct Watch {
    dir: PathBuf,
    looked: Option<Instant>,
    parts: PageParts,
    /// Stamp of each file when it was last read.
    stamps: BTreeMap<&'static str, FileStamp>,
    config: Option<Config>,
    table: MetricsTable,
    status: Value,
    wall_s: Option<f64>,
    night: Value,
    gallery: Gallery,
}

/// Modification time and length of a file; `None` if it does not exist.
type FileStamp = Option<(SystemTime, u64)>;

impl Watch {
    /// For the run in `dir`; nothing is read yet.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            looked: None,
            parts: PageParts::new(),
            stamps: BTreeMap::new(),
            config: None,
            table: MetricsTable::default(),
            status: Value::Null,
            wall_s: None,
            night: json!({}),
            gallery: Gallery::default(),
        }
    }

    /// The parts, at most `age` old.
    pub fn look(&mut self, age: Duration) -> PageParts {
        if self.looked.is_none_or(|looked| looked.elapsed() > age) {
            self.read();
            self.looked = Some(Instant::now());
            let parts = [
                ("run", self.run()),
                ("curves", self.curves()),
                ("episodes", self.gallery.to_json()),
                ("health", self.health()),
            ];
            self.parts = parts.into_iter().map(|(name, part)| (name, part.to_string().into())).collect();
        }
        self.parts.clone()
    }

    /// A picture of one of the newest episodes, as PNG.
    pub fn picture(&self, episode: &str, which: &str) -> Option<Vec<u8>> {
        self.gallery.picture(episode, which)
    }

    /// True if the run has ended: requests have no effect then.
    pub fn over(&mut self) -> bool {
        self.look(Duration::ZERO);
        serde_json::from_value(self.status["state"].clone()).is_ok_and(RunPhase::is_over)
    }

    fn read(&mut self) {
        let files = ["config.toml", "STATUS.json", "metrics.csv", "summary.json", "episodes.jsonl", events::FILE];
        let new: BTreeSet<&str> = files.into_iter().filter(|name| self.is_new(name)).collect();
        let path = |name: &str| self.dir.join(name);
        if new.contains("config.toml") {
            self.config = Config::of_run(&self.dir, Vec::new()).ok();
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
            self.gallery.read_new_episodes(&self.dir);
        }
    }

    /// True if a file changed since it was last read.
    fn is_new(&mut self, name: &'static str) -> bool {
        let facts = self.dir.join(name).metadata().ok();
        let stamp = facts.and_then(|facts| Some((facts.modified().ok()?, facts.len())));
        self.stamps.insert(name, stamp) != Some(stamp)
    }

    fn run(&self) -> Value {
        let run = self.config.as_ref().map(|cfg| &cfg.run);
        let steps_total = run.map(|run| run.warmup_steps + run.epochs() * run.epoch_steps);
        let (steps, episodes) = self.gallery.newest().unwrap_or_default();
        let written = self.status["env_steps"].as_u64().unwrap_or_default();
        json!({
            "name": self.config.as_ref().map(|cfg| &cfg.name),
            "seed": self.config.as_ref().map(|cfg| cfg.seed),
            "dir": self.dir.display().to_string(),
            "state": self.status["state"].as_str(),
            "updated_at": self.status["updated_at"].as_str(),
            "now": utc(SystemTime::now()),
            "read_only": is_read_only(&self.dir),
            "asked": control::read_request(&DiskFs, &self.dir).word(),
            "env_steps": steps.max(written),
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
            let words = metric_label(name);
            let (heading, unit) = words.trim_end_matches(')').split_once(" (").unwrap_or((&words, "scene's units"));
            (name, heading.to_owned(), unit.to_owned())
        });
        let own = |name| find(name).map(|column| (column.name, column.heading.to_owned(), column.unit.to_owned()));
        let coverage = metrics::coverage([&self.table]);
        let coverage = &coverage[coverage.len().saturating_sub(2)..]; // against uniform visits, where that is measured
        let all = coverage.iter().copied().filter_map(own).chain(error).chain(LEARNING.into_iter().filter_map(own));
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

/// The number of events of each kind, and the newest events, newest first.
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

/// A JSON file; `Null` if it is missing or invalid.
fn object(path: &Path) -> Value {
    std::fs::read(path).ok().and_then(|bytes| from_json(&bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_a_run_gives_empty_parts() {
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
