//! Memory, handles, threads, log and disk of a long run stay within their limits.
//! `SKEWFIT_SOAK_S=3600` observes the door for an hour; without it the test observes `corridor-tiny` for half a minute.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Live, checkpoints, command, json, night, record, until};

/// Allowed growth, megabytes an hour: 50 MB in twelve hours.
const SLOPE: f64 = 50.0 / 12.0;

/// Resources of a process: (seconds since the start, resident MB, open handles, threads).
#[derive(Debug)]
struct Held(f64, f64, usize, usize);

impl Held {
    fn of(pid: &str, begun: Instant) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let field =
            |name: &str| status.lines().find_map(|l| l.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
        let handles = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
        let (kilobytes, threads): (f64, f64) = (field("VmRSS:")?, field("Threads:")?);
        Some(Self(begun.elapsed().as_secs_f64(), kilobytes * 1024.0 / 1e6, handles, threads as usize))
    }
}

/// The median of the slopes between all pairs (Theil and Sen), MB an hour.
fn slope(held: &[Held]) -> f64 {
    let pairs = held.iter().enumerate().flat_map(|(i, a)| held[i + 1..].iter().map(move |b| (a, b)));
    let mut slopes: Vec<f64> = pairs.map(|(a, b)| (b.1 - a.1) / (b.0 - a.0) * 3600.0).collect();
    slopes.sort_by(f64::total_cmp);
    slopes[slopes.len() / 2]
}

/// Bytes of all files below a directory.
fn size(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).unwrap().map(Result::unwrap);
    entries.map(|e| if e.file_type().unwrap().is_dir() { size(&e.path()) } else { e.metadata().unwrap().len() }).sum()
}

#[test]
fn g19_only_collected_data_grow() {
    let asked: Option<u64> = std::env::var("SKEWFIT_SOAK_S").ok().and_then(|s| s.parse().ok());
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let (run, said) = (dir.path().join("run"), dir.path().join("said"));
    // The replay is soon full, so growth after that is a leak; every restart after a fault would be recorded.
    let settings: &[&str] = match asked {
        Some(_) => &["door", "--set", "replay.capacity=5000", "--set", "run.warmup_steps=5000"],
        None => &["corridor-tiny", "--set", "replay.capacity=500"],
    };
    let settings = [settings, &["--set", "run.threads=1", "--set", "run.keep_every_hours=6"]].concat();
    let explore = |more: &[&str]| command(&[&["explore"][..], &settings, more, &["--json"]].concat());
    let (place, length) = (run.to_str().unwrap(), asked.unwrap_or(30));
    let mut supervised = explore(&["--supervised", "--steps", "1000000", "--out", place]);
    let mut live =
        Live::of(supervised.stdout(Stdio::piped()).stderr(fs::File::create(&said).unwrap()).spawn().unwrap());
    until("it works", || live.over() || run.join("STATUS.json").exists());
    assert!(!live.over(), "{}", fs::read_to_string(said).unwrap());

    let worker = live.child();
    let every = Duration::from_secs_f64(length as f64 / 600.0);
    let (mut held, mut supervisor) = (Vec::new(), Vec::new());
    while begun.elapsed() < Duration::from_secs(length) {
        held.push(Held::of(&worker, begun).unwrap());
        supervisor.push(Held::of(&live.id().to_string(), begun).unwrap());
        std::thread::sleep(every);
    }
    Command::new("kill").args(["-TERM", &live.id().to_string()]).status().unwrap();
    let told = json(&live.end());
    assert_eq!(night(&run).join(" "), "began stopped");

    let mut figures = Vec::new();
    for (who, held) in [("worker", &held[held.len() / 3..]), ("supervisor", &supervisor[held.len() / 3..])] {
        let slope = slope(held);
        let range = |of: fn(&Held) -> usize| (held.iter().map(of).min().unwrap(), held.iter().map(of).max().unwrap());
        let (handles, threads) = (range(|h| h.2), range(|h| h.3));
        figures.push(format!("{who} {:+.2} MB/h at {:.0} MB, {}-{} handles", slope, held[0].1, handles.0, handles.1));
        assert!(handles.1 - handles.0 <= 2 && threads.0 == threads.1, "{who}: {handles:?} {threads:?}");
        // Half a minute is enough to detect a leak of a picture a step, but not one of 4 MB an hour.
        assert!(slope < if asked.is_some() { SLOPE } else { 600.0 }, "{who}: {slope} MB an hour: {held:?}");
    }
    let steps = told["env_steps"].as_u64().unwrap().to_string();
    let predicted = json(&explore(&["--dry-run", "--steps", &steps]).output().unwrap());
    let predicted = predicted["estimate"]["disk_bytes"].as_f64().unwrap();
    // The stop adds a checkpoint to the three newest and the first, which the schedule keeps.
    let of_the_stop = checkpoints(&run).get(4).map_or(0, |newest| size(&run.join("checkpoints").join(newest)));
    let log = fs::metadata(run.join("run.log")).unwrap().len();
    let used = (size(&run) - of_the_stop) as f64;
    let off = used / predicted - 1.0;
    figures.push(format!("log {} kB, disk {:+.1} % of {:.0} MB predicted", log / 1000, 100.0 * off, predicted / 1e6));
    figures.push(format!("{steps} steps"));
    assert!(off.abs() < if asked.is_some() { 0.05 } else { 0.5 } && log < 200_000_000, "{figures:?}");
    let what = format!("a soak of {length} s: {}", figures.join("; "));
    record(("G19", 0), &what, 1, begun);
}
