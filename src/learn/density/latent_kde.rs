//! A Gaussian kernel on every reference:  log p(z) = log sum_j exp(-|z - z_j|^2 / 2h^2) + const
//! (Parzen 1962, Annals of Mathematical Statistics 33), z_j: latents of the [references](super::references).
//!
//! The bandwidth h is the median, over the references, of the distance to the 50th nearest one; distances of 0 are left out.

use super::references::{References, kth_distance};
use super::{Density, DensityInputs};
use crate::error::Result;

/// The neighbour whose median distance is the bandwidth.
const NEIGHBOUR: usize = 50;
/// Terms below e^-20 of the largest one are left out: 4,096 of them change log p by less than 1e-5.
const NEGLIGIBLE: f64 = -20.0;

/// The kernel density of latents.
pub struct LatentKde;

impl Density for LatentKde {
    fn log_density(&self, inputs: &mut DensityInputs<'_>) -> Result<Vec<f64>> {
        (inputs.beat)();
        let (means, dim) = (inputs.means(), inputs.model.dim());
        let references = References::draw(&means, dim, inputs.workers, &mut inputs.references);
        Ok(kernel_density(&references, bandwidth(&references)))
    }

    fn decodings(&self) -> usize {
        0
    }
}

/// h; 1 if all latents are equal.
pub(super) fn bandwidth(references: &References<'_>) -> f64 {
    let mut distances = references.each(&references.frames, |squared| kth_distance(squared, NEIGHBOUR));
    distances.retain(|d| *d > 0.0);
    distances.sort_unstable_by(f64::total_cmp);
    distances.get(distances.len() / 2).copied().unwrap_or(1.0)
}

/// log p of all frames. The nearest reference's term is taken out of the sum, so that far frames have a finite log p.
pub(super) fn kernel_density(references: &References<'_>, bandwidth: f64) -> Vec<f64> {
    let scale = 0.5 / (bandwidth * bandwidth);
    references.all(|squared| {
        let least = squared.iter().copied().fold(f32::INFINITY, f32::min);
        if least.is_infinite() {
            return 0.0;
        }
        let exponents = squared.iter().map(|s| f64::from(least - s) * scale).filter(|exponent| *exponent > NEGLIGIBLE);
        let sum: f64 = exponents.map(|exponent| f64::from((exponent as f32).exp())).sum();
        sum.ln() - f64::from(least) * scale
    })
}
