//! Densities of stored frames: how rare is what a picture shows? One file a density, one row of [`KINDS`] each.

mod vae;

use crate::error::Result;
use crate::learn::choices;
use crate::learn::latent::LatentModel;
use crate::learn::latent::density::Estimator;
use crate::learn::rng::Rng;
use crate::learn::settings::DensityConfig;
pub use vae::{PICTURES_AT_ONCE, VaeDensity};

/// Pictures that share a random stream, those of one episode, as the present model sees them.
pub struct EpisodeFrames<'a> {
    /// (n).
    pub pictures: Vec<&'a [u8]>,
    /// (n, 2Z): means, log variances.
    pub posteriors: &'a [f32],
    /// Noise of this group alone, so that its densities do not depend on which others there are.
    pub draws: Rng,
}

/// log p of pictures.
pub trait Density: Send + Sync {
    /// log p of every picture of all groups, in order, nats up to a constant that all share. Calls `beat` as it gets on.
    ///
    /// # Errors
    /// Those of the model.
    fn log_density(
        &self,
        model: &mut dyn LatentModel,
        groups: Vec<EpisodeFrames<'_>>,
        beat: &mut dyn FnMut(),
    ) -> Result<Vec<f64>>;
}

/// Makes a density from its settings.
pub type Make = fn(&DensityConfig) -> Box<dyn Density>;

/// All of them by the words of `density.estimator`.
pub const KINDS: [(&str, Make); 3] = [
    ("iwae", |cfg| VaeDensity::boxed(cfg, Estimator::Iwae)),
    ("elbo", |cfg| VaeDensity::boxed(cfg, Estimator::Elbo)),
    ("self-normalised", |cfg| VaeDensity::boxed(cfg, Estimator::SelfNormalised)),
];

/// The words.
pub const NAMES: [&str; KINDS.len()] = choices::names(&KINDS);

/// The configured density; the first of [`KINDS`] for a word that is none, which `config` refuses before.
#[must_use]
pub fn density(cfg: &DensityConfig) -> Box<dyn Density> {
    let (_, make) = KINDS.iter().find(|(name, _)| *name == cfg.estimator).unwrap_or(&KINDS[0]);
    make(cfg)
}
