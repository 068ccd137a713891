//! Simulated scenes for `skewfit`: the `Env` trait, the ray caster, and scenes with known true state.
//!
//! Nothing here knows about learning; a reward does not exist in this crate.

mod env;
mod physics;
pub mod render;
pub mod rng;
pub mod scenes;

pub use env::{
    Action, CoverageGrid, Ending, Env, EnvFault, EnvSnapshot, EnvSpec, GoalPicture, GridAxis, Image, Metrics,
    Observation, Scene, StateVec, TimeStep,
};
pub use rng::Rng;
