//! The scenes, one file each: build, step, state, evaluation goals, metrics.

use crate::{EnvFault, Scene};

pub mod door;

/// What a scene is built from; the same options give the same scene, byte for byte.
#[derive(Clone, Debug, PartialEq)]
pub struct SceneOptions {
    /// Side of the square picture, pixels.
    pub image_size: usize,
    /// Ray-caster samples a pixel: 1 or 4.
    pub samples: usize,
    /// Steps an evaluation attempt has (goals are placed within its reach).
    pub episode_steps: usize,
    /// How many evaluation pictures to make.
    pub evaluation_goals: usize,
}

/// Names `build` knows.
pub const NAMES: &[&str] = &["door", "corridor", "point2d"];

/// Builds a scene by name.
///
/// # Errors
/// `EnvFault::UnknownScene` for a name outside [`NAMES`].
pub fn build(name: &str, options: &SceneOptions) -> Result<Box<dyn Scene>, EnvFault> {
    match name {
        "door" => Ok(Box::new(door::Door::new(options)?)),
        _ => Err(EnvFault::UnknownScene { name: name.to_owned() }),
    }
}
