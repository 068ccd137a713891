//! A run of an earlier program still works: it is opened, resumed, evaluated and drawn, and nothing of it is reported
//! as damaged or changed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{copy, json, night, refused, skewfit, stderr};

/// A finished run of `corridor-tiny` of 300 steps, written by commit 6a6cb58, without plots and logs. Never
/// regenerated.
fn run_of_6a6cb58(to: &Path) -> PathBuf {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/run-6a6cb58"), to);
    to.to_owned()
}

/// Reported errors, without those about a processor that differs from the one on which the run began.
fn troubles(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.contains("ERROR") && !line.contains("cpu_features")).collect()
}

#[test]
fn a_run_of_an_earlier_program_continues_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_of_6a6cb58(&dir.path().join("run"));
    let sound = |steps: u64| {
        let inspected = json(&skewfit("inspect", &run, &["--verify", "--json"]));
        assert_eq!((&inspected["damaged"], &inspected["env_steps"]), (&serde_json::json!([]), &steps.into()));
        inspected["run_id"].clone()
    };
    let id = sound(300);
    let evaluated = json(&skewfit("evaluate", &run, &["--json"]));
    assert_eq!(evaluated["goals"].as_array().unwrap().len(), 2);
    assert!(json(&skewfit("diagnose", &run, &["--json"]))["damaged"].as_array().unwrap().is_empty());
    assert!(skewfit("plot", &run, &[]).status.success());
    assert!(fs::read_to_string(run.join("REPORT.md")).unwrap().contains("Explored corridor for 300 steps"));

    let resumed = skewfit("resume", &run, &["--steps", "500", "--json"]);
    assert_eq!(json(&resumed)["env_steps"], 500);
    let log = fs::read_to_string(run.join("run.log")).unwrap();
    for told in [&stderr(&resumed), &log] {
        assert!(troubles(told).is_empty() && !told.contains("config.toml"), "{told}");
    }
    assert_eq!(log.matches("not the program that began the run").count(), 1, "{log}");
    assert_eq!(night(&run), ["began", "done", "resumed", "done"]);
    assert_eq!(sound(500), id);
    let reported = skewfit("plot", &run, &["--out", run.join("compared").to_str().unwrap()]);
    assert!(reported.status.success(), "{}", stderr(&reported));
}

/// The checkpoint has the identity by the formula of the older program.
#[test]
fn changed_settings_of_an_older_run_are_reported() {
    let dir = tempfile::tempdir().unwrap();
    for (name, from, to, told) in [
        ("kept otherwise", "poll_s = 30.0", "poll_s = 1.0", false),
        ("absent, and the default", "reward_scale = 1.0\n", "", false),
        ("absent, and not the default", "tau = 0.001\n", "", true),
        ("learned otherwise", "discount = 0.99", "discount = 0.98", true),
    ] {
        let run = run_of_6a6cb58(&dir.path().join(name));
        let text = fs::read_to_string(run.join("config.toml")).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{name}");
        fs::write(run.join("config.toml"), text.replace(from, to)).unwrap();
        let resumed = skewfit("resume", &run, &["--steps", "400"]);
        assert_eq!(resumed.status.code(), Some(0), "{name}: {}", stderr(&resumed));
        assert_eq!(stderr(&resumed).contains("config.toml is not that of the checkpoint"), told, "{name}");
        assert_eq!(night(&run).iter().any(|event| event == "damaged"), told, "{name}");
    }
}

/// Up to 6a6cb58 the configuration of a run in a caller's scene had the default scene's name; only `run.json` had the
/// true name.
#[test]
fn an_older_run_in_a_callers_scene_is_not_taken_for_a_shipped_scene() {
    let dir = tempfile::tempdir().unwrap();
    let run = run_of_6a6cb58(&dir.path().join("run"));
    let text = fs::read_to_string(run.join("config.toml")).unwrap();
    fs::write(run.join("config.toml"), text.replace("\"corridor\"", "\"door\"")).unwrap();
    let inspected = json(&skewfit("inspect", &run, &["--json"]));
    assert_eq!(inspected["coverage"]["cells_total"], serde_json::Value::Null);
    assert!(skewfit("plot", &run, &[]).status.success() && skewfit("diagnose", &run, &[]).status.success());
    refused(&skewfit("evaluate", &run, &[]), 2, &["scene `corridor`", "not `door`"]);
}
