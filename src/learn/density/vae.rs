//! log p(x) under the VAE, from the [importance weights](crate::learn::latent::density) of a few latents per picture.

use super::{Density, DensityInputs};
use crate::error::Result;
use crate::learn::latent::density::{Estimator, EstimatorConfig};
use crate::learn::rng::{Rng, normals};
use crate::learn::settings::DensityConfig;

/// Pictures whose densities are computed together; it bounds the memory that a long episode needs.
pub const PICTURES_AT_ONCE: usize = 128;

/// An estimator of the VAE's marginal likelihood.
#[derive(Clone, Debug)]
pub struct VaeDensity {
    estimate: EstimatorConfig,
}

impl VaeDensity {
    pub(super) fn boxed(cfg: &DensityConfig, estimator: Estimator) -> Box<dyn Density> {
        let (latents, decoder_variance) = (cfg.latents, cfg.decoder_variance);
        Box::new(Self { estimate: EstimatorConfig { estimator, latents, decoder_variance } })
    }
}

impl Density for VaeDensity {
    fn log_density(&self, inputs: &mut DensityInputs<'_>) -> Result<Vec<f64>> {
        estimate(inputs, &self.estimate, normals)
    }

    fn decodings(&self) -> usize {
        self.estimate.latents
    }
}

/// The model's estimates of log p of all frames; `noise(n, draws)` gives n numbers for the latents of an episode's frames.
pub(super) fn estimate(
    inputs: &mut DensityInputs<'_>,
    cfg: &EstimatorConfig,
    noise: impl Fn(usize, &mut Rng) -> Vec<f32>,
) -> Result<Vec<f64>> {
    let dim = inputs.model.dim();
    let mut all = Vec::with_capacity(inputs.episodes.iter().map(|episode| episode.pictures.len()).sum());
    for episode in &mut inputs.episodes {
        (inputs.beat)();
        let start = all.len();
        all.resize(start + episode.pictures.len(), 0.0);
        let posteriors = episode.posteriors.chunks(PICTURES_AT_ONCE * 2 * dim);
        let chunks = episode.pictures.chunks(PICTURES_AT_ONCE).zip(posteriors);
        for ((pictures, posteriors), out) in chunks.zip(all[start..].chunks_mut(PICTURES_AT_ONCE)) {
            let noise = noise(pictures.len() * cfg.latents * dim, &mut episode.draws);
            inputs.model.log_density(cfg, pictures, posteriors, &noise, out)?;
        }
    }
    Ok(all)
}
