//! Command, commit and machine of a run, from its `provenance.json`.

use std::path::Path;

use serde_json::Value;

use crate::keep::store::fs::from_json;

/// Provenance as text; `unknown` where the file lacks an entry.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ProvenanceSummary {
    /// `skewfit explore ...`, without `--out`.
    pub(super) command: String,
    pub(super) commit: String,
    pub(super) machine: String,
    pub(super) started_at: String,
    /// How often the run was resumed.
    pub(super) resumed: usize,
}

impl ProvenanceSummary {
    /// Reads the provenance of the run in `dir`.
    pub(super) fn of(dir: &Path) -> Self {
        let bytes = std::fs::read(dir.join("provenance.json")).unwrap_or_default();
        let provenance: Value = from_json(&bytes).unwrap_or(Value::Null);
        let list =
            |key: &str| provenance[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
        let text = |key: &str| provenance[key].as_str().unwrap_or("unknown").to_owned();
        let commit: String = text("git_commit").chars().take(12).collect();
        let dirty = if provenance["git_dirty"].as_bool() == Some(true) { ", with local changes" } else { "" };
        let threads = provenance["threads"].as_u64().map_or("unknown".to_owned(), |n| n.to_string());
        Self {
            command: format!("skewfit {}", repeatable(list("command").get(1..).unwrap_or_default())),
            commit: commit + dirty,
            machine: format!("{} ({}), {threads} threads", text("cpu"), list("cpu_features").join(", ")),
            started_at: text("started_at"),
            resumed: provenance["resumed"].as_array().map_or(0, Vec::len),
        }
    }
}

/// The arguments without `--out DIR`, which does not affect what is learned.
fn repeatable(args: &[&str]) -> String {
    let (mut args, mut kept) = (args.iter(), Vec::new());
    while let Some(arg) = args.next() {
        match *arg {
            "--out" => drop(args.next()),
            out if out.starts_with("--out=") => {}
            other => kept.push(other),
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::repeatable;

    #[test]
    fn the_output_directory_is_left_out_of_the_command() {
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
