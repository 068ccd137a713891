//! The mean of two densities on one scale:  log p = 1/2 probit(r_error) + 1/2 probit(r_neighbours),  r = (rank + 1/2) / n,
//! with the ranks, from 0, of a frame's [`reconstruction`](super::reconstruction) and [`latent-knn`](super::latent_knn)
//! densities among all frames; equal densities share the mean of their ranks.
//!
//! The probit (inverse of the standard normal distribution function) makes each term standard normal, whatever the unit and
//! spread of its density (van der Waerden's normal scores, 1952). So the mix does not change if either density is transformed
//! by an increasing function, and one power suits all scenes. The unit is not nats.

use super::latent_knn::LatentKnn;
use super::reconstruction::Reconstruction;
use super::{Density, DensityInputs};
use crate::error::Result;
use crate::learn::settings::DensityConfig;
use crate::statistics::{probit, ranks};

/// The mix of reconstruction and neighbourhood.
pub struct RankMix {
    neighbourhood: LatentKnn,
}

impl RankMix {
    pub(super) fn new(cfg: &DensityConfig) -> Self {
        Self { neighbourhood: LatentKnn::new(cfg) }
    }
}

impl Density for RankMix {
    fn log_density(&self, inputs: &mut DensityInputs<'_>) -> Result<Vec<f64>> {
        Ok(mix(&Reconstruction.log_density(inputs)?, &self.neighbourhood.log_density(inputs)?))
    }

    fn decodings(&self) -> usize {
        Reconstruction.decodings()
    }
}

/// The mix of two log densities (n); NaN where one of the two is not finite, so that such a frame gets no weight.
pub(super) fn mix(a: &[f64], b: &[f64]) -> Vec<f64> {
    let score = |rank: f64| 0.5 * probit((rank + 0.5) / a.len() as f64);
    let sums = ranks(a).into_iter().zip(ranks(b)).map(|(a, b)| score(a) + score(b));
    let finite = a.iter().zip(b).map(|(a, b)| a.is_finite() && b.is_finite());
    sums.zip(finite).map(|(sum, finite)| if finite { sum } else { f64::NAN }).collect()
}
