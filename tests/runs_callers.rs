//! Scenes of a caller: what a run requires of them, and what may be missing.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of a #[test]

mod common;

use std::path::Path;

use skewfit::config::{Config, EnvConfig, overrides};
use skewfit::error::Error;
use skewfit::keep::summary::Summary;
use skewfit::run::explore::start_in;
use skewfit::run::progress::{Progress, Tick};
use skewfit::task::scene::build as scene;
use skewfit_envs::{
    Action, CoverageGrid, Env, EnvFault, EnvSnapshot, EnvSpec, GoalPicture, Image, Metrics, Observation, Rng, StateVec,
    TimeStep, Truth,
};

/// The corridor with altered descriptions.
struct Altered {
    inner: Box<dyn Env>,
    spec: EnvSpec,
    goals: Vec<GoalPicture>,
    grid: CoverageGrid,
    frozen: bool,
}

impl Env for Altered {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }
    fn reset(&mut self, rng: &mut Rng) -> Result<Observation, EnvFault> {
        self.inner.reset(rng)
    }
    fn step(&mut self, action: &Action) -> Result<TimeStep, EnvFault> {
        self.inner.step(action)
    }
    fn true_state(&self) -> Option<StateVec> {
        self.inner.true_state()
    }
    fn snapshot(&self) -> Result<EnvSnapshot, EnvFault> {
        if self.frozen { self.inner.snapshot() } else { Err(EnvFault::NoSnapshot) }
    }
    fn restore(&mut self, snapshot: &EnvSnapshot) -> Result<(), EnvFault> {
        self.inner.restore(snapshot)
    }
    fn coverage(&self) -> Option<&CoverageGrid> {
        Some(&self.grid)
    }
    fn truth(&self) -> Option<&dyn Truth> {
        Some(self)
    }
    fn truth_mut(&mut self) -> Option<&mut dyn Truth> {
        Some(self)
    }
}

impl Truth for Altered {
    fn evaluation_goals(&self) -> &[GoalPicture] {
        &self.goals
    }
    fn metrics(&self, state: &StateVec, goal: &StateVec) -> Metrics {
        self.inner.truth().unwrap().metrics(state, goal)
    }
    fn success(&self, state: &StateVec, goal: &StateVec) -> bool {
        self.inner.truth().unwrap().success(state, goal)
    }
    fn render(&mut self, size: usize, samples: usize) -> Image {
        self.inner.truth_mut().unwrap().render(size, samples)
    }
    fn set_state(&mut self, values: &[(&str, f64)]) -> Result<(), EnvFault> {
        self.inner.truth_mut().unwrap().set_state(values)
    }
}

/// The latest (steps, steps in all).
struct Seen(u64, u64);

impl Progress for Seen {
    fn tick(&mut self, tick: &Tick<'_>) {
        *self = Self(tick.env_steps, tick.steps_total);
    }
}

/// Alters the scene.
type Alter = fn(&mut Altered);

fn explored(dir: &Path, alter: Alter) -> skewfit::error::Result<(Summary, Seen)> {
    let settings = ["run.steps=350", "run.threads=1"].map(|text| overrides::parse(text).unwrap());
    let config = Config::resolve("corridor-tiny", settings.into()).unwrap();
    let build = |cfg: &EnvConfig, goals: usize| -> skewfit::error::Result<Box<dyn Env>> {
        let inner = scene(cfg, goals)?;
        let (spec, grid) = (inner.spec().clone(), inner.coverage().unwrap().clone());
        let goals = inner.truth().unwrap().evaluation_goals().to_vec();
        let mut altered = Altered { inner, spec, goals, grid, frozen: true };
        alter(&mut altered);
        Ok(Box::new(altered))
    };
    let mut seen = Seen(0, 0);
    start_in(config, dir, &[], &mut seen, &build).map(|summary| (summary, seen))
}

#[test]
fn a_scene_without_goals_is_explored_and_steps_are_whole_epochs() {
    let dir = tempfile::tempdir().unwrap();
    let (summary, seen) = explored(&dir.path().join("run"), |scene| scene.goals.clear()).unwrap();
    assert_eq!((summary.env_steps, summary.updates, summary.final_metrics.len()), (400, 100, 0));
    assert_eq!((seen.0, seen.1), (400, 400));
    let column = &common::metrics(&dir.path().join("run"))["eval/final_distance"];
    assert_eq!(column, &["", ""]);
}

#[test]
fn a_scene_that_contradicts_itself_is_refused_before_anything_is_written() {
    let cases: [(Alter, &str); 10] = [
        (|scene| scene.spec.image_size = 48, "48 pixels"),
        (|scene| scene.spec.action_dim = 0, "no action"),
        (|scene| scene.goals.iter_mut().for_each(|g| g.image.size = 12), "goal `"),
        (|scene| scene.goals.iter_mut().for_each(|g| g.state.0.truncate(1)), "state entries"),
        (|scene| scene.grid.axes[1].state = 2, "coverage axis"),
        (|scene| scene.grid.axes[0].cells = 0, "coverage axis"),
        (|scene| scene.grid.heat_map[1].low = f64::NAN, "coverage axis"),
        (|scene| scene.grid.axes[0].high = f64::INFINITY, "coverage axis"),
        (|scene| scene.grid.axes.iter_mut().for_each(|axis| axis.cells = 1 << 40), "coverage axis"),
        (|scene| scene.spec.proprio_names.push("left".into()), "1 names for 0"),
    ];
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    for (alter, words) in cases {
        let refused = explored(&run, alter).map(|(summary, _)| summary).unwrap_err();
        assert!(matches!(refused, Error::Usage(_)), "{words}: {refused:?}");
        assert!(refused.to_string().contains("corridor") && refused.to_string().contains(words), "{refused}");
        assert!(!run.exists(), "{words}");
    }
}

/// An environment may have true states without having snapshots.
#[test]
fn a_scene_without_snapshots_is_evaluated_at_its_own_goals() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let (summary, _) = explored(&run, |scene| scene.frozen = false).unwrap();
    assert!(summary.final_metrics.contains_key("distance"), "{summary:?}");
    let columns = common::metrics(&run);
    assert!(columns["eval/final_distance"].iter().all(|cell| cell.parse::<f64>().is_ok()), "{columns:?}");
}

/// Pictures from a folder replace the scene's own; attempts at them have no true-state metrics.
#[test]
fn a_folder_replaces_the_scenes_own_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let (run, folder) = (dir.path().join("run"), dir.path().join("pictures"));
    std::fs::create_dir(&folder).unwrap();
    let scene = scene(&Config::resolve("corridor-tiny", Vec::new()).unwrap().env, 2).unwrap();
    for goal in scene.truth().unwrap().evaluation_goals() {
        skewfit::show::pictures::save_png(&goal.image, &folder.join(format!("{}.png", goal.name))).unwrap();
    }
    let folder = format!("evaluate.folder={:?}", folder.display().to_string());
    let told = common::explore(&run, &["run.steps=400", &folder]);
    assert_eq!(told["final"].as_object().unwrap().keys().collect::<Vec<_>>(), ["latent_distance"], "{told}");
    let columns = common::metrics(&run);
    assert!(!columns.contains_key("eval/final_distance"));
    assert!(columns["eval/final_latent_distance"].iter().all(|cell| cell.parse::<f64>().is_ok()));
    let again = common::json(&common::skewfit("evaluate", &run, &["--json"]));
    assert_eq!(again["mean"]["latent_distance"], told["final"]["latent_distance"]);
}
