//! Densities of stored frames: how likely is a picture under a model? Each density has a file, and a row of [`KINDS`].

mod vae;

use crate::error::Result;
use crate::learn::choices;
use crate::learn::latent::LatentModel;
use crate::learn::latent::density::Estimator;
use crate::learn::rng::Rng;
use crate::learn::settings::DensityConfig;
pub use vae::{PICTURES_AT_ONCE, VaeDensity};

/// Frames of one episode, with their posteriors under the current model. They share a random stream.
pub struct EpisodeFrames<'a> {
    /// (n), (H, W, 3) u8 each.
    pub pictures: Vec<&'a [u8]>,
    /// (n, 2Z): means, log variances.
    pub posteriors: &'a [f32],
    /// Noise for these frames alone: their densities do not depend on which other episodes are stored.
    pub draws: Rng,
}

/// An estimate of log p of pictures.
pub trait Density: Send + Sync {
    /// log p of every picture of all episodes, in order, in nats up to one common constant. Calls `beat` once per episode.
    ///
    /// # Errors
    /// Errors of the model.
    fn log_density(
        &self,
        model: &mut dyn LatentModel,
        groups: Vec<EpisodeFrames<'_>>,
        beat: &mut dyn FnMut(),
    ) -> Result<Vec<f64>>;
}

/// Builds a density from its settings.
pub type Make = fn(&DensityConfig) -> Box<dyn Density>;

/// All densities, by the values of `density.estimator`.
pub const KINDS: [(&str, Make); 3] = [
    ("iwae", |cfg| VaeDensity::boxed(cfg, Estimator::Iwae)),
    ("elbo", |cfg| VaeDensity::boxed(cfg, Estimator::Elbo)),
    ("self-normalised", |cfg| VaeDensity::boxed(cfg, Estimator::SelfNormalised)),
];

/// The names in [`KINDS`].
pub const NAMES: [&str; KINDS.len()] = choices::names(&KINDS);

/// The configured density; the first of [`KINDS`] for an unknown name, which `config` refuses earlier.
///
/// ```
/// use skewfit::config::Config;
/// use skewfit::learn::density::{EpisodeFrames, density};
/// use skewfit::learn::{latent::{LatentModel, Vae}, nn::Workers, rng::stream};
///
/// # fn main() -> skewfit::error::Result<()> {
/// let cfg = Config::resolve("corridor-tiny", vec![])?.learner();
/// let mut vae = Vae::new(&cfg.latent, 24, &Workers::new(1), &mut stream(0, "vae-init", &[]))?;
/// let (grey, mut posteriors) = ([128; 24 * 24 * 3], vec![0.0; 2 * cfg.latent.dim]);
/// vae.posteriors(&[&grey], &mut posteriors)?;
/// let frames = EpisodeFrames { pictures: vec![&grey[..]], posteriors: &posteriors, draws: stream(0, "density", &[]) };
/// let log_p = density(&cfg.density).log_density(&mut vae, vec![frames], &mut || {})?;
/// assert!(log_p.len() == 1 && log_p[0].is_finite());
/// # Ok(()) }
/// ```
#[must_use]
pub fn density(cfg: &DensityConfig) -> Box<dyn Density> {
    let (_, make) = KINDS.iter().find(|(name, _)| *name == cfg.estimator).unwrap_or(&KINDS[0]);
    make(cfg)
}
