//! Whether a run can be made of a scene. The shipped ones fit; a caller's is looked at once, before anything is written.

use skewfit_envs::{GoalPicture, GridAxis, Scene};

use crate::config::EnvConfig;
use crate::error::{Error, Result};

/// Refuses a scene whose shapes contradict each other or the configuration.
///
/// # Errors
/// `Usage`.
pub(super) fn fits(scene: &dyn Scene, cfg: &EnvConfig) -> Result<()> {
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
