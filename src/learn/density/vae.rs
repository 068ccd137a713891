//! log p(x) under the VAE, from the [importance weights](crate::learn::latent::density) of a few latents per picture.

use super::{Density, EpisodeFrames};
use crate::error::Result;
use crate::learn::latent::LatentModel;
use crate::learn::latent::density::{Estimator, EstimatorConfig};
use crate::learn::rng::normals;
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
    fn log_density(
        &self,
        model: &mut dyn LatentModel,
        groups: Vec<EpisodeFrames<'_>>,
        beat: &mut dyn FnMut(),
    ) -> Result<Vec<f64>> {
        let dim = model.dim();
        let mut all = Vec::with_capacity(groups.iter().map(|group| group.pictures.len()).sum());
        for mut group in groups {
            beat();
            let start = all.len();
            all.resize(start + group.pictures.len(), 0.0);
            let posteriors = group.posteriors.chunks(PICTURES_AT_ONCE * 2 * dim);
            let chunks = group.pictures.chunks(PICTURES_AT_ONCE).zip(posteriors);
            for ((pictures, posteriors), out) in chunks.zip(all[start..].chunks_mut(PICTURES_AT_ONCE)) {
                let noise = normals(pictures.len() * self.estimate.latents * dim, &mut group.draws);
                model.log_density(&self.estimate, pictures, posteriors, &noise, out)?;
            }
        }
        Ok(all)
    }
}
