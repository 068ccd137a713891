//! The real binary: its refusals and their sentences, its lists, and its dry runs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod files;
mod written;

use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn skewfit(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_skewfit")).args(args).current_dir(dir).stdin(Stdio::null()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts exit code 2, one line on stderr with all `words`, nothing on stdout, and no new files.
fn refused(dir: &Path, args: &[&str], words: &[&str]) {
    // A configuration that is accepted by mistake must not run.
    let dry = args.first().filter(|verb| **verb == "explore").map(|_| "--dry-run");
    let args: Vec<&str> = args.iter().copied().chain(dry).collect();
    let before = std::fs::read_dir(dir).unwrap().count();
    let output = skewfit(dir, &args);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
    assert!(words.iter().all(|w| said.contains(w)), "{args:?} should say {words:?}, says: {said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{args:?} should be one sentence: {said}");
    assert!(output.stdout.is_empty(), "{args:?}");
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), before, "{args:?} left something behind");
}

#[test]
fn arguments_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::create_dir_all(path("used/inside")).unwrap();
    std::fs::create_dir(path("dir.toml")).unwrap();
    assert!(Command::new("mkfifo").arg(path("pipe.toml")).status().unwrap().success()); // opening it would block for ever
    std::fs::write(path("plain"), "a file").unwrap();
    std::fs::write(path("latin1.toml"), b"name = \"\xe9\"").unwrap();
    std::fs::write(path("huge.toml"), vec![b'#'; 2 << 20]).unwrap();
    let table: &[(&[&str], &[&str])] = &[
        (&["explore", "dor"], &["unknown preset `dor`", "`door`"]),
        (&["explore", "corridor-tny"], &["`corridor-tiny`"]),
        (&["explore", "absent.toml"], &["absent.toml", "cannot be opened"]),
        (&["explore", "dir.toml"], &["dir.toml", "not a file"]),
        (&["explore", "pipe.toml"], &["pipe.toml", "not a file"]),
        (&["explore", "latin1.toml"], &["latin1.toml", "not UTF-8"]),
        (&["explore", "huge.toml"], &["huge.toml", "larger than 1 MiB"]),
        (&["explore", "door", "--set", "skew.pwer=-1"], &["--set", "`skew.pwer`", "`skew.power`"]),
        (&["explore", "door", "--set", "skew.power"], &["--set", "key=value"]),
        (&["explore", "door", "--set", "=3"], &["--set", "key=value"]),
        (&["explore", "door", "--set", "latent.dim="], &["--set", "key=value"]),
        (&["explore", "door", "--set", "latent.dim=four"], &["--set", "latent.dim = \"four\"", "whole number"]),
        (&["explore", "door", "--set", "latent={dim=0}"], &["--set", "latent.dim = 0"]),
        (&["explore", "door", "--set", "env.episode_steps=30"], &["--set", "run.warmup_steps = 10000", "= 30"]),
        (&["explore", "corridor-tiny", "--set", "env.image_size=96"], &["--set", "latent.channels", "4 entries"]),
        (&["explore", "door", "--seed", "-1"], &["--seed", "seed = -1"]),
        (&["explore", "door", "--steps", "0"], &["--steps", "run.steps = 0"]),
        (&["explore", "door", "--steps", "9000"], &["--steps", "run.warmup_steps"]),
        (&["explore", "door", "--threads", "5000"], &["--threads", "1024"]),
        (&["explore", "door", "--out", "used"], &["--out used", "not empty", "is no run"]),
        (&["explore", "door", "--out", "plain"], &["--out plain"]),
        (&["resume", "absent"], &["absent", "not a run"]),
        (&["resume", "used"], &["used", "not a run"]),
        (&["evaluate", "absent"], &["absent", "not a run"]),
        (&["plot", "absent"], &["absent"]),
        (&["inspect", "absent"], &["absent", "not a run"]),
        (&["inspect", "plain", "--verify"], &["plain", "not a run"]),
        (&["bench", "no_such_unit"], &["no_such_unit"]),
    ];
    for (args, words) in table {
        refused(dir.path(), args, words);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_run_that_will_not_fit_on_its_disk_is_exit_code_6() {
    let dir = tempfile::tempdir().unwrap();
    let output = skewfit(dir.path(), &["explore", "corridor-tiny", "--out", "/proc/skewfit/run"]); // a disk of 0 bytes
    let said = stderr(&output);
    assert!(output.status.code() == Some(6) && said.contains("/proc/skewfit/run: 0 kB are free and the run"), "{said}");
}

#[test]
fn malformed_command_lines_are_exit_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let table: &[(&[&str], &str)] = &[
        (&[], "Usage"),
        (&["fly"], "unrecognized subcommand"),
        (&["explore", "door", "--sed", "3"], "--sed"),
        (&["explore", "door", "--seed", "many"], "many"),
        (&["explore", "door", "corridor"], "corridor"),
        (&["resume"], "<RUN>"),
        (&["resume", "run", "--steps", "-5"], "-5"),
        (&["evaluate", "run", "--episodes", "0"], "0"),
        (&["plot"], "<RUN>"),
        (&["doctor", "now"], "now"),
    ];
    for (args, word) in table {
        let output = skewfit(dir.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(word), "{args:?}: {}", stderr(&output));
    }
}

#[test]
fn every_verb_has_examples_that_parse() {
    let dir = tempfile::tempdir().unwrap();
    for verb in ["explore", "resume", "evaluate", "plot", "inspect", "bench", "doctor"] {
        let output = skewfit(dir.path(), &[verb, "--help"]);
        assert!(output.status.success() && output.stderr.is_empty(), "{verb}");
        let help = stdout(&output);
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("{verb} has no examples"));
        for example in examples.lines().take_while(|l| l.starts_with("  skewfit ")) {
            let command = example.trim().split("   ").next().unwrap();
            let words: Vec<&str> = command.split_whitespace().skip(1).chain(["--no-such-flag"]).collect();
            let said = stderr(&skewfit(dir.path(), &words));
            assert!(said.contains("unexpected argument '--no-such-flag'"), "{command}: {said}");
        }
    }
    let version = stdout(&skewfit(dir.path(), &["--version"]));
    assert_eq!(version.trim(), concat!("skewfit ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn explore_alone_lists_the_presets_one_line_each() {
    let dir = tempfile::tempdir().unwrap();
    let output = skewfit(dir.path(), &["explore"]);
    assert!(output.status.success());
    let list = stdout(&output);
    let names: Vec<&str> = list.lines().skip(1).filter_map(|l| l.split_whitespace().next()).collect();
    assert_eq!(names, ["door", "door-rig", "corridor", "corridor-rig", "point2d", "corridor-tiny"]);
}

#[test]
fn a_dry_run_prints_a_configuration_that_reads_back_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["explore", "corridor", "--seed", "7", "--set", "skew.power=-1", "--out", "new/run", "--dry-run"];
    let output = skewfit(dir.path(), &args);
    assert!(output.status.success(), "{}", stderr(&output));
    let first = stdout(&output);
    assert!(first.contains("seed = 7\n") && first.contains("power = -1"), "{first}");
    for word in ["# run directory: new/run", "# estimates", "of memory", "on disk"] {
        assert!(first.contains(word), "{word} is not in {first}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);

    std::fs::write(dir.path().join("again.toml"), &first).unwrap();
    let again = stdout(&skewfit(dir.path(), &["explore", "again.toml", "--out", "new/run", "--dry-run"]));
    assert_eq!(again, first);

    let json = stdout(&skewfit(dir.path(), &["explore", "again.toml", "--dry-run", "--json"]));
    let json: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
    assert_eq!(json["config"]["latent"]["dim"], 4);
    assert!(json["estimate"]["time_s"].as_f64().unwrap() > 1.0);
    let run = json["run"].as_str().unwrap();
    assert!(run.starts_with("results/corridor/") && run.ends_with("-s7"), "{run}");
}

#[test]
fn a_closed_pipe_causes_no_panic() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["explore"][..], &["explore", "door", "--dry-run"], &["explore", "--help"], &["doctor"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skewfit"));
        let mut child = command
            .args(args)
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}: {said}");
        assert_eq!(said, "", "{args:?}");
    }
}
