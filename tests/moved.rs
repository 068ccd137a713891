//! The directory of a live run is moved, removed, or replaced by another run: the live run ends with a sentence, writes
//! nothing more there, and can be resumed at its new place.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Live, chaotic, explore, json, night, refused, resume, skewfit, until};
use serde_json::Value;

/// A live run of many steps, after its first checkpoint.
fn live(run: &Path) -> Live {
    let live = Live::start(chaotic(run, "", &["run.steps=200000"]));
    until("it runs", || run.join("checkpoints/last").exists());
    live
}

fn status(run: &Path) -> Value {
    serde_json::from_slice(&fs::read(run.join("STATUS.json")).unwrap()).unwrap()
}

/// Asserts that the run soon ends by itself, with this exit code and these words.
fn ends(mut live: Live, code: i32, words: &[&str]) {
    let begun = Instant::now();
    until("it ends", || live.over());
    assert!(begun.elapsed() < Duration::from_secs(20), "it took {:?}", begun.elapsed());
    refused(&live.end(), code, words);
}

/// Asserts what a run that was moved to `now` reports about its end, and that it can be resumed there.
fn is_whole(now: &Path, why: &str) {
    let told = status(now);
    assert!(told["state"] == "failed" && told["why"].as_str().unwrap().contains(why), "{told}");
    assert_eq!(night(now).last().unwrap(), "failed");
    json(&skewfit("inspect", now, &["--verify", "--json"]));
    let steps = (told["env_steps"].as_u64().unwrap() + 200).to_string();
    let more = json(&skewfit("resume", now, &["--json", "--steps", &steps]));
    assert!(more["env_steps"].as_u64() >= told["env_steps"].as_u64(), "{more}");
    assert_eq!(status(now)["state"], "done");
}

#[test]
fn a_moved_run_ends_and_is_resumed_at_its_new_place() {
    let dir = tempfile::tempdir().unwrap();
    let [run, moved] = ["run", "moved"].map(|name| dir.path().join(name));
    let first = live(&run);
    fs::rename(&run, &moved).unwrap();
    ends(first, 6, &[run.to_str().unwrap(), "is gone or was moved to", moved.to_str().unwrap()]);
    assert!(!run.exists());
    is_whole(&moved, "is gone or was moved");
}

#[test]
fn a_removed_run_ends() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let first = live(&run);
    while run.exists() {
        let _ = fs::remove_dir_all(&run); // the run may write at the same time
    }
    ends(first, 6, &[run.to_str().unwrap(), "is gone or was moved"]);
    assert!(!run.exists());
}

/// Another run begins in the place of a live run: the other run is undisturbed, the live one ends.
#[test]
fn a_run_that_replaced_a_live_one_is_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let [run, moved, twin] = ["run", "moved", "twin"].map(|name| dir.path().join(name));
    let first = live(&run);
    let signal = |name: &str| Command::new("sh").args(["-c", &format!("kill -{name} {}", first.id())]).status();
    signal("STOP").unwrap();
    fs::rename(&run, &moved).unwrap();
    let second = explore(&run, &["run.steps=800", "seed=2"]);
    signal("CONT").unwrap();
    ends(first, 75, &[run.to_str().unwrap(), "is another run's now", moved.to_str().unwrap()]);
    json(&skewfit("inspect", &run, &["--verify", "--json"]));
    assert_eq!(second["params_blake3"], explore(&twin, &["run.steps=800", "seed=2"])["params_blake3"]);
    assert_eq!((status(&run)["state"].as_str(), night(&run).join(" ")), (Some("done"), "began done".into()));
    is_whole(&moved, "is another run's now");
    assert_eq!(resume(&run)["params_blake3"], second["params_blake3"], "it is left alone");
}

/// The usual case: the second run begins while the first continues.
#[test]
fn two_runs_never_share_a_directory() {
    let dir = tempfile::tempdir().unwrap();
    let [run, moved, twin] = ["run", "moved", "twin"].map(|name| dir.path().join(name));
    let mut first = live(&run);
    fs::rename(&run, &moved).unwrap();
    let second = explore(&run, &["run.steps=2000", "seed=2"]);
    until("the first ends", || first.over());
    assert!([Some(6), Some(75)].contains(&first.end().status.code()));
    json(&skewfit("inspect", &run, &["--verify", "--json"]));
    assert_eq!(second["params_blake3"], explore(&twin, &["run.steps=2000", "seed=2"])["params_blake3"]);
}

/// A run that is paused or waits for disk space notices it too; so does a supervisor.
#[test]
fn a_waiting_or_supervised_run_ends_too() {
    let dir = tempfile::tempdir().unwrap();
    let paused = dir.path().join("paused");
    let one = live(&paused);
    fs::write(paused.join("control"), "pause").unwrap();
    until("it pauses", || status(&paused)["state"] == "paused");
    fs::rename(&paused, dir.path().join("paused-moved")).unwrap();
    ends(one, 6, &["is gone or was moved"]);
    assert_eq!(status(&dir.path().join("paused-moved"))["state"], "failed");

    let full = dir.path().join("full");
    let two = Live::start(chaotic(&full, "full@disk:90+1000000", &["run.steps=200000", "night.poll_s=600"]));
    until("it waits", || {
        night(&full).last().is_some_and(|event| event == "paused") || {
            fs::read_to_string(full.join("run.log")).unwrap_or_default().contains("Paused")
        }
    });
    fs::rename(&full, dir.path().join("full-moved")).unwrap();
    ends(two, 6, &["is gone or was moved"]);
    assert_eq!(status(&dir.path().join("full-moved"))["state"], "failed");

    let run = dir.path().join("supervised");
    let mut command = chaotic(&run, "", &["run.steps=200000"]);
    let three = Live::start({
        command.arg("--supervised").stdin(Stdio::null());
        command
    });
    until("it runs", || run.join("checkpoints/last").exists());
    fs::rename(&run, dir.path().join("supervised-moved")).unwrap();
    ends(three, 6, &["is gone or was moved"]);
    assert!(!run.exists());
}
