//! Faults of other programs, from their public issues, tested on this program (`results/reliability/reports.md`).
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use common::{Live, command, explore, explore_args, json, night, refused, skewfit, stderr, until};

const SHORT: &str = "run.steps=400";

/// `skewfit` with these arguments in `dir`, after a line of shell such as `ulimit -f 100`.
fn after(line: &str, dir: &Path, args: &[&str]) -> Command {
    let mut shell = Command::new("sh");
    let script = format!("{line} && exec \"$@\"");
    shell.args(["-c", &script, "sh", env!("CARGO_BIN_EXE_skewfit")]).args(args).current_dir(dir);
    shell
}

fn signal(name: &str, id: &str) {
    assert!(Command::new("sh").args(["-c", &format!("kill -{name} {id}")]).status().unwrap().success());
}

/// hydra-ecosystem/hydra#2925
#[test]
fn runs_begun_in_the_same_second_have_separate_directories() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["explore", "corridor-tiny", "--json", "--set", SHORT];
    let begin = |_| {
        let mut command = command(&args);
        command.current_dir(dir.path());
        Live::start(command)
    };
    let runs: Vec<Live> = (0..4).map(begin).collect();
    let mut dirs: Vec<String> = runs.into_iter().map(|run| json(&run.end())["run"].to_string()).collect();
    dirs.sort();
    dirs.dedup();
    assert_eq!(dirs.len(), 4, "{dirs:?}");
}

/// A run that could not begin leaves no empty directory.
#[test]
fn a_run_that_could_not_begin_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["explore", "corridor-tiny", "--set", "night.min_free_mb=900000000"];
    let output = command(&args).current_dir(dir.path()).output().unwrap();
    refused(&output, 6, &["are free"]);
    assert_eq!(fs::read_dir(dir.path().join("results/corridor-tiny")).map_or(0, Iterator::count), 0);
}

/// boostorg/build#346, wandb/wandb#4409
#[test]
fn an_unexpanded_tilde_makes_no_directory() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &[SHORT]);
    let run = run.to_str().unwrap();
    for args in [
        &["explore", "corridor-tiny", "--out=~/run"][..],
        &["explore", "corridor-tiny", "--out", "~"],
        &["plot", run, "--out=~somebody/plots"],
        &["export", run, "--hdf5=~/run.h5"],
    ] {
        let output = command(args).current_dir(dir.path()).output().unwrap();
        assert!(output.status.code() == Some(2) && stderr(&output).contains("$HOME"), "{args:?}: {}", stderr(&output));
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    let named = command(&["export", run, "--hdf5", "./~.h5"]).current_dir(dir.path()).output().unwrap();
    assert!(named.status.success() && dir.path().join("~.h5").exists(), "{}", stderr(&named));
}

/// huggingface/lerobot#1672
#[test]
fn a_wrong_directory_is_refused_with_the_place_of_the_run() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("results/corridor/one");
    explore(&run, &[SHORT]);
    let within = format!("it is a part of the run {}: give that", run.display());
    let above = format!("it holds runs: give one of them, e.g. {}", run.display());
    for (part, way) in [
        ("results/corridor/one/checkpoints/last", &within),
        ("results/corridor/one/config.toml", &within),
        ("results/corridor", &above),
        ("results", &above),
        ("result", &"there is no such directory; give a directory that".to_owned()),
    ] {
        for verb in ["resume", "inspect", "evaluate"] {
            refused(&skewfit(verb, &dir.path().join(part), &[]), 2, &["is not a run", way]);
        }
    }
}

/// azavea/raster-vision#756
#[test]
fn a_finished_run_that_was_moved_names_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let [old, new] = ["old", "new"].map(|name| dir.path().join(name));
    explore(&old, &[SHORT]);
    fs::rename(&old, &new).unwrap();
    assert_eq!(json(&skewfit("resume", &new, &["--json"]))["run"], new.to_str().unwrap());
}

/// hydra-ecosystem/hydra#2705
#[test]
fn a_number_sign_is_part_of_a_value() {
    for set in ["seed=3#4", "seed=3 # my favourite", "run.steps=400#"] {
        let output = command(&["explore", "corridor-tiny", "--dry-run", "--set", set]).output().unwrap();
        refused(&output, 2, &["must be a whole number"]);
    }
    let output = command(&["explore", "corridor-tiny", "--dry-run", "--set", "evaluate.folder=a#b=c"]).output();
    assert!(String::from_utf8(output.unwrap().stdout).unwrap().contains("folder = \"a#b=c\""));
}

/// systemd/systemd#20284
#[test]
fn a_suspended_supervisor_kills_no_worker() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let mut args = explore_args(&run, &["run.steps=1000000"]);
    args.extend(["--supervised", "--stall-s", "3"].map(String::from));
    let mut supervisor = Live::start(command(&args.iter().map(String::as_str).collect::<Vec<_>>()));
    let (id, child) = (supervisor.id().to_string(), supervisor.child());
    until("a beginning", || night(&run).contains(&"began".to_owned()));
    for stopped in [&[&id, &child][..], &[&id]] {
        stopped.iter().for_each(|id| signal("STOP", id)); // like Ctrl-Z, a frozen container, a suspended machine
        std::thread::sleep(Duration::from_secs(4));
        stopped.iter().rev().for_each(|id| signal("CONT", id));
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!((supervisor.child(), night(&run).len(), supervisor.over()), (child.clone(), 1, false));
    }
    signal("STOP", &child); // only the worker is stopped: that is a stall
    until("a new child", || night(&run).contains(&"restarted".to_owned()));
    until("a resumption", || night(&run).contains(&"resumed".to_owned()));
    supervisor.term();
    assert!(supervisor.end().status.success());
}

/// ray-project/ray#7945
#[test]
fn a_temporary_folder_without_sockets_is_tolerated() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("d".repeat(120));
    fs::create_dir(&deep).unwrap();
    for (n, folder) in [deep.to_str().unwrap(), "/nowhere"].into_iter().enumerate() {
        let mut args = explore_args(&dir.path().join(n.to_string()), &[SHORT]);
        args.push("--supervised".into());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        json(&command(&args).env("TMPDIR", folder).output().unwrap());
    }
    assert_eq!(fs::read_dir(&deep).unwrap().count(), 0);
}

/// nodejs/node#27798
#[test]
fn a_file_size_limit_is_reported_in_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    explore(&dir.path().join("run"), &[SHORT]);
    let plotted = after("ulimit -f 20", dir.path(), &["plot", "run", "--out", "plots"]).output().unwrap();
    refused(&plotted, 6, &["File too large"]);
    // A run waits, as for a full disk, and says why.
    let args = ["explore", "corridor-tiny", "--out", "waits", "--set", "night.poll_s=0.1"];
    let run = Live::start(after("ulimit -f 100", dir.path(), &args));
    let status = || fs::read_to_string(dir.path().join("waits/STATUS.json")).unwrap_or_default();
    until("a pause", || status().contains("paused") && status().contains("File too large"));
    run.term();
    let ended: Output = run.end();
    assert_eq!(ended.status.code(), Some(6), "{}", stderr(&ended));
}

/// tensorflow/tensorboard#4955
#[test]
fn a_limit_of_open_files_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let refusal = after("ulimit -n 5", dir.path(), &["explore", "corridor-tiny", "--out", "run"]).output().unwrap();
    refused(&refusal, 6, &["run", "Too many open files", "raise `ulimit -n`"]);
}

/// OpenMathLib/OpenBLAS#1668
#[test]
fn a_run_works_where_no_thread_can_be_started() {
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("skewfit");
    fs::copy(env!("CARGO_BIN_EXE_skewfit"), &program).unwrap(); // other users may have no access to its folder
    let is_root = Command::new("chown").args(["-R", "65534"]).arg(dir.path()).output().unwrap().status.success();
    let other: &[&str] = match is_root {
        true => &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"], // root has no such limit
        false => &["env"],
    };
    let limited = |args: &[String]| {
        let mut command = Command::new(other[0]);
        command.args(&other[1..]).args(["prlimit", "--nproc=1"]).arg(&program).args(args);
        command.output().unwrap()
    };
    if !limited(&["--version".into()]).status.success() {
        let said = b"a_run_works_where_no_thread_can_be_started SKIPPED: it takes `prlimit`, and `setpriv` for root\n";
        std::io::stderr().write_all(said).unwrap(); // libtest captures the output of `eprintln!`
        return;
    }
    json(&limited(&explore_args(&dir.path().join("run"), &[SHORT, "run.threads=2"])));
}

/// DLR-RM/stable-baselines3#785
#[test]
fn fewer_steps_than_the_run_has_are_not_taken_silently() {
    let dir = tempfile::tempdir().unwrap();
    explore(&dir.path().join("a"), &[SHORT]);
    let output = command(&["resume", "a", "--steps", "200"]).current_dir(dir.path()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("--steps 200: the run has 400 steps already"), "{}", stderr(&output));
    let same = command(&["resume", "a", "--steps", "400"]).current_dir(dir.path()).output().unwrap();
    assert!(!stderr(&same).contains("already"), "{}", stderr(&same));
}
