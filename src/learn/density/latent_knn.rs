//! How empty the neighbourhood of a latent is:  log p(z) = -Z log d_k(z) + const,
//! d_k: distance to the k-th nearest of the [references](super::references)
//! (Loftsgaarden & Quesenberry 1965, Annals of Mathematical Statistics 36: p = k / (m V), V the volume of the ball of radius
//! d_k, m the number of references).
//!
//! z is the posterior mean (Z). Where k references or more equal z, d_k is 0; it then counts as the smallest d_k above 0.

use super::references::{References, kth_distance};
use super::{Density, DensityInputs};
use crate::error::Result;
use crate::learn::settings::DensityConfig;

/// The k-nearest-neighbour density of latents.
pub struct LatentKnn {
    /// k.
    pub(super) neighbours: usize,
}

impl LatentKnn {
    pub(super) fn new(cfg: &DensityConfig) -> Self {
        Self { neighbours: cfg.neighbours }
    }

    /// log p of all frames.
    pub(super) fn of(&self, references: &References<'_>, dim: usize) -> Vec<f64> {
        let distances = references.all(|squared| kth_distance(squared, self.neighbours));
        let least = distances.iter().copied().filter(|d| *d > 0.0).reduce(f64::min).unwrap_or(1.0);
        distances.into_iter().map(|d| -(dim as f64) * d.max(least).ln()).collect()
    }
}

impl Density for LatentKnn {
    fn log_density(&self, inputs: &mut DensityInputs<'_>) -> Result<Vec<f64>> {
        (inputs.beat)();
        let (means, dim) = (inputs.means(), inputs.model.dim());
        Ok(self.of(&References::draw(&means, dim, inputs.workers, &mut inputs.references), dim))
    }

    fn decodings(&self) -> usize {
        0
    }
}
