//! Unusual but legal settings, and a scene of the user's own.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of a #[test]

mod common;

use std::path::Path;
use std::process::Command;

use common::{
    Learned, checkpoints, command, explore, explore_args, json, killed_after, metrics, refused, resume, skewfit, stderr,
};

const SHORT: [&str; 2] = ["run.steps=400", "run.checkpoint_every_epochs=1"];

/// Explores, reads the run with every verb, and resumes from a checkpoint in the middle.
fn works(settings: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let told = explore(&run, &[&SHORT, settings].concat());
    assert!(
        json(&skewfit("inspect", &run, &["--json", "--verify"]))["damaged"] == serde_json::json!([]),
        "{settings:?}"
    );
    json(&skewfit("evaluate", &run, &["--json"]));
    for verb in ["plot", "resume"] {
        let output = skewfit(verb, &run, &[]);
        assert!(output.status.success(), "{settings:?}: {verb}: {}", stderr(&output));
    }
    let part = dir.path().join("part");
    let kept = checkpoints(&run);
    killed_after(&kept[kept.len() / 2], &run, &part);
    let again = resume(&part);
    Learned::of(&part, &again).same(&Learned::of(&run, &told), &format!("{settings:?}"));
}

#[test]
fn runs_of_odd_lengths_work() {
    works(&["env.episode_steps=1", "run.warmup_steps=20", "run.epoch_steps=10", "run.steps=60"]);
    works(&["env.episode_steps=1", "run.warmup_steps=3", "run.epoch_steps=1", "run.steps=6", "skew.start_epoch=0"]);
    works(&["run.steps=200"]); // no epoch
    works(&["run.warmup_steps=0"]);
    works(&["run.warmup_steps=0", "run.steps=1", "run.epoch_steps=50", "coverage.window_steps=2"]);
    works(&["run.updates_per_epoch=0"]);
    works(&["run.updates_per_epoch=0", "latent.phases=[{ every = 1, updates = 0 }]"]);
    works(&["run.threads=7"]);
}

#[test]
fn runs_of_odd_sizes_work() {
    works(&["agent.batch=1", "latent.batch=1", "latent.dim=1", "agent.hidden=[1, 1]", "density.latents=1"]);
    works(&["agent.hidden=[1]", "agent.critics=3", "agent.update_order=critic-first"]);
    works(&["agent.hidden=[9, 8, 7, 6]", "agent.critics=5", "agent.layer_norm=true"]);
    works(&["agent.batch=3", "replay.capacity=50", "skew.start_epoch=0"]); // one episode
    works(&["latent.channels=[1, 1]", "latent.beta=0", "skew.power=-1", "density.decoder_variance=0.000001"]);
    works(&["evaluate.pictures=1", "evaluate.pictures_each_time=1", "evaluate.every_epochs=3"]);
    works(&["evaluate.every_epochs=1000000", "run.keep_checkpoints=1"]);
    works(&["goals.relabel_keep=1", "goals.relabel_source=0", "agent.discount=0", "agent.tau=1"]);
    works(&["goals.relabel_keep=0", "goals.relabel_source=0", "agent.target_entropy=-1000"]);
    works(&["goals.source=prior", "goals.relabel_source=0.8", "skew.min_ess=1", "agent.copy_targets_at_start=true"]);
    works(&["density.estimator=elbo", "agent.entropy_in_target=false", "agent.hidden_bias=0.1"]);
    works(&["density.estimator=latent-kde", "skew.target_ess=1"]);
    works(&["density.estimator=reconstruction", "skew.target_ess=0.01", "skew.power=-1"]);
    works(&["density.estimator=latent-knn", "density.neighbours=1000", "replay.capacity=100"]);
    works(&["density.estimator=self-normalised", "env.samples=4", "env.scene=point2d", "env.walls=u"]);
}

/// loss = 1/2 sse + beta kl, and these are means over the updates of an epoch.
#[test]
fn each_phase_fits_with_its_beta() {
    let dir = tempfile::tempdir().unwrap();
    let phases = "{ before_epoch=4, every=1, updates=5 }, { before_epoch=6, every=1, updates=5, beta=3 }";
    let phases = format!("latent.phases=[{phases}, {{ every=1, updates=5, beta=0 }}]");
    explore(dir.path(), &["latent.beta=0.5", &phases]);
    let columns = metrics(dir.path());
    let [sse, kl, loss] = ["vae/sse", "vae/kl", "vae/loss"]
        .map(|name| columns[name].iter().filter_map(|cell| cell.parse::<f64>().ok()).collect::<Vec<_>>());
    let betas: Vec<f64> = (0..loss.len()).map(|k| (loss[k] - 0.5 * sse[k]) / kl[k]).collect();
    let want = [0.5, 0.5, 0.5, 0.5, 3.0, 3.0, 0.0, 0.0];
    assert!(betas.len() == 8 && betas.iter().zip(want).all(|(got, want)| (got - want).abs() < 1e-6), "{betas:?}");
}

#[test]
fn diverging_numbers_end_the_run_with_a_sentence() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let args = explore_args(&run, &["agent.learning_rate=1", "agent.reward_scale=1000000", "latent.learning_rate=1"]);
    let output = command(&args.iter().map(String::as_str).collect::<Vec<_>>()).output().unwrap();
    refused(&output, 70, &["not finite"]);
    let read = |name: &str| std::fs::read_to_string(run.join(name)).unwrap();
    assert!(read("STATUS.json").contains("\"failed\"") && read("run.log").contains("not finite"));
    json(&skewfit("inspect", &run, &["--json", "--verify"]));
}

#[test]
fn the_example_scene_is_explored() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("slider");
    // Built like the tests: same profile, same target directory.
    let profile = Path::new(env!("CARGO_BIN_EXE_skewfit")).parent().unwrap();
    let name = profile.file_name().unwrap().to_str().unwrap().replace("debug", "dev");
    let cargo = ["run", "--quiet", "--offline", "--example", "my_scene", "--profile", &name, "--target-dir"];
    let target = profile.parent().unwrap();
    let output = Command::new(env!("CARGO")).args(cargo).arg(target).arg("--").arg(&run).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    let cells: usize = said.split_whitespace().find_map(|word| word.parse().ok()).unwrap();
    assert!((10..=40).contains(&cells), "{said}");
    let inspected = json(&skewfit("inspect", &run, &["--json", "--verify"]));
    assert_eq!(inspected["damaged"], serde_json::json!([]));
    refused(&skewfit("evaluate", &run, &[]), 2, &["slider"]);
    assert!(std::fs::read_to_string(run.join("config.toml")).unwrap().contains("scene = \"slider\""));
    assert!(std::fs::read_to_string(run.join("REPORT.md")).unwrap().contains("Explored slider"));
}
