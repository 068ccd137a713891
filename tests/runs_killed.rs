//! Signals and kills at arbitrary moments, and a second process on a live run.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use skewfit::config::{Config, overrides};
use skewfit::keep::summary::Summary;
use skewfit::run::progress::{Progress, Tick};

use common::{
    Learned, checkpoints, copy, explore, explore_aside, files, json, lines, metrics, night, refused, resume, skewfit,
    stderr, until,
};

/// Starts a run, waits until there is a checkpoint and `episodes` are committed, then waits `millis` more.
fn live(dir: &Path, settings: &[&str], episodes: usize, millis: u64) -> common::Live {
    let live = explore_aside(dir, settings);
    until("episodes are committed", || {
        dir.join("checkpoints/last").exists() && lines(&dir.join("episodes.jsonl")) >= episodes
    });
    std::thread::sleep(Duration::from_millis(millis));
    live
}

#[test]
fn a_run_ended_by_a_signal_is_resumed_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let told = explore(&whole, &[]);
    let one = Learned::of(&whole, &told);
    for (episodes, millis) in [(0, 0), (2, 3), (4, 0), (6, 4), (9, 11), (13, 2), (17, 7)] {
        let when = format!("{episodes} episodes and {millis} ms");
        let run = dir.path().join(&when);
        let live = live(&run, &[], episodes, millis);
        live.term();
        let stopped = json(&live.end());
        let state = if night(&run).last().unwrap() == "done" { "\"done\"" } else { "\"paused\"" };
        assert!(fs::read_to_string(run.join("STATUS.json")).unwrap().contains(state), "{when}");
        let last = fs::read_to_string(run.join("checkpoints/last")).unwrap();
        assert_eq!(last.trim(), format!("{:08}", stopped["updates"].as_u64().unwrap()), "{when}");
        for file in ["REPORT.md", "summary.json"] {
            assert!(run.join(file).exists(), "{when}: {file}");
        }
        let told = resume(&run);
        Learned::of(&run, &told).same(&one, &when);
    }
}

#[test]
fn a_killed_run_is_resumed_exactly_from_its_last_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let settings = ["run.checkpoint_every_epochs=1"];
    let told = explore(&whole, &settings);
    let one = Learned::of(&whole, &told);
    for (episodes, millis) in [(0, 0), (3, 1), (7, 0), (9, 5), (12, 13), (15, 3), (19, 9), (20, 40)] {
        let when = format!("{episodes} episodes and {millis} ms");
        let run = dir.path().join(&when);
        live(&run, &settings, episodes, millis).kill();
        let told = resume(&run);
        Learned::of(&run, &told).same(&one, &when);
        let left: Vec<_> = files(&run).into_keys().filter(|f| f.to_str().unwrap().contains(".tmp")).collect();
        assert!(left.is_empty(), "{when}: {left:?}");
    }
}

/// A signal affects the whole process, so tests that send one to themselves hold this lock.
static ALONE: Mutex<()> = Mutex::new(());

/// Stops its own process at the n-th tick of a phase: (phase, n).
struct StopsItself(&'static str, usize);

impl Progress for StopsItself {
    fn tick(&mut self, tick: &Tick<'_>) {
        if tick.phase == self.0 {
            self.1 = self.1.wrapping_sub(1);
            if self.1 == 0 {
                signal_hook::low_level::raise(signal_hook::consts::SIGTERM).unwrap();
            }
        }
    }
}

/// A run of `corridor-tiny` in this process that stops itself.
fn stops(run: &Path, settings: &[&str], mut when: StopsItself) -> Summary {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let settings = settings.iter().chain(&["run.threads=1"]).map(|text| overrides::parse(text).unwrap());
    let config = Config::resolve("corridor-tiny", settings.collect()).unwrap();
    skewfit::run::explore::start(config, run, &[], &mut when).unwrap()
}

/// The results of a half-done VAE phase are dropped, and the phase is repeated.
#[test]
fn a_vae_phase_that_is_interrupted_is_repeated_whole() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let settings = ["run.steps=500", "latent.phases=[{ every = 1, updates = 100 }]"];
    let one = Learned::of(&whole, &explore(&whole, &settings));
    // Seven ticks a phase, three phases, skewing before the last; the last checkpoint has all updates.
    for tick in [2, 9, 14, 15, 20] {
        let run = dir.path().join(tick.to_string());
        let stopped = stops(&run, &settings, StopsItself("fitting the VAE", tick));
        assert_eq!(stopped.updates, 50 * (tick as u64).div_ceil(7), "not stopped in its phase");
        assert!(fs::read_to_string(run.join("STATUS.json")).unwrap().contains("\"paused\""), "tick {tick}");
        Learned::of(&run, &resume(&run)).same(&one, &format!("tick {tick}"));
    }
}

/// A run is stopped during agent updates, resumed, and killed between the epoch's row and the next checkpoint.
#[test]
fn a_row_written_after_the_checkpoint_is_not_written_twice() {
    let dir = tempfile::tempdir().unwrap();
    let [run, whole, lost] = ["run", "whole", "lost"].map(|name| dir.path().join(name));
    let settings = ["run.updates_per_epoch=100", "run.steps=400", "run.checkpoint_every_epochs=100"];
    let told = explore(&whole, &settings);
    let stopped = stops(&run, &settings, StopsItself("updating the agent", 3));
    assert_eq!((stopped.env_steps, stopped.updates), (300, 33), "not stopped while updating the agent");
    assert_eq!(lines(&run.join("metrics.csv")), 1, "the epoch is not over");
    let middle = dir.path().join("middle");
    copy(&run.join("checkpoints"), &middle);
    copy(&run, &lost);
    resume(&run);
    fs::remove_file(run.join("summary.json")).unwrap();
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    copy(&middle, &run.join("checkpoints"));
    let again = resume(&run);
    assert_eq!(metrics(&run)["env_steps"], ["300", "400"]);
    Learned::of(&run, &again).same(&Learned::of(&whole, &told), "killed twice");

    // Without an episode there is nothing to update on.
    fs::remove_dir_all(lost.join("episodes")).unwrap();
    refused(&skewfit("resume", &lost, &[]), 3, &["no sound episode"]);
    assert!(fs::read_to_string(lost.join("STATUS.json")).unwrap().contains("\"failed\""));
}

#[test]
fn a_live_run_can_be_read_but_not_written_by_another() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let live = live(&run, &["run.steps=1000000"], 10, 0);
    until("two checkpoints", || checkpoints(&run).len() >= 2);
    refused(&skewfit("resume", &run, &[]), 75, &["another process"]);
    refused(&skewfit("resume", &run, &["--steps", "2000000"]), 75, &["another process"]);
    let again = common::explore_args(&run, &[]);
    let again = common::command(&again.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    refused(&again, 2, &["not empty"]);
    let inspected = json(&skewfit("inspect", &run, &["--json", "--verify"]));
    assert_eq!(inspected["damaged"], serde_json::json!([]));
    assert!(inspected["episodes"].as_u64() >= Some(10) && inspected["checkpoint"]["update"].as_u64() >= Some(100));
    assert!(json(&skewfit("evaluate", &run, &["--json"]))["checkpoint"].as_u64() >= Some(100));
    let plotted = skewfit("plot", &run, &[]);
    assert!(plotted.status.success(), "{}", stderr(&plotted));
    live.term();
    assert!(json(&live.end())["env_steps"].as_u64() < Some(1_000_000));
}

/// Readers of a run that continually replaces its only checkpoint.
#[test]
fn a_checkpoint_that_is_replaced_while_it_is_read_is_not_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let often = ["run.steps=1000000", "run.epoch_steps=50", "run.checkpoint_every_epochs=1", "run.keep_checkpoints=1"];
    let little =
        ["run.updates_per_epoch=1", "latent.phases=[{ every = 1, updates = 0 }]", "evaluate.every_epochs=1000"];
    let live = live(&run, &[often.as_slice(), &little].concat(), 5, 0);
    until("a checkpoint", || !checkpoints(&run).is_empty());
    for _ in 0..30 {
        json(&skewfit("inspect", &run, &["--json", "--verify"]));
    }
    live.kill();
}
