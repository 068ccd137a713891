//! Killed runs: a kill at any time and at any change of the disk loses nothing that was acknowledged, and the resumed
//! run ends in the same bytes as an undisturbed one.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Learned, chaotic, files, json, last_fatal, record, resume, skewfit, stderr, trials, undisturbed, until};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The uninterrupted run, how long it takes, and how many changes of the disk it makes.
struct Whole {
    learned: Learned,
    took: Duration,
    changes: u64,
}

fn whole(dir: &Path) -> Whole {
    let begun = Instant::now();
    let learned = undisturbed(dir);
    Whole { learned, took: begun.elapsed(), changes: last_fatal(dir, "kill@disk") }
}

/// Episodes that the program reported as committed, with their hashes.
fn acknowledged(run: &Path) -> Vec<(String, String)> {
    let log = fs::read_to_string(run.join("run.log")).unwrap_or_default();
    let told = log.lines().filter_map(|l| l.split_once(" committed episodes/"));
    told.map(|(_, rest)| rest.split_once(' ').unwrap()).map(|(file, hash)| (file.into(), hash.into())).collect()
}

/// Asserts what must be true of a killed run, before and after it is resumed.
fn survives(run: &Path, one: &Learned, when: &str) {
    if !run.join("run.json").exists() {
        let again = chaotic(run, "", &[]).output().unwrap();
        return Learned::of(run, &json(&again)).same(one, when); // not yet a run: it begins again in the same place
    }
    let told = acknowledged(run);
    let journal = fs::read_to_string(run.join("episodes.jsonl")).unwrap();
    for (file, hash) in &told {
        assert!(journal.contains(&format!("episodes/{file}")) && journal.contains(hash), "{when}: {file} is lost");
        assert_eq!(blake3::hash(&fs::read(run.join("episodes").join(file)).unwrap()).to_string(), *hash, "{when}");
    }
    let verified = skewfit("inspect", run, &["--verify", "--json"]);
    let damaged = &json(&verified)["damaged"];
    assert_eq!(*damaged, serde_json::json!([]), "{when}");
    let again = resume(run);
    Learned::of(run, &again).same(one, when);
    let left: Vec<_> = files(run).into_keys().filter(|f| f.to_str().unwrap().contains(".tmp")).collect();
    assert!(left.is_empty(), "{when}: {left:?}");
}

#[test]
fn g1_a_run_killed_at_any_time_ends_in_the_same_bytes() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let whole = whole(dir.path());
    let (at_times, at_changes) = (trials(12) * 4 / 5, trials(12) / 5 + 3);
    let mut draws = ChaCha8Rng::seed_from_u64(1);
    let mut cut_short = 0;
    for trial in 0..at_times {
        // Log-uniform from 1 ms to the length of the run.
        let (low, high) = (1e-3f64.ln(), whole.took.as_secs_f64().ln());
        let after = Duration::from_secs_f64(draws.random_range(low..high).exp());
        let run = dir.path().join(format!("{trial}"));
        let mut child = chaotic(&run, "", &[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        cut_short += u64::from(!child.wait().unwrap().success());
        survives(&run, &whole.learned, &format!("killed after {after:?}"));
        fs::remove_dir_all(&run).unwrap();
    }
    assert!(cut_short * 2 > at_times, "most runs were over before they were killed");
    for trial in 0..at_changes {
        let (change, how) = (draws.random_range(1..=whole.changes), ["kill", "tear"][trial as usize % 2]);
        let (run, fault) = (dir.path().join(format!("at-{trial}")), format!("{how}@disk:{change}"));
        let killed = chaotic(&run, &fault, &[]).output().unwrap();
        assert!(!killed.status.success(), "{fault}: {}", stderr(&killed));
        if run.exists() {
            survives(&run, &whole.learned, &fault);
            fs::remove_dir_all(&run).unwrap();
        }
    }
    let what = format!("{at_times} kills at log-uniform times, {at_changes} at or within changes of the disk");
    record(
        ("G1", 1),
        &format!("{what}; acknowledged episodes kept, no unreadable file, equal parameter hash"),
        at_times + at_changes,
        begun,
    );
}

#[test]
fn g4_a_run_resumed_from_any_update_ends_in_the_same_bytes() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let seeds = trials(2);
    let mut draws = ChaCha8Rng::seed_from_u64(4);
    for seed in 0..seeds {
        let setting = format!("seed={seed}");
        // Every second trial also has non-finite numbers, which lead back to a checkpoint.
        let faults = ["", "nan-policy@update:250,nan-reward@update:120+6"][seed as usize % 2];
        let [one, two, part] = ["one", "two", "part"].map(|name| dir.path().join(format!("{name}{seed}")));
        let told = json(&chaotic(&one, faults, &[&setting]).output().unwrap());
        let learned = Learned::of(&one, &told);
        let again = json(&chaotic(&two, faults, &[&setting]).output().unwrap());
        Learned::of(&two, &again).same(&learned, "twice");
        // A stop at a random moment, which saves a checkpoint there.
        let child = chaotic(&part, faults, &[&setting]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        until("it has begun", || part.join("STATUS.json").exists());
        std::thread::sleep(Duration::from_millis(draws.random_range(0..800)));
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        let stopped = json(&child.wait_with_output().unwrap());
        let resumed =
            common::command(&["resume", part.to_str().unwrap(), "--json"]).env("SKEWFIT_CHAOS", faults).output();
        let again = json(&resumed.unwrap());
        Learned::of(&part, &again).same(&learned, &format!("{seed}: stopped at update {}", stopped["updates"]));
    }
    record(
        ("G4", 4),
        "stopped at a random update, resumed: equal hash, shards, metrics; two fresh runs equal",
        seeds,
        begun,
    );
}
