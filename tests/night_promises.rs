//! Properties of every unattended run: files of older programs are read, one process writes, the wall clock has no
//! effect, the run waits for no person, and no panic ends it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{
    Learned, Live, chaotic, command, copy, explore_args, json, last_fatal, night, record, refused, resume, skewfit,
    stderr, undisturbed, until,
};

/// A run of eight episodes, written by the first program with this format; it is never regenerated.
fn format_1(to: &Path) -> PathBuf {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format-1"), to);
    to.to_owned()
}

#[test]
fn g5_older_files_are_read_newer_ones_refused_and_one_process_writes() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let run = format_1(&dir.path().join("older"));
    let inspected = json(&skewfit("inspect", &run, &["--verify", "--json"]));
    assert_eq!((&inspected["episodes"], &inspected["damaged"]), (&8.into(), &serde_json::json!([])));
    let gone_on = json(&skewfit("resume", &run, &["--steps", "200", "--json"]));
    assert_eq!((&gone_on["env_steps"], &gone_on["episodes"]), (&200.into(), &10.into()));

    // A sealed record of a newer program: `check` is the beginning of the BLAKE3 hash of the line without `check`.
    let run = format_1(&dir.path().join("newer"));
    let file = run.join("run.json");
    let text = fs::read_to_string(&file).unwrap();
    let (body, _) = text.trim_end().rsplit_once(",\"check\":").unwrap();
    let body = body.replace("\"format_version\":1", "\"format_version\":2");
    let check = blake3::hash(format!("{body}}}").as_bytes()).to_hex();
    fs::write(&file, format!("{body},\"check\":\"{}\"}}", &check[..16])).unwrap();
    refused(&skewfit("resume", &run, &[]), 2, &["format version 2", "newer skewfit"]);

    let run = dir.path().join("locked");
    let mut first = Live::of(
        chaotic(&run, "", &["run.steps=1000000"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap(),
    );
    until("a checkpoint", || first.over() || run.join("checkpoints/last").exists());
    let asked = Instant::now();
    refused(&skewfit("resume", &run, &[]), 75, &["another process"]);
    assert!(asked.elapsed() < Duration::from_secs(1), "it waited {:?}", asked.elapsed());
    first.kill();
    assert!(run.join("lock").exists(), "the lock of a dead process");
    let second = Live::of(
        command(&["resume", run.to_str().unwrap(), "--json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    until("it is taken", || night(&run).last().is_some_and(|event| event == "resumed"));
    second.term();
    json(&second.end());
    record(
        ("G5", 0),
        "a stored run of format 1 is resumed; format 2 and a second writer are refused; the lock of a dead process is taken over",
        4,
        begun,
    );
}

/// The clock was set back or forward by an hour between two processes, so the files have the other time.
#[test]
fn g5_wall_clocks_have_no_effect() {
    let dir = tempfile::tempdir().unwrap();
    let whole = undisturbed(dir.path());
    for (name, hour) in [("back", "2099-01-01T00:00:00Z"), ("forth", "1999-01-01T00:00:00Z")] {
        let run = dir.path().join(name);
        let half = chaotic(&run, "kill@beat:60", &[]).output().unwrap();
        assert!(!half.status.success());
        for file in ["night.jsonl", "STATUS.json", "provenance.json"] {
            let text = fs::read_to_string(run.join(file)).unwrap();
            let now = text.split('"').find(|word| word.len() == hour.len() && word.ends_with('Z')).unwrap().to_owned();
            fs::write(run.join(file), text.replace(&now, hour)).unwrap();
        }
        for file in common::files(&run).into_keys() {
            assert!(Command::new("touch").args(["-d", hour]).arg(run.join(file)).status().unwrap().success());
        }
        Learned::of(&run, &resume(&run)).same(&whole, name);
    }
}

/// A run without a terminal, a home directory or an input, and without a network if the system can remove it.
#[test]
fn g23_a_run_needs_no_person() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let whole = undisturbed(dir.path());
    let cut_off = Command::new("unshare").args(["-rn", "true"]).output().is_ok_and(|out| out.status.success());
    let run = dir.path().join("alone");
    let args = explore_args(&run, &["run.checkpoint_every_epochs=1", "night.poll_s=0.02"]);
    let mut alone = Command::new("setsid");
    alone
        .arg("-w")
        .args(if cut_off { &["unshare", "-rn"][..] } else { &[] })
        .arg(env!("CARGO_BIN_EXE_skewfit"))
        .args(args);
    alone.args(["--supervised"]).env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
    let told = json(&alone.output().unwrap());
    Learned::of(&run, &told).same(&whole, "alone");
    let net = if cut_off { "without a network" } else { "with a network (there is no unshare -rn here)" };
    record(("G23", 0), &format!("supervised, no terminal, input, HOME or environment, {net}: equal bytes"), 1, begun);
}

/// Panics of the worker, ten times; a panic in a request of the page, which loses only this request.
#[test]
fn g26_no_panic_ends_a_night() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let whole = undisturbed(dir.path());
    let last = last_fatal(dir.path(), "panic@beat");
    for trial in 1..=8 {
        let (run, fault) = (dir.path().join(trial.to_string()), format!("panic@beat:{}", last / 2 + trial * last / 16));
        let once = chaotic(&run, &fault, &[]).output().unwrap();
        assert!(!once.status.success() && stderr(&once).contains("SKEWFIT_CHAOS asked for it"), "{fault}");
        fs::remove_dir_all(&run).unwrap();
        let output = chaotic(&run, &fault, &[]).args(["--supervised", "--back-off-s", "0.05"]).output().unwrap();
        Learned::of(&run, &json(&output)).same(&whole, &fault);
        assert!(night(&run).contains(&"restarted".to_owned()), "{fault}");
        let log = fs::read_to_string(run.join("run.log")).unwrap();
        assert!(log.contains("SKEWFIT_CHAOS asked for it"), "{fault}: its last words are not in the log");
    }

    let run = dir.path().join("served");
    let said = dir.path().join("said");
    let mut served = chaotic(&run, "panic@page:1+2", &["run.steps=1000000"]);
    served.args(["--serve", "0"]).stdout(Stdio::piped()).stderr(fs::File::create(&said).unwrap());
    let live = Live::of(served.spawn().unwrap());
    let port = || fs::read_to_string(&said).ok()?.split_once("127.0.0.1:")?.1.split_once('/')?.0.parse::<u16>().ok();
    until("an address", || port().is_some());
    let ask = || {
        let mut connection = TcpStream::connect(("127.0.0.1", port().unwrap())).unwrap();
        let host = format!("127.0.0.1:{}", port().unwrap());
        connection
            .write_all(format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        let _ = connection.read_to_string(&mut answer); // the connection may end without an answer
        answer
    };
    assert_eq!([ask(), ask()], ["", ""], "the panics were not");
    assert!(ask().starts_with("HTTP/1.1 200"), "the page ended with a request");
    live.term();
    json(&live.end());
    assert!(!night(&run).contains(&"failed".to_owned()));
    record(
        ("G26", 0),
        "panics: 8 of the work (started again, equal bytes), 2 of the page (the next request is answered)",
        10,
        begun,
    );
}
