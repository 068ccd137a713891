//! Runs the real binary on runs that take a second, and compares their files.
#![allow(dead_code, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod learned;
mod live;
mod reader;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

#[allow(unused_imports, reason = "each test file uses its part")]
pub use learned::{Learned, files, metrics};
pub use live::Live;
#[allow(unused_imports, reason = "each test file uses its part")]
pub use reader::Reader;
use serde_json::Value;
#[allow(unused_imports, reason = "each test file uses its part")]
pub use skewfit_dev::{record, trials};

pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skewfit"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs a verb on a directory: `skewfit <verb> <dir> <more>`.
pub fn skewfit(verb: &str, dir: &Path, more: &[&str]) -> Output {
    command(&[&[verb, dir.to_str().unwrap()], more].concat()).output().unwrap()
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts exit code 0; returns the JSON object on the last line.
pub fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// Asserts this exit code, all `words` in one sentence on the last line of stderr, and no panic.
pub fn refused(output: &Output, code: i32, words: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    let last = said.lines().last().unwrap_or_default();
    assert!(last.starts_with("skewfit: ") && words.iter().all(|w| last.contains(w)), "{words:?} in: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

/// Arguments of `explore` for a run on one thread in `dir`, with these keys set.
pub fn explore_args(dir: &Path, settings: &[&str]) -> Vec<String> {
    let dir = dir.to_str().unwrap();
    let fixed = ["explore", "corridor-tiny", "--json", "--out", dir, "--set", "run.threads=1"];
    let settings = settings.iter().flat_map(|s| ["--set", s]);
    fixed.into_iter().chain(settings).map(String::from).collect()
}

pub fn explore(dir: &Path, settings: &[&str]) -> Value {
    let args = explore_args(dir, settings);
    json(&command(&args.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap())
}

/// Starts a run in the background.
pub fn explore_aside(dir: &Path, settings: &[&str]) -> Live {
    let args = explore_args(dir, settings);
    Live::start(command(&args.iter().map(String::as_str).collect::<Vec<_>>()))
}

pub fn resume(dir: &Path) -> Value {
    json(&skewfit("resume", dir, &["--json"]))
}

/// [`python_with`] h5py.
pub fn python_with_h5py() -> Option<String> {
    python_with("h5py")
}

/// A Python that has `module`. Without one it writes directly to stderr that the test is skipped.
pub fn python_with(module: &str) -> Option<String> {
    let python = std::env::var("SKEWFIT_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
    let imported = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if imported.is_ok_and(|out| out.status.success()) {
        return Some(python);
    }
    let way = "install it, or name a Python that has it in SKEWFIT_TEST_PYTHON";
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let said = format!("{test} SKIPPED: `{python}` has no {module}; {way}\n");
    std::io::stderr().write_all(said.as_bytes()).unwrap(); // libtest captures the output of `eprintln!`
    None
}

/// Waits until `holds` is true, at most a minute.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: never");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Number of complete lines of a file; 0 if there is no file.
pub fn lines(path: &Path) -> usize {
    fs::read(path).map_or(0, |bytes| bytes.iter().filter(|b| **b == b'\n').count())
}

/// Committed checkpoints, oldest first.
pub fn checkpoints(dir: &Path) -> Vec<String> {
    let names = fs::read_dir(dir.join("checkpoints")).into_iter().flatten().map(|e| e.unwrap().file_name());
    let mut names: Vec<String> = names.map(|n| n.into_string().unwrap()).collect();
    names.retain(|n| n.bytes().all(|b| b.is_ascii_digit()));
    names.sort();
    names
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Copies a run as if it had been killed at its end with `kept` as its newest checkpoint.
pub fn killed_after(kept: &str, run: &Path, to: &Path) {
    copy(run, to);
    fs::remove_file(to.join("summary.json")).unwrap();
    for newer in checkpoints(to).iter().filter(|name| name.as_str() > kept) {
        fs::remove_dir_all(to.join("checkpoints").join(newer)).unwrap();
    }
    fs::write(to.join("checkpoints/last"), format!("{kept}\n")).unwrap();
}

/// Runs `corridor-tiny` in `dir` with these faults (see `src/keep/faults/mod.rs`), a checkpoint every epoch.
pub fn chaotic(dir: &Path, faults: &str, settings: &[&str]) -> Command {
    let settings = ["run.checkpoint_every_epochs=1", "night.poll_s=0.02"].iter().chain(settings).copied();
    let args = explore_args(dir, &settings.collect::<Vec<_>>());
    let mut command = command(&args.iter().map(String::as_str).collect::<Vec<_>>());
    command.env("SKEWFIT_CHAOS", faults);
    command
}

/// The result of [`chaotic`] without faults, in a directory below `dir`.
pub fn undisturbed(dir: &Path) -> Learned {
    let run = dir.join("undisturbed");
    let told = json(&chaotic(&run, "", &[]).output().unwrap());
    Learned::of(&run, &told)
}

/// The last `n` at which `<fault>:n` still ends such a run, by bisection.
pub fn last_fatal(dir: &Path, fault: &str) -> u64 {
    let (mut few, mut many) = (1, 4000);
    while few + 1 < many {
        let middle = (few + many) / 2;
        let run = dir.join("count");
        let killed = !chaotic(&run, &format!("{fault}:{middle}"), &[]).output().unwrap().status.success();
        fs::remove_dir_all(&run).unwrap();
        if killed { few = middle } else { many = middle }
    }
    few
}

/// The events of `night.jsonl`, one word each.
pub fn night(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("night.jsonl")).unwrap_or_default();
    let lines = text.lines().filter_map(|l| serde_json::from_str::<Value>(l).ok());
    lines.map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}
