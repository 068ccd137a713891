//! Goal-conditioned soft actor-critic (Haarnoja et al. 2018, arXiv 1812.05905) on latents: input concat(z, z_g).
//!
//! [`actor`], [`critic`] and [`temperature`] each have one loss and its hand-derived gradient on a block of rows.
//! [`ensemble`] combines several critics, [`squash`] samples actions, and [`Sac`] owns the state and updates it.

pub mod actor;
pub mod critic;
pub mod ensemble;
mod host;
mod init;
pub mod model;
mod nets;
mod q_values;
#[cfg(test)]
pub(crate) mod reference;
mod rows;
pub mod sac;
pub mod squash;
pub mod temperature;
#[cfg(test)]
mod tests;
mod workspace;

pub use host::{ActorScratch, HostActor};
pub use model::{Agent, SacInfo};
pub use rows::Noise;
pub use sac::{Sac, SacConfig};
