//! `skewfit diagnose`: it finds no fault in a good run and the fault in each of three broken runs; it accepts every
//! run.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod blurred;
#[path = "../common/mod.rs"]
mod common;

use std::fs;
use std::path::Path;

use blurred::Blurred;
use common::{checkpoints, copy, explore, explore_aside, files, json, refused, skewfit, until};
use serde_json::Value;
use skewfit::config::{Config, EnvConfig, overrides};
use skewfit::keep::store::Store;
use skewfit::run::explore::start_in;
use skewfit::run::progress::{Progress, Tick};
use skewfit::show::diagnose::{self, Diagnosis, Level, Verdict};
use skewfit::task::scene::build as scene;
use skewfit_envs::Env;

struct Quiet;

impl Progress for Quiet {
    fn tick(&mut self, _: &Tick<'_>) {}
}

/// Long enough for the VAE to see the light and for skewing to act.
const SETTINGS: [&str; 7] = [
    "run.steps=2250",
    "run.warmup_steps=1000",
    "run.epoch_steps=250",
    "run.threads=1",
    "latent.phases=[{ every = 1, updates = 200 }]",
    "latent.batch=64",
    "evaluate.pictures_each_time=1",
];

/// Explores with a mistake in the program that the configuration on disk does not show.
fn explored(dir: &Path, mistake: fn(&mut Config)) -> Diagnosis {
    let settings = SETTINGS.map(|text| overrides::parse(text).unwrap());
    let sound = Config::resolve("corridor-tiny", settings.into()).unwrap();
    let mut broken = sound.clone();
    mistake(&mut broken);
    let build = |cfg: &EnvConfig, goals: usize| -> skewfit::error::Result<Box<dyn Env>> {
        Ok(Box::new(Blurred(scene(cfg, goals)?)))
    };
    start_in(broken, dir, &[], &mut Quiet, &build).unwrap();
    fs::write(dir.join("config.toml"), sound.to_toml().unwrap()).unwrap();
    diagnose::run(dir, None).unwrap()
}

fn verdict<'a>(diagnosis: &'a Diagnosis, name: &str) -> &'a Verdict {
    diagnosis.verdicts.iter().find(|v| v.name == name).unwrap_or_else(|| panic!("no verdict {name}: {diagnosis:#?}"))
}

/// A mistake, the verdict that detects it, and words of its sentence.
type Case = (fn(&mut Config), &'static str, &'static str);

/// The verdicts that detect the three broken runs.
const EVIDENCE: [&str; 3] = ["vae_explains", "skew_direction", "practised_goals"];

#[test]
fn the_fault_of_each_broken_run_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let good = explored(&dir.path().join("good"), |_| {});
    for name in EVIDENCE.iter().chain(&["sees_x", "sees_y", "skew_active", "density_rarity", "own_goals"]) {
        assert_ne!(verdict(&good, name).level, Level::Fault, "{good:#?}");
    }
    let cases: [Case; 3] = [
        (|c| c.latent.learning_rate = 0.0, "vae_explains", "the VAE does not reconstruct the pictures"),
        (|c| c.skew.power = 0.5, "skew_direction", "skewing favours common states"),
        (
            |c| (c.goals.relabel_keep, c.goals.relabel_source) = (0.0, 0.0),
            "practised_goals",
            "rewards match training on hindsight goals only",
        ),
    ];
    for (k, (mistake, name, words)) in cases.into_iter().enumerate() {
        let broken = explored(&dir.path().join(k.to_string()), mistake);
        let found = verdict(&broken, name);
        assert_eq!(found.level, Level::Fault, "{broken:#?}");
        assert!(found.line().starts_with("FAULT ") && found.sentence.contains(words), "{found:?}");
    }
}

fn told(run: &Path, more: &[&str]) -> Value {
    json(&skewfit("diagnose", run, &[more, &["--json"]].concat()))
}

fn sentence(told: &Value, name: &str) -> String {
    let verdicts = told["verdicts"].as_array().unwrap();
    verdicts.iter().find(|v| v["name"] == name).map_or_else(String::new, |v| v["sentence"].as_str().unwrap().to_owned())
}

fn faults(told: &Value) -> Vec<&Value> {
    told["verdicts"].as_array().unwrap().iter().filter(|v| v["level"] == "FAULT").collect()
}

#[test]
fn a_run_is_read_and_a_page_written_the_same_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (run, out) = (dir.path().join("run"), dir.path().join("out"));
    explore(&run, &[]);
    let before = files(&run);
    let first = told(&run, &["--out", out.to_str().unwrap()]);
    assert!(files(&run) == before, "with --out nothing in the run is touched");
    let page = fs::read_to_string(out.join("DIAGNOSE.md")).unwrap();
    let pictures: Vec<&str> = page.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(pictures.len() >= 7, "{pictures:?}");
    assert!(pictures.iter().all(|name| image::open(out.join(name)).is_ok()), "{pictures:?}");
    let lines = String::from_utf8(skewfit("diagnose", &run, &[]).stdout).unwrap();
    for verdict in first["verdicts"].as_array().unwrap() {
        for text in [&page, &lines] {
            assert!(text.contains(verdict["sentence"].as_str().unwrap()), "{verdict}: {text}");
        }
        assert!(["ok", "warn", "FAULT"].iter().any(|word| verdict["level"] == *word), "{verdict}");
        assert!(verdict.get("value").is_some() && verdict.get("threshold").is_some(), "{verdict}");
    }
    assert!(lines.trim_end().ends_with("diagnose/DIAGNOSE.md"), "{lines}");
    let again = told(&run, &[]);
    assert_eq!((&again["verdicts"], &again["checkpoint"]), (&first["verdicts"], &first["checkpoint"]));
    assert!(files(&run.join("diagnose")) == files(&out), "the same page and pictures");
    let mut after = files(&run);
    after.retain(|name, _| !name.starts_with("diagnose"));
    assert!(after == before, "a diagnosis changes nothing but diagnose/");
}

#[test]
fn what_is_disabled_or_not_begun_is_no_fault() {
    let dir = tempfile::tempdir().unwrap();
    let (rig, young, prior) = (dir.path().join("rig"), dir.path().join("young"), dir.path().join("prior"));
    explore(&rig, &["skew.power=0", "run.steps=500"]);
    assert!(sentence(&told(&rig, &[]), "skew_active").contains("off by configuration"));
    explore(&young, &["run.steps=200"]);
    let young = told(&young, &[]);
    assert!(faults(&young).is_empty(), "{young}");
    for (name, words) in
        [("vae_explains", "not been trained yet"), ("skew_active", "not begun"), ("q_bias", "not been updated")]
    {
        assert!(sentence(&young, name).contains(words), "{name}: {young}");
    }
    explore(&prior, &["goals.source=prior", "run.steps=500"]);
    assert!(!sentence(&told(&prior, &[]), "own_goals").is_empty());
    let hindsight = dir.path().join("hindsight");
    explore(&hindsight, &["goals.relabel_keep=0.0", "goals.relabel_source=0.0", "run.steps=500"]);
    let hindsight = told(&hindsight, &[]);
    assert!(faults(&hindsight).iter().any(|v| v["name"] == "own_goals"), "{hindsight}");
    assert!(sentence(&hindsight, "own_goals").starts_with("too many training goals are hindsight goals"));
}

#[test]
fn runs_that_are_live_damaged_or_without_true_states_are_diagnosed() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let live = explore_aside(&run, &["run.steps=100000", "run.checkpoint_every_epochs=1"]);
    until("a checkpoint after practice", || checkpoints(&run).iter().any(|name| name.as_str() >= "00000100"));
    assert!(!sentence(&told(&run, &["--out", dir.path().join("live").to_str().unwrap()]), "vae_explains").is_empty());
    live.kill();
    assert!(told(&run, &[])["damaged"].as_array().unwrap().is_empty());

    fs::write(run.join("episodes/000003.h5"), "broken").unwrap();
    fs::write(run.join("metrics.csv"), "broken").unwrap();
    let damaged = told(&run, &[])["damaged"].to_string();
    assert!(damaged.contains("000003.h5") && damaged.contains("metrics.csv"), "{damaged}");

    let blind = dir.path().join("blind");
    let seen = Store::read_only(&run).unwrap();
    let mut store = Store::create(&blind, seen.root().clone()).unwrap();
    for (line, id) in seen.lines().iter().filter(|line| line.id != 3).zip(0..) {
        let mut episode = seen.episode(line.id).unwrap();
        (episode.id, episode.states, episode.state_names) = (id, Vec::new(), Vec::new());
        store.commit(&episode, line.env_steps_end).unwrap();
    }
    copy(&run.join("checkpoints"), &blind.join("checkpoints"));
    fs::copy(run.join("config.toml"), blind.join("config.toml")).unwrap();
    let told_blind = told(&blind, &[]);
    assert!(sentence(&told_blind, "density_rarity").contains("no true states"), "{told_blind}");
    assert!(!told_blind["verdicts"].to_string().contains("sees_"), "{told_blind}");
}

#[test]
fn a_run_that_cannot_be_diagnosed_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    refused(&skewfit("diagnose", dir.path(), &[]), 2, &["is not a run"]);
    explore(&run, &["run.steps=200"]);
    for name in checkpoints(&run) {
        fs::write(run.join("checkpoints").join(name).join("params.safetensors"), "broken").unwrap();
    }
    refused(&skewfit("diagnose", &run, &[]), 3, &["none of", "is sound"]);
    fs::remove_dir_all(run.join("checkpoints")).unwrap();
    refused(&skewfit("diagnose", &run, &[]), 2, &["no checkpoint yet"]);
    assert!(!run.join("diagnose").exists());
}
