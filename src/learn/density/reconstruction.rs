//! How well a picture is rebuilt:  log p(x) = log N(x; x'(mu), I / 2) = -|x - x'(mu)|^2 + const,  mu: the posterior mean of x.
//!
//! Pixels are in [0, 1], and the error is summed over pixels and colours. A VAE rebuilds pictures worse that it has seldom
//! seen, so a large error marks a rare picture (as does the prediction error of Burda et al. 2019, arXiv 1810.12894). No
//! latent is drawn and the prior plays no part.

use super::vae::estimate;
use super::{Density, DensityInputs};
use crate::error::Result;
use crate::learn::latent::density::{Estimator, EstimatorConfig};

/// One latent without noise is the mean; its self-normalised weight is 1, which leaves log p(x|z) alone.
const AT_THE_MEAN: EstimatorConfig =
    EstimatorConfig { estimator: Estimator::SelfNormalised, latents: 1, decoder_variance: 0.5 };

/// Minus the squared error of the reconstruction.
pub struct Reconstruction;

impl Density for Reconstruction {
    fn log_density(&self, inputs: &mut DensityInputs<'_>) -> Result<Vec<f64>> {
        estimate(inputs, &AT_THE_MEAN, |n, _| vec![0.0; n])
    }

    fn decodings(&self) -> usize {
        AT_THE_MEAN.latents
    }
}
