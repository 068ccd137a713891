//! The learning code: networks, VAE, skewed replay, goals and agent. It uses no disk, clock, network or robot.

pub mod agent;
mod choices;
pub mod density;
pub mod episode;
pub mod goals;
pub mod latent;
pub mod learner;
pub mod nn;
pub mod policy;
pub mod practice;
pub mod replay;
pub mod rng;
pub mod rollout;
pub mod settings;
pub mod skew;
