//! Builds the configured environment, refuses one that fits neither the configuration nor the run, and writes down in the
//! run what it is (`env.json`), so that a run is read where its environment is not.

use std::path::Path;

use serde::{Deserialize, Serialize};
use skewfit_envs::{CoverageGrid, Env, EnvSpec, GoalPicture, GridAxis, StateVec, scenes};

use crate::config::EnvConfig;
use crate::error::{Error, Result};
use crate::keep::store::ShardRoot;

/// Its file in a run directory.
pub const FILE: &str = "env.json";

/// Builds an environment as the configuration has it, with so many evaluation pictures. [`build`] knows the shipped ones.
pub type Build<'a> = &'a dyn Fn(&EnvConfig, usize) -> Result<Box<dyn Env>>;

/// Builds the configured scene.
///
/// # Errors
/// What the scene refuses.
pub fn build(cfg: &EnvConfig, evaluation_goals: usize) -> Result<Box<dyn Env>> {
    let options = scenes::SceneOptions {
        image_size: cfg.image_size,
        samples: cfg.samples,
        episode_steps: cfg.episode_steps,
        evaluation_goals,
        walls: cfg.walls.clone(),
    };
    Ok(scenes::build(&cfg.scene, &options)?)
}

/// Refuses another scene than the run's.
///
/// # Errors
/// `Usage`.
pub fn same_scene(run: &ShardRoot, spec: &EnvSpec) -> Result<()> {
    let (have, want) = (&spec.name, &run.env);
    let way = "set `env.scene` back, or use the program that has it";
    let refuse = || Error::Usage(format!("run {} is of scene `{want}`, not `{have}`: {way}", run.run_id));
    if have == want { Ok(()) } else { Err(refuse()) }
}

/// What is known of a run's environment without it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Described {
    /// Shapes and names.
    pub spec: EnvSpec,
    /// How its visits are counted; `None`: by the pictures alone.
    pub coverage: Option<CoverageGrid>,
    /// Names of its metrics; `None` without a truth.
    pub metrics: Option<Vec<String>>,
}

impl Described {
    /// An environment's description.
    #[must_use]
    pub fn of(env: &dyn Env) -> Self {
        let nowhere = StateVec(vec![0.0; env.spec().state_names.len()]);
        let names = env.truth().map(|truth| truth.metrics(&nowhere, &nowhere));
        let metrics = names.map(|metrics| metrics.into_iter().map(|(name, _)| name.into_owned()).collect());
        Self { spec: env.spec().clone(), coverage: env.coverage().cloned(), metrics }
    }

    /// A run's environment, by its own `env.json`; of a run of an older program, by its shipped scene.
    #[must_use]
    pub fn of_run(dir: &Path, run: &ShardRoot, cfg: &EnvConfig) -> Option<Self> {
        let told = std::fs::read(dir.join(FILE)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let shipped = || build(cfg, 0).ok().map(|env| Self::of(&*env));
        told.or_else(shipped).filter(|it| it.spec.name == run.env)
    }

    /// As `env.json`.
    ///
    /// # Errors
    /// `Usage` where a bound of the grid is not finite, which JSON cannot hold.
    pub fn to_json(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self);
        Ok(text.map_err(|e| Error::Usage(format!("scene `{}`: {e}", self.spec.name)))? + "\n")
    }

    /// The two axes of the map of visits.
    #[must_use]
    pub fn map_axes(&self) -> Option<&[GridAxis; 2]> {
        self.coverage.as_ref().map(|grid| &grid.heat_map)
    }
}

/// Refuses an environment whose shapes contradict each other or the configuration.
///
/// # Errors
/// `Usage`.
pub fn fits(env: &dyn Env, cfg: &EnvConfig) -> Result<()> {
    let (spec, size) = (env.spec(), cfg.image_size);
    let (states, counted) = (spec.state_names.len(), spec.counted_names().len());
    let refuse = |what: String| Err(Error::Usage(format!("scene `{}`: {what}", spec.name)));
    if spec.image_size != size {
        let has = spec.image_size;
        return refuse(format!("its pictures have {has} pixels a side; build it with env.image_size = {size}"));
    }
    if spec.action_dim == 0 {
        return refuse("it takes no action; give EnvSpec::action_dim at least 1".into());
    }
    if ![0, spec.proprio_dim].contains(&spec.proprio_names.len()) {
        let (names, dim) = (spec.proprio_names.len(), spec.proprio_dim);
        return refuse(format!(
            "it has {names} names for {dim} entries of proprioception; mend EnvSpec::proprio_names"
        ));
    }
    let misfit = |goal: &&GoalPicture| {
        let image = &goal.image;
        image.size != size || image.pixels.len() != size * size * 3 || goal.state.0.len() != states
    };
    if let Some(goal) = env.truth().and_then(|truth| truth.evaluation_goals().iter().find(misfit)) {
        let name = &goal.name;
        return refuse(format!("goal `{name}` must have {size} x {size} x 3 bytes and {states} state entries"));
    }
    let sound = |axis: &&GridAxis| axis.state < counted && axis.cells > 0 && axis.low < axis.high;
    match env.coverage().and_then(|grid| grid.axes.iter().chain(&grid.heat_map).find(|axis| !sound(axis))) {
        Some(axis) => {
            let GridAxis { state, low, high, cells } = axis;
            let asked = format!("entry {state} of {counted}, {cells} cells over [{low}, {high}]");
            refuse(format!("a coverage axis cannot be counted ({asked}); mend CoverageGrid"))
        }
        None => Ok(()),
    }
}
