//! Skew-Fit in Rust: a robot, a camera and a night; in the morning it reaches the picture you show it.
//!
//! The loop is [`explore`]; the maths is in [`latent`], [`goals`] and [`agent`].

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests damage files and lay out their own"))]

pub mod actor_loop;
pub mod agent;
pub mod answers;
pub mod bench;
pub mod chaos;
pub mod checkpoint;
pub mod cli;
pub mod clip;
pub mod config;
pub mod coverage;
pub mod dashboard;
pub mod diagnose;
pub mod episode;
pub mod error;
pub mod estimate;
pub mod evaluate;
pub mod explore;
pub mod export;
pub mod figures;
#[cfg(test)]
mod fuzz;
pub mod goals;
pub mod latent;
pub mod learner;
pub mod metrics;
pub mod nn;
pub mod pictures;
pub mod progress;
pub mod provenance;
pub mod redraw;
pub mod replay;
pub mod report;
pub mod rng;
pub mod statistics;
#[cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]
pub mod store;
#[cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]
pub mod supervise;
pub mod tensorboard;
#[cfg(test)]
mod trials;
