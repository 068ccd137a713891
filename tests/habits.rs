//! Properties of users' systems: files that other programs saved again, unsuitable places, few cores, a narrow
//! terminal.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{Learned, command, copy, explore, json, killed_after, metrics, refused, resume, skewfit, stderr};

/// Every text file of a run directory that the program reads.
fn texts(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap();
        let is_text = ["csv", "json", "jsonl", "toml"].iter().any(|end| name.ends_with(end));
        if path.is_dir() {
            found.extend(texts(&path));
        } else if is_text || ["last", "control", "serve.token"].contains(&&*name) {
            found.push(path);
        }
    }
    found
}

const MARK: &str = "\u{feff}";

/// `text` as another program would save it; `way` is one of [`WAYS`].
fn saved_again(text: &str, way: &str) -> String {
    let crlf = || text.replace('\n', "\r\n");
    match way {
        "crlf" => crlf(),
        "mark" => format!("{MARK}{text}"),
        "mark and crlf" => format!("{MARK}{}", crlf()),
        "no end" => text.trim_end().to_owned(),
        "two ends" => format!("{}\n\n", text.trim_end()),
        _ => format!("{}\r\n\r\n", crlf().trim_end()),
    }
}

const WAYS: [&str; 6] = ["crlf", "mark", "mark and crlf", "no end", "two ends", "two ends and crlf"];

#[test]
fn files_that_other_programs_saved_again_are_read_and_continued() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let mut told = explore(&whole, &["run.steps=800"]);
    let undisturbed = Learned::of(&whole, &told);
    let journal = fs::read(whole.join("episodes.jsonl")).unwrap();
    for way in WAYS {
        let [done, part] = ["done", "part"].map(|name| dir.path().join(format!("{name} {way}")));
        copy(&whole, &done);
        killed_after("00000100", &whole, &part);
        for path in [&done, &part].into_iter().flat_map(|run| texts(run)) {
            fs::write(&path, saved_again(&fs::read_to_string(&path).unwrap(), way)).unwrap();
        }
        for run in [&done, &part] {
            assert_eq!(
                json(&skewfit("inspect", run, &["--verify", "--json"]))["damaged"],
                serde_json::json!([]),
                "{way}"
            );
            for verb in ["plot", "evaluate", "diagnose"] {
                let output = skewfit(verb, run, &[]);
                assert!(output.status.success(), "{way}: {verb}: {}", stderr(&output));
            }
        }
        let here = serde_json::json!(done.display().to_string());
        told["run"] = here;
        assert_eq!(resume(&done), told, "{way}: a finished run is left alone");
        let resumed = skewfit("resume", &part, &["--json"]);
        assert!(!stderr(&resumed).contains("ERROR"), "{way}: {}", stderr(&resumed));
        Learned::of(&part, &json(&resumed)).same(&undisturbed, way);
        assert!(fs::read(part.join("episodes.jsonl")).unwrap() == journal, "{way}");
        let table = fs::read_to_string(part.join("metrics.csv")).unwrap();
        assert!(!table.contains(['\r', '\u{feff}']) && !table.contains("\n\n") && table.ends_with('\n'), "{way}");
    }
}

#[test]
fn a_row_after_the_checkpoint_without_its_line_end_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, part] = ["whole", "part"].map(|name| dir.path().join(name));
    let told = explore(&whole, &["run.steps=800"]);
    killed_after("00000100", &whole, &part);
    let table = part.join("metrics.csv");
    let rows: Vec<String> = fs::read_to_string(&table).unwrap().lines().take(3).map(str::to_owned).collect();
    fs::write(&table, rows.join("\r\n")).unwrap(); // the header and two epochs
    let resumed = skewfit("resume", &part, &["--json"]);
    assert!(!stderr(&resumed).contains("lost"), "{}", stderr(&resumed));
    Learned::of(&part, &json(&resumed)).same(&Learned::of(&whole, &told), "no line end");
    assert_eq!(metrics(&part)["env_steps"], metrics(&whole)["env_steps"]);
    // A damaged row is not deleted.
    fs::write(&table, "env_steps,a\n1,2,3\n").unwrap();
    for (verb, more) in [("plot", &[][..]), ("resume", &["--steps", "1_000"])] {
        let output = skewfit(verb, &part, more);
        refused(&output, 3, &["metrics.csv, line 2 has 3 cells", "restore the file from a copy, or move it away"]);
        assert!(!stderr(&output).contains("delete"));
    }
    fs::rename(&table, part.join("moved.csv")).unwrap();
    assert_eq!(json(&skewfit("resume", &part, &["--steps", "1e3", "--json"]))["env_steps"], 1000);
}

#[test]
fn places_that_cannot_be_written_are_refused_with_fitting_advice() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &["run.steps=400"]);
    let path = |name: &str| dir.path().join(name);
    fs::create_dir(path("notes")).unwrap();
    fs::write(path("notes/x.txt"), "x").unwrap();
    std::os::unix::fs::symlink("nowhere", path("dangling")).unwrap();
    let explore = |out: &Path| command(&["explore", "corridor-tiny", "--out", out.to_str().unwrap()]).output().unwrap();
    let said = |output: &std::process::Output, words: &[&str], not: &[&str]| {
        refused(output, 2, words);
        let said = stderr(output);
        assert!(not.iter().all(|word| !said.contains(word)), "{said}");
    };
    said(&explore(&path("notes")), &["notes is not empty (x.txt is there) and is no run: give another"], &["resume"]);
    said(&explore(&run), &["is not empty", "`skewfit resume` this one"], &["is no run"]);
    said(&explore(&path("dangling")), &["dangling is a link to nothing"], &["make room"]);
    said(&explore(&path("dangling/run")), &["not a directory; give another directory"], &["make room"]);
    said(&explore(&path("notes/x.txt/run")), &["x.txt"], &["make room"]);
    let long = "n".repeat(300);
    said(&explore(&path(&long)), &["give a shorter name"], &["make room"]);
    let table = run.join("metrics.csv");
    let file = table.to_str().unwrap();
    for verb in ["plot", "diagnose"] {
        said(&skewfit(verb, &run, &["--out", file]), &["metrics.csv", "give another directory"], &["make room"]);
    }
    let bench = command(&["bench", "growth_threads", "--out", file]).output().unwrap();
    said(&bench, &["metrics.csv", "give another directory"], &["make room"]);
    said(&skewfit("evaluate", &run, &["--goal", "none.png"]), &["none.png", "is not there"], &["make room"]);
    for name in [&long[..252], &long] {
        let into = path(name);
        let output = skewfit("export", &run, &["--hdf5", into.to_str().unwrap()]);
        said(&output, &["give a shorter name"], &["make room", "resume", "remove", ".n"]);
    }
    said(&skewfit("export", &run, &["--hdf5", file]), &["exists already; name another file"], &["remove"]);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "nothing was left behind");
}

/// Number of cores that this process may use, as the program counts them.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[test]
fn too_many_threads_are_refused_but_an_existing_run_with_them_continues() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let (most, out) = (8.max(2 * cores()), run.to_str().unwrap());
    let [some, many] = [most, most + 1].map(|n| n.to_string());
    let dry =
        |threads: &str| command(&["explore", "corridor-tiny", "--threads", threads, "--dry-run"]).output().unwrap();
    if most < 1024 {
        refused(&dry(&many), 2, &["run.threads = ", "too many for the ", &format!("give at most {some}")]);
        let set = format!("run.threads={many}");
        let begun = command(&["explore", "corridor-tiny", "--out", out, "--set", &set]).output().unwrap();
        refused(&begun, 2, &["too many for the ", "give at most"]);
        assert!(!run.exists());
    }
    let told = String::from_utf8(dry(&some).stdout).unwrap();
    assert_eq!(told.contains("more threads than the"), most > cores(), "{told}");
    assert!(!String::from_utf8(dry("1").stdout).unwrap().contains("more threads than"));

    // One of the cores that this process may use.
    let allowed = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let list = allowed.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default();
    let first: String = list.trim().chars().take_while(char::is_ascii_digit).collect();
    let pinned = |threads: &str| {
        let program = env!("CARGO_BIN_EXE_skewfit");
        let args = ["-c", &first, program, "explore", "corridor-tiny", "--dry-run", "--threads", threads];
        Command::new("taskset").args(args).stdin(Stdio::null()).output()
    };
    if let Ok(output) = pinned("9") {
        refused(&output, 2, &["run.threads = 9 is too many for the 1 core that this process may use: give at most 8"]);
        assert!(String::from_utf8(pinned("8").unwrap().stdout).unwrap().contains("more threads than the 1 core "));
    }

    // A run that began on a larger machine.
    let part = dir.path().join("part");
    explore(&run, &["run.steps=800"]);
    killed_after("00000100", &run, &part);
    let text = fs::read_to_string(part.join("config.toml")).unwrap().replace("threads = 1\n", "threads = 1000\n");
    fs::write(part.join("config.toml"), text).unwrap();
    let resumed = skewfit("resume", &part, &["--json"]);
    assert_eq!(json(&resumed)["env_steps"], 800);
    let log = fs::read_to_string(part.join("run.log")).unwrap();
    for said in [&stderr(&resumed), &log] {
        assert!(cores() >= 500 || said.contains("run.threads = 1000 is more threads than"), "{said}");
    }
    assert!(fs::read_to_string(part.join("config.toml")).unwrap().contains("threads = 1000\n"));
}

#[test]
fn the_progress_line_never_wraps() {
    let dir = tempfile::tempdir().unwrap();
    for columns in [20, 40, 80, 132] {
        let run = dir.path().join(columns.to_string());
        let explore = format!("{} explore corridor-tiny --out {}", env!("CARGO_BIN_EXE_skewfit"), run.display());
        let shell = format!("stty cols {columns} rows 24; exec {explore} >/dev/null");
        let told = Command::new("script").args(["-qec", &shell, "/dev/null"]).stdin(Stdio::null()).output();
        let Ok(told) = told else { return eprintln!("SKIPPED: there is no program `script` that gives a terminal") };
        assert!(told.status.success(), "{told:?}");
        let text = String::from_utf8(told.stdout).unwrap();
        let lines: Vec<String> = text.split(['\r', '\n']).map(without_escapes).collect();
        let live: Vec<&String> = lines.iter().filter(|line| line.contains("/1,")).collect();
        assert!(!live.is_empty(), "{text:?}");
        for line in live {
            assert!(line.chars().count() <= columns, "{columns}: {line:?}");
        }
        let more = lines.iter().any(|line| line.contains(" left · "));
        assert!(more || columns < 80, "{columns}: what there is room for is shown: {lines:?}");
    }
}

/// A line without escape sequences.
fn without_escapes(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.trim_start_matches(|c: char| c == '[' || c == '?' || c.is_ascii_digit()));
    rest.fold(first, |text, part| text + part.get(1..).unwrap_or_default())
}
