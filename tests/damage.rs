//! Damaged files in a run directory are named, skipped or refused, with the exit codes of the contract.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{checkpoints, copy, explore, files, json, killed_after, lines, metrics, refused, resume, skewfit, stderr};

/// A finished run, and a directory for damaged copies of it.
struct Desk {
    dir: tempfile::TempDir,
    hash: String,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let told = explore(&dir.path().join("whole"), &["run.steps=800"]);
        Self { dir, hash: told["params_blake3"].as_str().unwrap().to_owned() }
    }

    fn whole(&self) -> PathBuf {
        self.dir.path().join("whole")
    }

    /// As if killed at its end, after the first of its three checkpoints: 400 of 800 steps, 100 updates.
    fn killed(&self, name: &str) -> PathBuf {
        let to = self.dir.path().join(name);
        killed_after("00000100", &self.whole(), &to);
        to
    }

    fn copy(&self, name: &str) -> PathBuf {
        let to = self.dir.path().join(name);
        copy(&self.whole(), &to);
        to
    }
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn cut(path: &Path, bytes: usize) {
    let whole = fs::read(path).unwrap();
    fs::write(path, &whole[..bytes.min(whole.len())]).unwrap();
}

#[test]
fn a_damaged_shard_is_named_and_left_out() {
    let desk = Desk::new();
    for (id, gone) in [(1, false), (5, false), (7, true)] {
        let run = desk.killed(&format!("{id}"));
        let shard = format!("episodes/{id:06}.h5");
        if gone {
            fs::remove_file(run.join(&shard)).unwrap()
        } else {
            flip(&run.join(&shard))
        }
        assert_eq!(json(&skewfit("inspect", &run, &["--json"]))["damaged"], serde_json::json!([]));
        let verified = skewfit("inspect", &run, &["--verify"]);
        refused(&verified, 3, &["damaged"]);
        assert!(String::from_utf8(verified.stdout).unwrap().contains(&shard));
        assert!(skewfit("plot", &run, &[]).status.success());
        let resumed = skewfit("resume", &run, &["--json"]);
        assert_eq!(json(&resumed)["env_steps"], 800);
        let log = fs::read_to_string(run.join("run.log")).unwrap();
        for told in [&log, &stderr(&resumed)] {
            assert_eq!(told.lines().filter(|l| l.contains("ERROR") && l.contains(&shard)).count(), 1, "{told}");
        }
        // The shard is still named. A run without it is a different run.
        refused(&skewfit("inspect", &run, &["--verify"]), 3, &["damaged"]);
        assert_ne!(json(&resumed)["params_blake3"], desk.hash.as_str());
        assert_eq!(metrics(&run)["env_steps"].len(), 6);
    }
}

#[test]
fn a_damaged_shard_that_is_collected_again_leaves_no_trace() {
    let desk = Desk::new();
    let run = desk.killed("later");
    flip(&run.join("episodes/000012.h5"));
    assert_eq!(resume(&run)["params_blake3"], desk.hash.as_str());
    json(&skewfit("inspect", &run, &["--verify", "--json"]));
}

#[test]
fn damaged_checkpoints_are_skipped_and_without_any_a_resume_is_refused() {
    let desk = Desk::new();
    let run = desk.copy("run");
    fs::remove_file(run.join("summary.json")).unwrap();
    assert_eq!(checkpoints(&run), ["00000100", "00000200", "00000300"]);
    flip(&run.join("checkpoints/00000300/optimizer.safetensors"));
    let resumed = skewfit("resume", &run, &["--json"]);
    assert_eq!(json(&resumed)["params_blake3"], desk.hash.as_str());
    assert!(stderr(&resumed).contains("checkpoints/00000300/optimizer.safetensors"), "{}", stderr(&resumed));
    json(&skewfit("inspect", &run, &["--verify", "--json"])); // it was saved again

    let run = desk.copy("none");
    fs::remove_file(run.join("summary.json")).unwrap();
    for (name, file) in checkpoints(&run).iter().zip(["params.safetensors", "state.json", "MANIFEST.json"]) {
        flip(&run.join("checkpoints").join(name).join(file));
    }
    let before = files(&run);
    refused(&skewfit("resume", &run, &[]), 3, &["none of 3 checkpoints is sound"]);
    refused(&skewfit("evaluate", &run, &[]), 3, &["none of 3 checkpoints is sound"]);
    refused(&skewfit("inspect", &run, &["--verify"]), 3, &["3 damaged"]);
    assert!(files(&run) == before);
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    refused(&skewfit("resume", &run, &[]), 3, &["all checkpoints are gone"]);
    refused(&skewfit("evaluate", &run, &[]), 2, &["no checkpoint"]);
}

#[test]
fn torn_last_lines_of_journal_and_table_are_accepted() {
    let desk = Desk::new();
    let run = desk.killed("torn");
    let (journal, table) = (run.join("episodes.jsonl"), run.join("metrics.csv"));
    for file in [&journal, &table] {
        let bytes = fs::read(file).unwrap();
        cut(file, bytes.len() - 20);
    }
    assert_eq!(json(&skewfit("inspect", &run, &["--json"]))["episodes"], 15);
    assert!(skewfit("plot", &run, &[]).status.success());
    assert_eq!(resume(&run)["params_blake3"], desk.hash.as_str());
    assert_eq!((lines(&journal), lines(&table)), (16, 7));
    assert!(fs::read(&journal).unwrap() == fs::read(desk.whole().join("episodes.jsonl")).unwrap());
}

#[test]
fn lost_rows_are_reported_and_a_damaged_table_is_refused_before_any_change() {
    let desk = Desk::new();
    let run = desk.killed("rows");
    let table = run.join("metrics.csv");
    cut(&table, 1 + fs::read_to_string(&table).unwrap().match_indices('\n').nth(1).unwrap().0); // header and one row
    let resumed = skewfit("resume", &run, &["--json"]);
    assert_eq!(json(&resumed)["params_blake3"], desk.hash.as_str());
    assert!(stderr(&resumed).contains("has only 1 of 2 rows"), "{}", stderr(&resumed));
    assert_eq!(metrics(&run)["env_steps"], ["300", "500", "600", "700", "800"]);

    let run = desk.killed("no table");
    fs::remove_file(run.join("metrics.csv")).unwrap();
    let resumed = skewfit("resume", &run, &["--json"]);
    assert_eq!(json(&resumed)["params_blake3"], desk.hash.as_str());
    assert!(stderr(&resumed).contains("is gone"));

    for (name, bytes, words) in
        [("empty", &b""[..], ["metrics.csv", "line 1"]), ("zeros", &[0; 300], ["metrics.csv", "line 1"])]
    {
        let run = desk.killed(name);
        fs::write(run.join("metrics.csv"), bytes).unwrap();
        let episodes = files(&run.join("episodes"));
        refused(&skewfit("resume", &run, &[]), 3, &words);
        refused(&skewfit("plot", &run, &[]), 3, &words);
        assert!(files(&run.join("episodes")) == episodes);
    }
}

#[test]
fn a_damaged_journal_or_configuration_is_refused_with_a_sentence() {
    let desk = Desk::new();
    let run = desk.killed("journal");
    flip(&run.join("episodes.jsonl"));
    let before = files(&run);
    refused(&skewfit("resume", &run, &[]), 3, &["episodes.jsonl: line", "check does not match"]);
    assert_eq!(json(&skewfit("inspect", &run, &["--json"]))["damaged"].as_array().unwrap().len(), 1);
    assert!(files(&run) == before);

    let run = desk.killed("short journal");
    let text = fs::read_to_string(run.join("episodes.jsonl")).unwrap();
    cut(&run.join("episodes.jsonl"), 1 + text.match_indices('\n').nth(2).unwrap().0);
    refused(&skewfit("resume", &run, &[]), 3, &["has 3 of 8 episodes"]);

    let run = desk.killed("config");
    for (bytes, words) in [(Some(&b"[run"[..]), ["config.toml", "TOML"]), (None, ["config.toml", "cannot be opened"])] {
        match bytes {
            Some(bytes) => fs::write(run.join("config.toml"), bytes).unwrap(),
            None => fs::remove_file(run.join("config.toml")).unwrap(),
        }
        for verb in ["resume", "evaluate"] {
            refused(&skewfit(verb, &run, &[]), 2, &words);
        }
        json(&skewfit("inspect", &run, &["--json"]));
    }
    assert!(!skewfit("plot", &run, &[]).status.success());

    // A network that differs from the saved one, a scene that differs from the explored one.
    for (from, to, code, word) in
        [("hidden = [32, 32]", "hidden = [32, 31]", 3, "policy"), ("\"corridor\"", "\"point2d\"", 2, "corridor")]
    {
        let run = desk.killed(word);
        let text = fs::read_to_string(run.join("config.toml")).unwrap();
        assert!(text.contains(from));
        fs::write(run.join("config.toml"), text.replace(from, to)).unwrap();
        let journal = fs::read(run.join("episodes.jsonl")).unwrap();
        refused(&skewfit("resume", &run, &[]), code, &[word]);
        refused(&skewfit("evaluate", &run, &[]), code, &[word]);
        assert!(fs::read(run.join("episodes.jsonl")).unwrap() == journal, "{word}");
    }
}

#[test]
fn what_is_not_a_run_is_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("letter.txt"), "dear robot").unwrap();
    let before = files(dir.path());
    for verb in ["resume", "evaluate", "inspect", "plot"] {
        for place in [dir.path().to_owned(), dir.path().join("nowhere"), dir.path().join("letter.txt")] {
            refused(&skewfit(verb, &place, &[]), 2, &["is not a run"]);
        }
    }
    let args = common::explore_args(dir.path(), &[]);
    let output = common::command(&args.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    refused(&output, 2, &["not empty"]);
    assert!(files(dir.path()) == before);
    let file = common::explore_args(&dir.path().join("letter.txt"), &[]);
    let output = common::command(&file.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    refused(&output, 2, &["letter.txt"]);
}
