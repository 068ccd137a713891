//! Builds the configured scene, and refuses one that fits neither the configuration nor the run.

use skewfit_envs::{EnvSpec, GoalPicture, GridAxis, Scene, scenes};

use crate::config::EnvConfig;
use crate::error::{Error, Result};
use crate::keep::store::ShardRoot;

/// Builds a scene as the configuration has it, with so many evaluation pictures. [`build`] knows the shipped ones.
pub type Build<'a> = &'a dyn Fn(&EnvConfig, usize) -> Result<Box<dyn Scene>>;

/// Builds the configured scene.
///
/// # Errors
/// What the scene refuses.
pub fn build(cfg: &EnvConfig, evaluation_goals: usize) -> Result<Box<dyn Scene>> {
    let options = scenes::SceneOptions {
        image_size: cfg.image_size,
        samples: cfg.samples,
        episode_steps: cfg.episode_steps,
        evaluation_goals,
        walls: cfg.walls.clone(),
    };
    Ok(scenes::build(&cfg.scene, &options)?)
}

/// Builds the scene of a run, as the run's own configuration has it.
///
/// # Errors
/// What [`build`] and [`same_scene`] refuse.
pub fn of_run(run: &ShardRoot, cfg: &EnvConfig, evaluation_goals: usize) -> Result<Box<dyn Scene>> {
    let scene = build(cfg, evaluation_goals)?;
    same_scene(run, scene.spec())?;
    Ok(scene)
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

/// Refuses a scene whose shapes contradict each other or the configuration.
///
/// # Errors
/// `Usage`.
pub fn fits(scene: &dyn Scene, cfg: &EnvConfig) -> Result<()> {
    let (spec, grid, size) = (scene.spec(), scene.coverage(), cfg.image_size);
    let states = spec.state_names.len();
    let refuse = |what: String| Err(Error::Usage(format!("scene `{}`: {what}", spec.name)));
    if spec.image_size != size {
        let has = spec.image_size;
        return refuse(format!("its pictures have {has} pixels a side; build it with env.image_size = {size}"));
    }
    if spec.action_dim == 0 {
        return refuse("it takes no action; give EnvSpec::action_dim at least 1".into());
    }
    let misfit = |goal: &&GoalPicture| {
        let image = &goal.image;
        image.size != size || image.pixels.len() != size * size * 3 || goal.state.0.len() != states
    };
    if let Some(goal) = scene.evaluation_goals().iter().find(misfit) {
        let name = &goal.name;
        return refuse(format!("goal `{name}` must have {size} x {size} x 3 bytes and {states} state entries"));
    }
    let sound = |axis: &&GridAxis| axis.state < states && axis.cells > 0 && axis.low < axis.high;
    match grid.axes.iter().chain(&grid.heat_map).find(|axis| !sound(axis)) {
        Some(axis) => {
            let GridAxis { state, low, high, cells } = axis;
            let asked = format!("state entry {state} of {states}, {cells} cells over [{low}, {high}]");
            refuse(format!("a coverage axis cannot be counted ({asked}); mend CoverageGrid"))
        }
        None => Ok(()),
    }
}
