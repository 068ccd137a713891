//! How a run was made, by its `provenance.json`: command, commit, machine.

use std::path::Path;

use serde_json::Value;

use crate::keep::store::fs::from_json;

/// In words; `unknown` where nothing tells.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Made {
    /// `skewfit explore ...`, without where to.
    pub(super) command: String,
    pub(super) commit: String,
    pub(super) machine: String,
    pub(super) started_at: String,
    /// Times it was taken up again.
    pub(super) resumed: usize,
}

impl Made {
    /// Of the run in `dir`.
    pub(super) fn of(dir: &Path) -> Self {
        let bytes = std::fs::read(dir.join("provenance.json")).unwrap_or_default();
        let made: Value = from_json(&bytes).unwrap_or(Value::Null);
        let words =
            |key: &str| made[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        let text = |key: &str| made[key].as_str().unwrap_or("unknown").to_owned();
        let commit: String = text("git_commit").chars().take(12).collect();
        let dirty = if made["git_dirty"].as_bool() == Some(true) { ", with local changes" } else { "" };
        let threads = made["threads"].as_u64().map_or("unknown".to_owned(), |n| n.to_string());
        Self {
            command: format!("skewfit {}", repeatable(words("command").get(1..).unwrap_or_default())),
            commit: commit + dirty,
            machine: format!("{} ({}), {threads} threads", text("cpu"), words("cpu_features").join(", ")),
            started_at: text("started_at"),
            resumed: made["resumed"].as_array().map_or(0, Vec::len),
        }
    }
}

/// A command without `--out DIR`, which names a place and changes nothing.
fn repeatable(words: &[&str]) -> String {
    let (mut words, mut kept) = (words.iter(), Vec::new());
    while let Some(word) = words.next() {
        match *word {
            "--out" => drop(words.next()),
            place if place.starts_with("--out=") => {}
            word => kept.push(word),
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::repeatable;

    #[test]
    fn a_command_is_told_without_its_directory() {
        for words in [
            &["explore", "door", "--out", "results/door", "--seed", "1"][..],
            &["explore", "door", "--seed", "1", "--out", "x"],
            &["explore", "--out=x", "door", "--seed", "1"],
            &["explore", "door", "--seed", "1"],
        ] {
            assert_eq!(repeatable(words), "explore door --seed 1");
        }
    }
}
