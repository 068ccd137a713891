//! Goal-conditioned soft actor-critic (Haarnoja et al. 2018, arXiv 1812.05905) on latents: input concat(z, z_g).
//!
//! [`actor`], [`critic`] and [`temperature`] each hold one loss and its hand-derived gradient on a block of rows;
//! [`Sac`] owns the state and applies them.

pub mod actor;
pub mod critic;
mod lane;
#[cfg(test)]
mod reference;
pub mod sac;
pub mod temperature;
#[cfg(test)]
mod tests;

use crate::learn::goals::Batch;
pub use sac::{Noise, Sac, SacConfig, SacInfo};
