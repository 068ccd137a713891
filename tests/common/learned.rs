//! The files of a run, and the parts that two equal runs share.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Every file below `dir` with its bytes.
pub fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            all.extend(files(&entry.path()).into_iter().map(|(name, b)| (Path::new(&entry.file_name()).join(name), b)));
        } else {
            all.insert(entry.file_name().into(), fs::read(entry.path()).unwrap());
        }
    }
    all
}

/// `metrics.csv` by column.
pub fn metrics(dir: &Path) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(dir.join("metrics.csv")).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split(',').collect()).collect();
    let column = |i: usize| rows[1..].iter().map(|row| row[i].to_owned()).collect();
    (0..rows[0].len()).map(|i| (rows[0][i].to_owned(), column(i))).collect()
}

/// The parts that two equal runs share: parameters, journal, shards, metrics without times.
#[derive(PartialEq)]
pub struct Learned {
    pub hash: String,
    pub journal: String,
    pub shards: BTreeMap<PathBuf, Vec<u8>>,
    pub metrics: BTreeMap<String, Vec<String>>,
}

impl Learned {
    /// Of the run in `dir`, which printed `told` at its end.
    pub fn of(dir: &Path, told: &Value) -> Self {
        let mut metrics = metrics(dir);
        metrics.retain(|name, _| !name.starts_with("time/"));
        Self {
            hash: told["params_blake3"].as_str().unwrap().to_owned(),
            journal: fs::read_to_string(dir.join("episodes.jsonl")).unwrap(),
            shards: files(&dir.join("episodes")),
            metrics,
        }
    }

    /// Asserts that every part is equal; `when` names the case in the message.
    pub fn same(&self, other: &Self, when: &str) {
        for (name, column) in &self.metrics {
            assert_eq!(Some(column), other.metrics.get(name), "{when}: {name}");
        }
        let (a, b) = (self.journal.lines(), other.journal.lines());
        assert_eq!(a.zip(b).position(|(a, b)| a != b), None, "{when}: journal");
        let (a, b) = (self.shards.keys(), other.shards.keys());
        assert!(a.eq(b) && self.journal.len() == other.journal.len(), "{when}: shards");
        for (name, bytes) in &self.shards {
            assert!(other.shards[name] == *bytes, "{when}: {}", name.display());
        }
        assert_eq!(self.hash, other.hash, "{when}");
    }
}
