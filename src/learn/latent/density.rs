//! log p(x) of a picture under the VAE, from N latents z_k ~ q(z|x) = N(mu, sigma^2):
//!
//! a_k = log N(z_k; 0, I) - log N(z_k; mu, sigma^2) + log N(x; x'(z_k), var I)
//! IWAE:            log mean_k exp(a_k)   (Burda et al. 2016, arXiv 1509.00519, equation 8)
//! ELBO:            mean_k a_k            (the official image code)
//! self-normalised: log [ sum_k u_k p(x|z_k) / sum_k u_k ],  u_k = prior / posterior ratio   (the official toy code)

use super::Vae;
use super::architecture::BLOCK;
use super::errors::SquaredErrors;

/// The formula that estimates log p(x) from the terms of N latents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimator {
    /// log mean exp of the log weights.
    Iwae,
    /// Mean of the log weights (the official image code).
    Elbo,
    /// Self-normalised weights (the official toy code).
    SelfNormalised,
}

/// Settings of a density estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EstimatorConfig {
    /// The estimator.
    pub estimator: Estimator,
    /// Latents per picture, N.
    pub latents: usize,
    /// Variance of the decoder's Gaussian, in squared units of [0, 1] pixels.
    pub decoder_variance: f64,
}

/// One latent's log weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Term {
    /// log N(z; 0, I) - log N(z; mu, sigma^2).
    pub log_ratio: f64,
    /// log p(x|z).
    pub log_likelihood: f64,
}

/// log N(x; x', var I) for `pixels` values with squared error `sse`.
#[must_use]
pub fn log_likelihood(sse: f64, pixels: usize, variance: f64) -> f64 {
    -sse / (2.0 * variance) - 0.5 * pixels as f64 * (2.0 * std::f64::consts::PI * variance).ln()
}

/// Sum over dimensions of log N(z; 0, 1) - log N(z; mu, sigma^2) for z = mu + sigma eps, v = log sigma^2.
#[must_use]
pub fn log_ratio(z: &[f32], eps: &[f32], log_variance: &[f32]) -> f64 {
    let terms = z.iter().zip(eps).zip(log_variance);
    terms.map(|((z, eps), v)| 0.5 * (f64::from(*eps).powi(2) - f64::from(*z).powi(2) + f64::from(*v))).sum()
}

/// log p(x) from the N terms of one picture.
///
/// ```
/// use skewfit::learn::latent::density::{Estimator, Term, estimate};
///
/// let terms = [0.25f64, 0.75].map(|p| Term { log_ratio: 0.0, log_likelihood: p.ln() });
/// assert!((estimate(&terms, Estimator::Iwae).exp() - 0.5).abs() < 1e-12); // the mean of p(x|z)
/// assert!(estimate(&terms, Estimator::Elbo) < estimate(&terms, Estimator::Iwae));
/// ```
#[must_use]
pub fn estimate(terms: &[Term], estimator: Estimator) -> f64 {
    let n = terms.len() as f64;
    let both = |t: &Term| t.log_ratio + t.log_likelihood;
    match estimator {
        Estimator::Iwae => log_sum_exp(terms.iter().map(both)) - n.ln(),
        Estimator::Elbo => terms.iter().map(both).sum::<f64>() / n,
        Estimator::SelfNormalised => {
            log_sum_exp(terms.iter().map(both)) - log_sum_exp(terms.iter().map(|t| t.log_ratio))
        }
    }
}

fn log_sum_exp(x: impl Iterator<Item = f64> + Clone) -> f64 {
    let top = x.clone().fold(f64::NEG_INFINITY, |top, x| if x > top || x.is_nan() { x } else { top }); // a NaN stays NaN
    if top.is_finite() { top + x.map(|x| (x - top).exp()).sum::<f64>().ln() } else { top }
}

struct DensityShare<'a> {
    pictures: &'a [&'a [u8]],
    posteriors: &'a [f32],
    noise: &'a [f32],
    out: &'a mut [f64],
}

/// log p(x) (n) of pictures with posteriors (n, 2Z: means, log variances) and standard normal `noise` (n, N, Z).
///
/// No buffer has the size (n, N, pixels): each latent of a block is decoded and reduced to one number.
pub(super) fn log_density(
    vae: &mut Vae,
    cfg: &EstimatorConfig,
    pictures: &[&[u8]],
    posteriors: &[f32],
    noise: &[f32],
    out: &mut [f64],
) {
    let (workers, dim) = (&vae.workers, vae.architecture.dim);
    let size = pictures.len().div_ceil(workers.count()).max(1);
    let (a, params, packed) = (&vae.architecture, &vae.params, &vae.packed);
    let shares = pictures
        .chunks(size)
        .zip(posteriors.chunks(size * 2 * dim))
        .zip(noise.chunks(size * cfg.latents * dim))
        .zip(out.chunks_mut(size))
        .map(|(((pictures, posteriors), noise), out)| DensityShare { pictures, posteriors, noise, out });
    workers.each(&mut shares.zip(&mut vae.workspaces).collect::<Vec<_>>(), |_, (share, workspace)| {
        let decoder = &mut workspace.decoder;
        let mut errors = SquaredErrors::new(a, packed);
        let mut terms = vec![Term::default(); cfg.latents];
        let pairs = share.pictures.len() * cfg.latents;
        for start in (0..pairs).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(pairs);
            decoder.z.fill(0.0);
            for (pair, z) in block.clone().zip(decoder.z.chunks_exact_mut(dim)) {
                let (mean, log_variance) = share.posterior(pair / cfg.latents, dim);
                let eps = &share.noise[pair * dim..(pair + 1) * dim];
                for d in 0..dim {
                    z[d] = mean[d] + (0.5 * log_variance[d]).exp() * eps[d];
                }
            }
            errors.begin(block.clone().map(|pair| share.pictures[pair / cfg.latents]));
            decoder.forward_into(&mut errors, a, params, packed, BLOCK);
            for (i, pair) in block.enumerate() {
                let (image, k) = (pair / cfg.latents, pair % cfg.latents);
                let sse = errors.of(i);
                let (z, eps) = (&decoder.z[i * dim..(i + 1) * dim], &share.noise[pair * dim..(pair + 1) * dim]);
                terms[k] = Term {
                    log_ratio: log_ratio(z, eps, share.posterior(image, dim).1),
                    log_likelihood: log_likelihood(sse, a.pixels(), cfg.decoder_variance),
                };
                if k + 1 == cfg.latents {
                    share.out[image] = estimate(&terms, cfg.estimator);
                }
            }
        }
    });
}

impl DensityShare<'_> {
    fn posterior(&self, image: usize, dim: usize) -> (&[f32], &[f32]) {
        self.posteriors[image * 2 * dim..(image + 1) * 2 * dim].split_at(dim)
    }
}
