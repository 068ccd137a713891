//! A run is a function of its configuration and seed, even if it was stopped and resumed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::Path;

use common::{Learned, checkpoints, explore, files, json, killed_after, metrics, resume, skewfit};
use skewfit::keep::store::Store;

const EVERY_EPOCH: [&str; 2] = ["run.checkpoint_every_epochs=1", "run.keep_checkpoints=1000"];

fn learned(dir: &Path, settings: &[&str]) -> Learned {
    let told = explore(dir, settings);
    Learned::of(dir, &told)
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_every_file_is_there() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str| dir.path().join(name);
    let one = learned(&run("1"), &[]);
    one.same(&learned(&run("2"), &[]), "again");
    let other = learned(&run("3"), &["seed=1"]);
    assert_ne!(one.hash, other.hash);
    assert_ne!(one.journal, other.journal);
    learned(&run("4"), &["run.threads=2"]).same(&learned(&run("5"), &["run.threads=2"]), "two threads");

    let left = files(&run("1"));
    let mut expected: Vec<String> = "config.toml provenance.json run.log metrics.csv episodes.jsonl STATUS.json \
        REPORT.md REPORT.html checkpoints/last eval/00000400/evaluation.json eval/00000400/sheet.png plots/coverage.svg \
        plots/evaluation.svg plots/learning.svg plots/states.png plots/states_over_time.png plots/reached.png \
        plots/coverage_over_time.png plots/best.png plots/worst.png plots/rarest.png \
        plots/goals.png plots/reconstructions.png plots/prior_samples.png plots/last_episode.gif \
        eval/00000400/00.gif eval/00000400/clips.gif"
        .split_whitespace()
        .map(String::from)
        .collect();
    expected.extend((0..20).map(|id| format!("episodes/{id:06}.h5")));
    for update in [200, 300, 400] {
        let parts = ["params.safetensors", "optimizer.safetensors", "state.json", "env.bin", "MANIFEST.json"];
        expected.extend(parts.map(|part| format!("checkpoints/{update:08}/{part}")));
    }
    for name in &expected {
        assert!(left.get(Path::new(name)).is_some_and(|bytes| !bytes.is_empty()), "{name}");
    }
    let report = String::from_utf8(left[Path::new("REPORT.md")].clone()).unwrap();
    for picture in left.keys().filter(|p| p.starts_with("plots") && p.extension().is_some_and(|e| e == "png")) {
        let stem = picture.file_stem().unwrap().to_str().unwrap();
        assert!(report.contains(stem), "REPORT.md shows {stem}");
    }
    for words in ["| Coverage cells | ", "| Coverage entropy (nats) | ", "Explored corridor for 1,000 steps in"] {
        assert!(report.contains(words), "{words} in {report}");
    }
    let status: serde_json::Value = serde_json::from_slice(&left[Path::new("STATUS.json")]).unwrap();
    assert_eq!(
        (&status["state"], &status["env_steps"], &status["updates"]),
        (&"done".into(), &1000.into(), &400.into())
    );
    assert!(!left.keys().any(|name| name.to_str().unwrap().contains(".tmp")));
}

#[test]
fn plot_draws_what_explore_drew() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two, out] = ["1", "2", "out"].map(|name| dir.path().join(name));
    explore(&one, &[]);
    explore(&two, &["seed=1", "run.steps=600"]);
    let before = files(&one);
    let decoded = ["reconstructions.png", "prior_samples.png", "rarest.png"];
    let lost = |name: &Path| name.starts_with("plots") && !decoded.iter().any(|kept| name.ends_with(kept));
    for name in before.keys().filter(|name| lost(name)) {
        fs::remove_file(one.join(name)).unwrap();
    }
    ["REPORT.md", "REPORT.html"].iter().for_each(|page| fs::remove_file(one.join(page)).unwrap());
    let told = skewfit("plot", &one, &[]);
    assert_eq!(told.status.code(), Some(0), "{}", common::stderr(&told));
    let after = files(&one);
    assert!(after.keys().eq(before.keys()), "{:?}", after.keys());
    for (name, bytes) in &before {
        assert!(after[name] == *bytes, "{}", name.display());
    }

    let both = skewfit("plot", &one, &[two.to_str().unwrap(), "--out", out.to_str().unwrap()]);
    assert_eq!(both.status.code(), Some(0), "{}", common::stderr(&both));
    let drawn = files(&out);
    for name in ["coverage.svg", "coverage.png", "evaluation.png", "learning.png", "states_over_time.png", "table.md"] {
        assert!(drawn.contains_key(Path::new(name)), "{name}");
    }
    assert!(String::from_utf8_lossy(&drawn[Path::new("table.md")]).contains("The best constant answer's"));
    common::refused(&skewfit("plot", &one, &[two.to_str().unwrap()]), 2, &["--out"]);
    common::refused(&skewfit("plot", dir.path(), &[]), 2, &["is not a run"]);
}

/// Number of rows in which a column has a number.
fn measured(dir: &Path, column: &str) -> usize {
    metrics(dir)[column].iter().filter(|cell| !cell.is_empty()).count()
}

/// Kills a copy of the run after each checkpoint that `choose` selects, and resumes it.
fn resumed_from(settings: &[&str], choose: impl Fn(usize) -> bool) {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let one = learned(&whole, &[settings, &EVERY_EPOCH].concat());
    let skewing = ["skew/alpha", "skew/rank_corr", "skew/entropy_gain", "coverage/gap_nats"];
    let enough = skewing.iter().all(|column| measured(&whole, column) >= 2) && measured(&whole, "vae/sse") >= 3;
    assert!(enough, "{settings:?}");
    let all = checkpoints(&whole);
    assert!(all.len() >= 4, "{all:?}");
    for (_, kept) in all.iter().enumerate().filter(|(i, _)| choose(*i)) {
        let part = dir.path().join(kept);
        killed_after(kept, &whole, &part);
        let told = resume(&part);
        let when = format!("{settings:?} from {kept}");
        Learned::of(&part, &told).same(&one, &when);
        assert_eq!(checkpoints(&part), all, "{when}");
        let log = fs::read_to_string(part.join("run.log")).unwrap();
        assert!(!log.contains("ERROR"), "{when}: {log}");
    }
}

#[test]
fn a_run_killed_after_any_checkpoint_is_resumed_exactly() {
    resumed_from(&[], |_| true);
}

#[test]
fn with_any_settings_a_resumed_run_equals_the_uninterrupted_one() {
    let few = |i: usize| [1, 3, 5].contains(&i);
    let short = "run.steps=800";
    resumed_from(&["replay.capacity=300", "goals.keep_goal_picture=real"], few);
    resumed_from(&[short, "replay.capacity=64", "env.episode_steps=10", "goals.keep_goal_picture=decoded"], few);
    resumed_from(&["latent.phases=[{ every = 2, updates = 20 }]", "skew.min_ess=0.6"], few);
    let wander = ["goals.after_reaching=wander", "goals.radius=3", "goals.reward=steps", "run.warmup=wander"];
    resumed_from(&[&wander[..], &["replay.capacity=300", "goals.relabel_keep=0.5"]].concat(), few);
    resumed_from(&[short, "agent.update_order=critic-first", "evaluate.shared_env=true"], few);
}

/// Ranks are among all frames of the last refresh: with a VAE phase every second epoch, some were evicted since.
#[test]
fn frames_evicted_since_the_refresh_keep_their_part_in_the_densities() {
    let seldom = ["replay.capacity=300", "latent.phases=[{ every = 2, updates = 20 }]"];
    resumed_from(&[&seldom[..], &["density.estimator=rank-mix", "skew.target_ess=0.4"]].concat(), |i| i > 3);
}

#[test]
fn a_reset_free_door_continues_where_it_was() {
    let tiny = ["env.scene=door", "env.episode_steps=20", "agent.hidden=[16, 16]", "agent.batch=32"];
    let short = ["run.steps=280", "run.warmup_steps=40", "run.epoch_steps=40", "run.updates_per_epoch=10"];
    let shared = ["evaluate.shared_env=true", "latent.phases=[{ every = 1, updates = 5 }]"];
    resumed_from(&[tiny.as_slice(), &short].concat(), |i| [0, 2, 4].contains(&i));
    resumed_from(&[tiny.as_slice(), &short, &shared].concat(), |i| [2, 3].contains(&i));
}

#[test]
fn an_extended_run_equals_a_longer_run() {
    let dir = tempfile::tempdir().unwrap();
    let (short, long) = (dir.path().join("short"), dir.path().join("long"));
    for settings in [&["replay.capacity=300"][..], &["evaluate.shared_env=true", "run.checkpoint_every_epochs=3"]] {
        let longer = learned(&long, settings);
        explore(&short, &[settings, &["run.steps=500"]].concat());
        let before = fs::read_to_string(short.join("summary.json")).unwrap();
        assert!(json(&skewfit("resume", &short, &["--json"]))["env_steps"] == 500);
        let told = json(&skewfit("resume", &short, &["--steps", "1000", "--json"]));
        let extended = Learned::of(&short, &told);
        assert_eq!((&extended.metrics, &extended.hash), (&longer.metrics, &longer.hash), "{settings:?}");
        // The shards contain the identity of the run, which depends on the length that was requested first.
        let [a, b] = [&short, &long].map(|dir| Store::read_only(dir).unwrap());
        (0..20).for_each(|id| assert!(a.episode(id).unwrap() == b.episode(id).unwrap(), "{settings:?}: episode {id}"));
        assert_ne!(fs::read_to_string(short.join("summary.json")).unwrap(), before);
        assert!(fs::read_to_string(short.join("config.toml")).unwrap().contains("steps = 1000"));
        [&short, &long].iter().for_each(|dir| fs::remove_dir_all(dir).unwrap());
    }
}

#[test]
fn a_resume_is_recorded_and_another_machine_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &["run.steps=200"]);
    let provenance = || -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(run.join("provenance.json")).unwrap()).unwrap()
    };
    let began = provenance();
    let on = |steps: &str| {
        let output = skewfit("resume", &run, &["--steps", steps, "--json"]);
        json(&output);
        common::stderr(&output)
    };
    assert!(!on("300").contains("when the run began"));
    let mut moved = provenance();
    assert_eq!(moved["resumed"].as_array().unwrap().len(), 1);
    moved["threads"] = 3.into();
    moved["cpu_features"] = serde_json::json!(["abacus"]);
    fs::write(run.join("provenance.json"), moved.to_string()).unwrap();
    let said = on("400");
    for words in ["threads is 1 here and was 3", "was [\"abacus\"]"] {
        assert!(said.contains(words) && fs::read_to_string(run.join("run.log")).unwrap().contains(words), "{said}");
    }
    let now = provenance();
    assert_eq!((now["resumed"].as_array().unwrap().len(), &now["resumed"][1]["threads"]), (2, &1.into()));
    assert_eq!((&now["started_at"], &now["command"]), (&began["started_at"], &began["command"]));
    fs::write(run.join("provenance.json"), "{").unwrap();
    assert!(on("500").contains("provenance.json: is gone or broken"));
}

#[test]
fn a_finished_run_is_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let told = explore(&run, &["run.steps=400"]);
    let before = files(&run);
    for more in [&["--json"][..], &["--json", "--steps", "400"], &["--json", "--steps", "201"]] {
        assert_eq!(json(&skewfit("resume", &run, more)), told, "{more:?}");
        assert!(files(&run) == before, "{more:?}");
    }
    common::refused(&skewfit("resume", &run, &["--steps", "100"]), 2, &["--steps", "run.warmup_steps"]);
    assert!(files(&run) == before);
}

/// Skewing is the only thing that `skew.power` changes, and it acts from the refresh after epoch `start_epoch` + 1.
#[test]
fn without_skewing_the_run_is_rig_up_to_the_epoch_where_skewing_begins() {
    let dir = tempfile::tempdir().unwrap();
    let (skewed, rig) = (dir.path().join("skewed"), dir.path().join("rig"));
    explore(&skewed, &[]);
    explore(&rig, &["skew.power=0"]);
    let column = metrics(&skewed)["skew/alpha"].clone();
    assert_eq!(column, ["", "", "-0.5", "-0.5", "-0.5", "-0.5", "-0.5", "-0.5"]);
    assert_eq!((measured(&rig, "skew/alpha"), measured(&rig, "vae/sse")), (0, 8));
    assert_eq!(metrics(&rig)["goals/from_prior"], ["0.0"; 8], "the warm-up is no part of epoch 0");
    assert_eq!(metrics(&rig)["goals/from_replay"], ["2.0"; 8]);
    // 4 warm-up episodes, then 2 an epoch: the first episode of epoch 3 has the first skewed goal.
    let [a, b] = [&skewed, &rig].map(|dir| Store::read_only(dir).unwrap());
    let differ = |id: &u64| a.episode(*id).unwrap() != b.episode(*id).unwrap();
    assert_eq!((0..20).find(differ), Some(10));
    assert!((10..20).all(|id| differ(&id)));
}
