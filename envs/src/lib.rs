//! Simulated scenes for `skewfit`: the `Env` trait, the renderers, and scenes with a known true state.
//!
//! This crate contains no learning and no reward.

mod coverage;
mod env;
mod fault;
mod physics;
mod reachable;
pub mod render;
pub mod rng;
pub mod scenes;
mod truth;

pub use coverage::{CoverageGrid, GridAxis};
pub use env::{Action, Ending, Env, EnvSnapshot, EnvSpec, Image, Name, Observation, StateVec, TimeStep};
pub use fault::EnvFault;
pub use reachable::ReachableCells;
pub use rng::Rng;
pub use truth::{GoalPicture, Metrics, Scene, Truth};
