//! The scenes, one file each: build, step, state, evaluation goals, metrics.

mod codec;
pub mod corridor;
pub mod door;
mod plane;
pub mod point2d;
mod walls;

use crate::{EnvFault, Scene};

/// Options of a scene; the same options give the same scene, byte for byte.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneOptions {
    /// Side of the square picture, pixels.
    pub image_size: usize,
    /// Samples a pixel: 1 or 4.
    pub samples: usize,
    /// Steps of an evaluation attempt; goals are reachable within them.
    pub episode_steps: usize,
    /// Number of evaluation pictures.
    pub evaluation_goals: usize,
    /// `point2d` only: its walls, `none` or one of [`point2d::Point2d::wall_names`].
    pub walls: String,
}

/// Names that [`build`] accepts.
pub const NAMES: &[&str] = &["door", "corridor", "point2d"];

/// Builds a scene by name.
///
/// # Errors
/// `UnknownScene` for a name outside [`NAMES`], `BadOption` for options that the scene does not support.
pub fn build(name: &str, options: &SceneOptions) -> Result<Box<dyn Scene>, EnvFault> {
    crate::render::check(options.image_size, options.samples)?;
    match name {
        "corridor" => Ok(Box::new(corridor::Corridor::new(options))),
        "point2d" => Ok(Box::new(point2d::Point2d::new(options)?)),
        "door" => Ok(Box::new(door::Door::new(options)?)),
        _ => Err(EnvFault::UnknownScene { name: name.to_owned() }),
    }
}
