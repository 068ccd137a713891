//! Densities of stored frames: how likely is a picture under a model? Each density has a file, and a row of [`KINDS`].

mod latent_kde;
mod latent_knn;
mod rank_mix;
mod reconstruction;
mod references;
#[cfg(test)]
mod tests;
mod vae;

use crate::error::Result;
use crate::learn::choices;
use crate::learn::latent::LatentModel;
use crate::learn::latent::density::Estimator;
use crate::learn::nn::Workers;
use crate::learn::rng::Rng;
use crate::learn::settings::DensityConfig;
use latent_kde::LatentKde;
use latent_knn::LatentKnn;
use rank_mix::RankMix;
use reconstruction::Reconstruction;
pub use references::REFERENCES;
pub use vae::{PICTURES_AT_ONCE, VaeDensity};

/// Frames of one episode, with their posteriors under the current model. They share a random stream.
pub struct EpisodeFrames<'a> {
    /// (n), (H, W, 3) u8 each.
    pub pictures: Vec<&'a [u8]>,
    /// (n, 2Z): means, log variances.
    pub posteriors: &'a [f32],
    /// Noise for these frames alone: it does not depend on which other episodes are stored.
    pub draws: Rng,
}

/// What densities are computed from.
pub struct DensityInputs<'a> {
    /// The current model.
    pub model: &'a mut dyn LatentModel,
    /// The frames, episode by episode.
    pub episodes: Vec<EpisodeFrames<'a>>,
    /// The stream that draws reference frames from the frames of all episodes.
    pub references: Rng,
    /// Threads; no density depends on their number.
    pub workers: &'a Workers,
    /// Is called as work advances.
    pub beat: &'a mut dyn FnMut(),
}

impl DensityInputs<'_> {
    /// Posterior means (n, Z) of all frames.
    fn means(&self) -> Vec<f32> {
        let dim = self.model.dim();
        let rows = self.episodes.iter().flat_map(|episode| episode.posteriors.chunks_exact(2 * dim));
        rows.flat_map(|row| &row[..dim]).copied().collect()
    }
}

/// An estimate of log p of pictures.
pub trait Density: Send + Sync {
    /// log p of every picture of all episodes, in order, in nats up to one common constant.
    ///
    /// # Errors
    /// Errors of the model.
    fn log_density(&self, inputs: &mut DensityInputs<'_>) -> Result<Vec<f64>>;

    /// Latents that are decoded for one picture; estimates of time need it.
    fn decodings(&self) -> usize;
}

/// Builds a density from its settings.
pub type Make = fn(&DensityConfig) -> Box<dyn Density>;

/// All densities, by the values of `density.estimator`.
pub const KINDS: [(&str, Make); 7] = [
    ("iwae", |cfg| VaeDensity::boxed(cfg, Estimator::Iwae)),
    ("elbo", |cfg| VaeDensity::boxed(cfg, Estimator::Elbo)),
    ("self-normalised", |cfg| VaeDensity::boxed(cfg, Estimator::SelfNormalised)),
    ("latent-knn", |cfg| Box::new(LatentKnn::new(cfg))),
    ("latent-kde", |_| Box::new(LatentKde)),
    ("reconstruction", |_| Box::new(Reconstruction)),
    ("rank-mix", |cfg| Box::new(RankMix::new(cfg))),
];

/// The names in [`KINDS`].
pub const NAMES: [&str; KINDS.len()] = choices::names(&KINDS);

/// The configured density; the first of [`KINDS`] for an unknown name, which `config` refuses earlier.
///
/// ```
/// use skewfit::config::Config;
/// use skewfit::learn::density::{DensityInputs, EpisodeFrames, density};
/// use skewfit::learn::{latent::{LatentModel, Vae}, nn::Workers, rng::stream};
///
/// # fn main() -> skewfit::error::Result<()> {
/// let (cfg, workers) = (Config::resolve("corridor-tiny", vec![])?.learner(), Workers::new(1));
/// let mut vae = Vae::new(&cfg.latent, 24, &workers, &mut stream(0, "vae-init", &[]))?;
/// let (grey, mut posteriors) = ([128; 24 * 24 * 3], vec![0.0; 2 * cfg.latent.dim]);
/// vae.posteriors(&[&grey], &mut posteriors)?;
/// let frames = EpisodeFrames { pictures: vec![&grey[..]], posteriors: &posteriors, draws: stream(0, "density", &[]) };
/// let mut inputs = DensityInputs {
///     model: &mut vae,
///     episodes: vec![frames],
///     references: stream(0, "references", &[]),
///     workers: &workers,
///     beat: &mut || {},
/// };
/// let log_p = density(&cfg.density).log_density(&mut inputs)?;
/// assert!(log_p.len() == 1 && log_p[0].is_finite());
/// # Ok(()) }
/// ```
#[must_use]
pub fn density(cfg: &DensityConfig) -> Box<dyn Density> {
    let (_, make) = KINDS.iter().find(|(name, _)| *name == cfg.estimator).unwrap_or(&KINDS[0]);
    make(cfg)
}
