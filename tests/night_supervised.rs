//! Supervised runs: they survive crashes and stalls, a series of crashes ends, only finished work pings the watchdog.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{
    Learned, Live, chaotic, json, last_fatal, night, record, refused, resume, stderr, trials, undisturbed, until,
};

/// Explores with `--supervised` and short timeouts.
fn supervised(run: &Path, faults: &str, settings: &[&str]) -> Command {
    let mut command = chaotic(run, faults, settings);
    command.args(["--supervised", "--stall-s", "4", "--back-off-s", "0.05"]);
    command
}

#[test]
fn g21_a_supervised_run_finishes_despite_crashes_and_stalls() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let one = undisturbed(dir.path());
    let last = last_fatal(dir.path(), "kill@beat");
    let (kinds, each) = (["hang", "spin", "panic", "kill"], trials(4).div_ceil(4));
    for kind in kinds {
        for trial in 0..each {
            // Late enough that the next process, which begins at a checkpoint, has fewer beats left.
            let at = last * 3 / 4 + trial * last / 4 / each.max(2);
            let (run, fault) = (dir.path().join(format!("{kind}{trial}")), format!("{kind}@beat:{at}"));
            let stopped = Instant::now();
            let output = supervised(&run, &fault, &[]).output().unwrap();
            let told = json(&output);
            Learned::of(&run, &told).same(&one, &fault);
            let account = night(&run);
            assert!(
                account.contains(&"restarted".to_owned()) && account.last().unwrap() == "done",
                "{fault}: {account:?}"
            );
            assert!(stopped.elapsed() < Duration::from_secs(30), "{fault} took {:?}", stopped.elapsed());
        }
    }
    record(
        ("G21", 0),
        "deadlock, infinite loop, panic, kill of the working thread: restarted, equal bytes",
        4 * each,
        begun,
    );
}

#[test]
fn g22_a_storm_of_crashes_ends_and_older_checkpoints_are_tried() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let run = dir.path().join("never");
    let output = supervised(&run, "kill@beat:1", &[]).output().unwrap();
    refused(&output, 75, &["5 starts", "not restarted"]);
    assert!(fs::read_to_string(run.join("STATUS.json")).unwrap().contains("\"failed\""));
    assert_eq!(night(&run).iter().filter(|e| *e == "restarted").count(), 4);

    // A run with checkpoints whose process dies soon after each resume: an older checkpoint is used.
    let run = dir.path().join("soon");
    json(&chaotic(&run, "", &[]).output().unwrap());
    fs::remove_file(run.join("summary.json")).unwrap();
    let mut command = common::command(&["resume", run.to_str().unwrap(), "--supervised", "--back-off-s", "0.05"]);
    let output = command.env("SKEWFIT_CHAOS", "kill@beat:1").output().unwrap();
    refused(&output, 75, &["not restarted"]);
    let account = fs::read_to_string(run.join("night.jsonl")).unwrap();
    let from: Vec<_> = account.lines().filter(|l| l.contains("\"resumed\"")).collect();
    assert_eq!(from.len(), 5, "{account}");
    for (start, updates) in from.iter().zip([400, 400, 350, 350, 300]) {
        assert!(start.contains(&format!("and {updates} updates")), "{start}, not {updates}");
    }
    Learned::of(&run, &resume(&run)).same(&undisturbed(dir.path()), "taken up after a storm");
    record(
        ("G22", 0),
        "repeated crashes: 5 starts, then code 75; after every second crash an older checkpoint is used",
        2,
        begun,
    );
}

#[test]
fn a_run_that_cannot_be_resumed_ends_as_failed() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let live = Live::start(supervised(&run, "", &["run.steps=100000"]));
    until("a checkpoint after the first", || common::checkpoints(&run).len() > 1);
    let journal = fs::read(run.join("episodes.jsonl")).unwrap();
    fs::write(run.join("episodes.jsonl"), [b"X", &journal[1..]].concat()).unwrap();
    Command::new("kill").args(["-KILL", &live.child()]).status().unwrap();
    assert_eq!(live.end().status.code(), Some(3));
    assert!(fs::read_to_string(run.join("STATUS.json")).unwrap().contains("\"failed\""));
    assert!(night(&run).join(" ").ends_with("restarted failed") && run.join("REPORT.md").exists(), "{:?}", night(&run));
}

#[test]
fn a_refused_resume_keeps_the_request_to_the_live_run() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let live = Live::start(chaotic(&run, "", &["run.steps=100000"]));
    until("it works", || run.join("STATUS.json").exists());
    fs::write(run.join("control"), "pause\n").unwrap();
    until("it rests", || night(&run).last().is_some_and(|event| event == "paused"));
    let output = common::skewfit("resume", &run, &["--supervised"]);
    refused(&output, 75, &["another process"]);
    assert_eq!(fs::read_to_string(run.join("control")).unwrap(), "pause\n");
    live.term();
    json(&live.end());
}

#[test]
fn a_supervised_run_is_stopped_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let child =
        supervised(&run, "", &["run.steps=100000"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until("it runs", || run.join("checkpoints/last").exists());
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let told = json(&child.wait_with_output().unwrap());
    assert!(told["env_steps"].as_u64() < Some(100_000));
    assert_eq!(night(&run).join(" "), "began stopped");
}

#[test]
fn explore_resumes_its_own_run_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let explore = |more: &[&str]| {
        let mut command = chaotic(&run, "", &[]);
        command.args(more).output().unwrap()
    };
    let first = json(&explore(&["--resume"]));
    assert_eq!(json(&explore(&["--resume"])), first, "finished: left alone");
    refused(&explore(&[]), 2, &["is not empty"]);
    refused(&explore(&["--resume", "--seed", "7"]), 2, &["holds run"]);
}

/// A watchdog like systemd's receives `READY` and, while work advances, `WATCHDOG`.
#[test]
fn only_finished_work_pings_the_watchdog() {
    let dir = tempfile::tempdir().unwrap();
    let (run, path) = (dir.path().join("run"), dir.path().join("notify"));
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
    let heard = || {
        let mut message = [0; 256];
        socket.recv(&mut message).ok().map(|n| String::from_utf8_lossy(&message[..n]).into_owned())
    };
    let mut child = chaotic(&run, "hang@beat:2500", &["run.steps=100000"])
        .env("NOTIFY_SOCKET", &path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let first: Vec<String> = (0..2).filter_map(|_| heard()).collect();
    assert!(first.iter().any(|m| m.contains("READY=1")) && first.iter().any(|m| m.contains("WATCHDOG=1")), "{first:?}");
    let mut more = 0;
    while let Some(message) = heard() {
        assert!(message.contains("WATCHDOG=1"), "{message}");
        more += 1;
        assert!(more < 200, "it hangs, and says that it lives");
    }
    assert!(child.try_wait().unwrap().is_none(), "it hangs, and has ended");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// systemd accepts the unit file; tested only where systemd is installed.
#[test]
fn systemd_accepts_the_unit_file() {
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/skewfit@.service");
    let text = fs::read_to_string(&unit).unwrap();
    for line in ["Type=notify", "NotifyAccess=main", "Restart=on-failure", "StartLimitBurst=", "TimeoutStopSec="] {
        assert!(text.lines().any(|l| l.starts_with(line)), "{line}");
    }
    match Command::new("systemd-analyze").arg("verify").arg(&unit).output() {
        Ok(verified) => {
            let said = stderr(&verified);
            let other = said.lines().filter(|l| l.contains("skewfit@") && !l.contains("is not executable"));
            assert_eq!(other.collect::<Vec<_>>(), Vec::<&str>::new());
        }
        Err(_) => {
            use std::io::Write;
            std::io::stderr()
                .write_all(b"systemd_accepts_the_unit_file: SKIPPED systemd-analyze, which is not here\n")
                .unwrap();
        }
    }
}
