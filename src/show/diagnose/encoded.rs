//! The sampled frames under a checkpoint's VAE: latents, reconstructions, densities.

use crate::config::Config;
use crate::error::Result;
use crate::learn::density::{Density, DensityInputs, EpisodeFrames, density};
use crate::learn::latent::kl;
use crate::learn::learner::Learner;
use crate::learn::rng;
use crate::statistics::variance;

/// A dimension is active if the variance of its posterior means is above this (Burda et al. 2016, arXiv 1509.00519,
/// section 5).
pub const ACTIVE_VARIANCE: f64 = 0.01;

/// n frames under the VAE.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedFrames {
    /// Number of latent dimensions, Z.
    pub dim: usize,
    /// Means and log variances (n, 2Z).
    posteriors: Vec<f32>,
    /// Posterior means (n, Z).
    pub means: Vec<f32>,
    /// Mean KL of each dimension (Z), nats.
    pub kl: Vec<f64>,
    /// Variance of each dimension's posterior mean (Z).
    pub spread: Vec<f64>,
    /// log p(x) (n), nats.
    pub log_density: Vec<f64>,
    /// For each frame (n): (squared error of its reconstruction, squared distance from the mean picture); pixels in [0, 255].
    errors: Vec<(f64, f64)>,
}

impl EncodedFrames {
    /// Encodes and reconstructs `pictures`, and computes their densities.
    ///
    /// # Errors
    /// Those of the latent model.
    pub fn of(learner: &mut Learner, cfg: &Config, pictures: &[&[u8]]) -> Result<Self> {
        let dim = cfg.latent.dim;
        let mut posteriors = vec![0.0; pictures.len() * 2 * dim];
        learner.latent.posteriors(pictures, &mut posteriors)?;
        let rows = || posteriors.chunks_exact(2 * dim);
        let means: Vec<f32> = rows().flat_map(|row| &row[..dim]).copied().collect();
        let kl_of = |d: usize| rows().map(|row| f64::from(kl(row[d], row[dim + d]))).sum::<f64>();
        let column = |d: usize| means.iter().skip(d).step_by(dim).map(|m| f64::from(*m)).collect::<Vec<_>>();
        Ok(Self {
            dim,
            kl: (0..dim).map(|d| kl_of(d) / pictures.len().max(1) as f64).collect(),
            spread: (0..dim).map(|d| variance(&column(d))).collect(),
            log_density: log_density(learner, cfg.seed, &*density(&cfg.density), pictures, &posteriors)?,
            errors: errors(learner, pictures, &means)?,
            means,
            posteriors,
        })
    }

    /// log p (n) of these frames, whose pictures are `pictures`, by another density.
    ///
    /// # Errors
    /// Those of the latent model.
    pub fn log_density_by(
        &self,
        learner: &mut Learner,
        seed: u64,
        density: &dyn Density,
        pictures: &[&[u8]],
    ) -> Result<Vec<f64>> {
        log_density(learner, seed, density, pictures, &self.posteriors)
    }

    /// Variance explained by the reconstructions of these frames, relative to the mean picture of all frames, in (-inf, 1];
    /// 0 if all pictures are equal.
    #[must_use]
    pub fn explained(&self, frames: impl Iterator<Item = usize>) -> f64 {
        let (error, spread) = frames.map(|i| self.errors[i]).fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
        if spread > 0.0 { 1.0 - error / spread } else { 0.0 }
    }

    /// Posterior mean of frame `i`, (Z).
    #[must_use]
    pub fn mean(&self, i: usize) -> &[f32] {
        &self.means[i * self.dim..][..self.dim]
    }

    /// Active dimensions, largest variance first.
    #[must_use]
    pub fn active(&self) -> Vec<usize> {
        let mut active: Vec<usize> = (0..self.dim).filter(|d| self.spread[*d] > ACTIVE_VARIANCE).collect();
        active.sort_by(|a, b| self.spread[*b].total_cmp(&self.spread[*a]));
        active
    }

    /// Posterior means of the active dimensions, (n, active), in the order of [`active`](Self::active).
    #[must_use]
    pub fn active_means(&self) -> Vec<f32> {
        let active = self.active();
        self.means.chunks_exact(self.dim).flat_map(|row| active.iter().map(|d| row[*d])).collect()
    }

    /// Index of the frame whose latent is nearest to `latent` (Z); `None` without frames.
    #[must_use]
    pub fn nearest(&self, latent: &[f32]) -> Option<usize> {
        let distance = |row: &[f32]| row.iter().zip(latent).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
        let rows = self.means.chunks_exact(self.dim).map(distance).enumerate();
        rows.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i)
    }
}

fn log_density(
    learner: &mut Learner,
    seed: u64,
    density: &dyn Density,
    pictures: &[&[u8]],
    posteriors: &[f32],
) -> Result<Vec<f64>> {
    let draws = rng::stream(seed, "diagnose-density", &[]);
    let all = EpisodeFrames { pictures: pictures.to_vec(), posteriors, draws };
    let references = rng::stream(seed, "diagnose-references", &[]);
    let workers = &learner.workers().clone();
    let (model, episodes, beat) = (&mut *learner.latent, vec![all], &mut || {});
    density.log_density(&mut DensityInputs { model, episodes, references, workers, beat })
}

fn errors(learner: &mut Learner, pictures: &[&[u8]], means: &[f32]) -> Result<Vec<(f64, f64)>> {
    let mut mean = vec![0.0; pictures.first().map_or(0, |p| p.len())];
    for picture in pictures {
        mean.iter_mut().zip(*picture).for_each(|(m, x)| *m += f64::from(*x) / pictures.len() as f64);
    }
    let rebuilt = learner.latent.decode(means)?;
    let one = |(picture, rebuilt): (&&[u8], &[u8])| {
        let error = picture.iter().zip(rebuilt).map(|(x, y)| (f64::from(*x) - f64::from(*y)).powi(2)).sum();
        let spread = picture.iter().zip(&mean).map(|(x, m)| (f64::from(*x) - m).powi(2)).sum();
        (error, spread)
    };
    Ok(pictures.iter().zip(rebuilt.chunks_exact(mean.len().max(1))).map(one).collect())
}
