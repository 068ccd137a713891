//! The trait of a latent model. It takes and returns slices, never tensors, so an implementation may use any tensor library.
//!
//! [`Vae`](super::Vae) is the hand-written implementation. Another one gets the same settings, the same initial values (from
//! the state of a [`Vae`](super::Vae)) and the same noise, so it differs only by rounding.

use super::density::EstimatorConfig;
use super::host::HostEncoder;
use crate::error::Result;
use crate::learn::nn::ModelState;

/// A latent dimension counts as active above this mean KL, nats.
pub const ACTIVE_NATS: f64 = 0.1;

/// Facts about one VAE update, means over the minibatch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct VaeInfo {
    /// |x - x'|^2 per image.
    pub sse: f64,
    /// KL per image, nats.
    pub kl: f64,
    /// 1/2 sse + beta kl.
    pub loss: f64,
    /// Dimensions with a mean KL above [`ACTIVE_NATS`].
    pub active_dims: usize,
}

impl VaeInfo {
    /// The facts with the names of their columns in `metrics.csv`.
    #[must_use]
    pub fn columns(&self) -> [(&'static str, f64); 3] {
        [("vae/sse", self.sse), ("vae/kl", self.kl), ("vae/loss", self.loss)]
    }
}

/// A beta-VAE of pictures (H, W, 3) u8 and its optimiser.
pub trait LatentModel: Send + Sync {
    /// Z.
    fn dim(&self) -> usize;

    /// One Adam step on a minibatch of pictures with standard normal `noise` (B, Z); `beta` weights the KL term, and the
    /// learning rate is halved `halvings` times.
    ///
    /// # Errors
    /// `NotFinite` if the gradient is not finite; the parameters are unchanged then.
    fn update(&mut self, pictures: &[&[u8]], noise: &[f32], beta: f64, halvings: u32) -> Result<VaeInfo>;

    /// Posterior means and log variances (n, 2Z) of pictures; each row depends only on its picture.
    ///
    /// # Errors
    /// Errors of the device.
    fn posteriors(&mut self, pictures: &[&[u8]], out: &mut [f32]) -> Result<()>;

    /// log p(x) (n) of pictures with posteriors (n, 2Z) and standard normal `noise` (n, N, Z), see
    /// [`density`](super::density).
    ///
    /// # Errors
    /// Errors of the device.
    fn log_density(
        &mut self,
        cfg: &EstimatorConfig,
        pictures: &[&[u8]],
        posteriors: &[f32],
        noise: &[f32],
        out: &mut [f64],
    ) -> Result<()>;

    /// Mean pictures (n, H, W, 3) u8 of latents (n, Z).
    ///
    /// # Errors
    /// Errors of the device.
    fn decode(&mut self, latents: &[f32]) -> Result<Vec<u8>>;

    /// The encoder for the control loop, with the current parameters. An implementation on a device keeps a copy on the host
    /// and updates it after each update.
    ///
    /// # Errors
    /// Errors of the device.
    fn encoder(&self) -> Result<HostEncoder<'_>>;

    /// Parameters and moments: `encoder.*`, `decoder.*`, and the optimiser `vae`.
    ///
    /// # Errors
    /// Errors of the device.
    fn state(&self) -> Result<ModelState>;

    /// The inverse of [`state`](Self::state); other tensors are ignored.
    ///
    /// # Errors
    /// `Damaged` if a tensor is missing or has another shape; some tensors may have been restored then.
    fn restore(&mut self, state: &ModelState) -> Result<()>;

    /// Posterior means (n, Z), the latents in replay. Each row depends only on its picture.
    ///
    /// # Errors
    /// Those of [`posteriors`](Self::posteriors).
    fn encode(&mut self, pictures: &[&[u8]]) -> Result<Vec<f32>> {
        let dim = self.dim();
        let mut posteriors = vec![0.0; pictures.len() * 2 * dim];
        self.posteriors(pictures, &mut posteriors)?;
        Ok(posteriors.chunks_exact(2 * dim).flat_map(|row| &row[..dim]).copied().collect())
    }
}
