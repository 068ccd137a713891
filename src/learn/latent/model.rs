//! What a latent model must do. Slices cross this line, tensors never do, so that it may be written on a tensor library.
//!
//! [`Vae`](super::Vae) is the hand-written one. Another has the same settings, the same initial values (its own are taken
//! from a [`Vae`](super::Vae)'s state) and the same noise, so that it differs by rounding alone.

use super::density::EstimatorConfig;
use super::host::HostEncoder;
use crate::error::Result;
use crate::learn::nn::ModelState;

/// A latent dimension counts as active above this mean KL, nats.
pub const ACTIVE_NATS: f64 = 0.1;

/// Facts about one update, means over the minibatch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VaeInfo {
    /// |x - x'|^2 an image.
    pub sse: f64,
    /// Nats an image.
    pub kl: f64,
    /// 1/2 sse + beta kl.
    pub loss: f64,
    /// Dimensions with a mean KL above [`ACTIVE_NATS`].
    pub active_dims: usize,
}

impl VaeInfo {
    /// The facts by their columns of `metrics.csv`.
    #[must_use]
    pub fn columns(&self) -> [(&'static str, f64); 3] {
        [("vae/sse", self.sse), ("vae/kl", self.kl), ("vae/loss", self.loss)]
    }
}

/// A beta-VAE of pictures (H, W, 3) u8 and its optimiser.
pub trait LatentModel: Send + Sync {
    /// Z.
    fn dim(&self) -> usize;

    /// One Adam step on a minibatch of pictures with standard normal `noise` (B, Z), at the learning rate after so many
    /// `halvings`.
    ///
    /// # Errors
    /// `NotFinite` if the gradient is not; the parameters are unchanged then.
    fn update(&mut self, pictures: &[&[u8]], noise: &[f32], halvings: u32) -> Result<VaeInfo>;

    /// Posterior means and log variances (n, 2Z) of pictures; each row depends on its picture alone.
    ///
    /// # Errors
    /// What the device reports.
    fn posteriors(&mut self, pictures: &[&[u8]], out: &mut [f32]) -> Result<()>;

    /// log p(x) (n) of pictures with posteriors (n, 2Z) and standard normal `noise` (n, N, Z), see
    /// [`density`](super::density).
    ///
    /// # Errors
    /// What the device reports.
    fn log_density(
        &mut self,
        cfg: &EstimatorConfig,
        pictures: &[&[u8]],
        posteriors: &[f32],
        noise: &[f32],
        out: &mut [f64],
    ) -> Result<()>;

    /// Mean pictures (H, W, 3) u8 of latents (n, Z), one after the other.
    ///
    /// # Errors
    /// What the device reports.
    fn decode(&mut self, latents: &[f32]) -> Result<Vec<u8>>;

    /// What encodes in the control loop, with the parameters as they are. An implementation elsewhere keeps a copy on
    /// the host, which it brings up to date after an update.
    ///
    /// # Errors
    /// What the device reports.
    fn encoder(&self) -> Result<HostEncoder<'_>>;

    /// Parameters and moments: `encoder.*`, `decoder.*`, and the optimiser `vae`.
    ///
    /// # Errors
    /// What the device reports.
    fn state(&self) -> Result<ModelState>;

    /// The inverse of [`state`](Self::state); other tensors are ignored.
    ///
    /// # Errors
    /// `Damaged` where a tensor is missing or has another shape; a part may have been restored then.
    fn restore(&mut self, state: &ModelState) -> Result<()>;

    /// Posterior means (n, Z): the latents of replay. Each row depends on its picture alone.
    ///
    /// # Errors
    /// As [`posteriors`](Self::posteriors).
    fn encode(&mut self, pictures: &[&[u8]]) -> Result<Vec<f32>> {
        let dim = self.dim();
        let mut posteriors = vec![0.0; pictures.len() * 2 * dim];
        self.posteriors(pictures, &mut posteriors)?;
        Ok(posteriors.chunks_exact(2 * dim).flat_map(|row| &row[..dim]).copied().collect())
    }
}
