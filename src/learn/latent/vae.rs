//! A beta-VAE trained on  L = mean over images of [ 1/2 |x - x'|^2 + beta KL(q(z|x) || N(0, I)) ],  z = mu + sigma eps.
//!
//! KL = -1/2 sum_d (1 + v_d - mu_d^2 - e^{v_d}),  v = log sigma^2 = log(1e-3) + |raw|  (Kingma & Welling 2014, arXiv
//! 1312.6114, appendix B; Higgins et al. 2017 for beta). Pixels are in [0, 1]; the error is summed over pixels and colours.
//! The gradient is that of 2 B L, the official sum over the minibatch: the first gradients are so small that Adam's
//! epsilon would slow a mean down.

use super::architecture::{Architecture, BLOCK};
use super::encoder::Encoder;
use super::lane::{LOG_VARIANCE_FLOOR, Lane};
use super::packed::Packed;
use super::picture::{picture_of_cells, pixels_of_picture};
use crate::error::{Error, Result};
use crate::learn::nn::adam::halved;
use crate::learn::nn::{Adam, Params, Workers, reduce};
use crate::learn::rng::Rng;
use crate::learn::settings::LatentConfig;

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

/// Buffers of one who encodes picture by picture.
pub struct Scratch(Encoder);

/// The model and its optimiser.
pub struct Vae {
    /// Shapes.
    pub architecture: Architecture,
    /// `encoder.*`, `decoder.*`.
    pub params: Params,
    /// Moments.
    pub adam: Adam,
    pub(super) packed: Packed,
    pub(super) lanes: Vec<Lane>,
    beta: f32,
    learning_rate: f64,
    /// Halvings of the learning rate, which guards may ask for.
    pub halvings: u32,
}

impl Vae {
    /// A fresh model for square pictures of `image_size` pixels.
    ///
    /// # Errors
    /// `Usage` where size and channels do not fit.
    pub fn new(cfg: &LatentConfig, image_size: usize, workers: &Workers, rng: &mut Rng) -> Result<Self> {
        let architecture = Architecture::new(image_size, cfg.dim, &cfg.channels)?;
        let params = architecture.init(rng);
        let lanes = (0..workers.count()).map(|_| Lane::new(&architecture, params.values.len())).collect();
        let packed = Packed::new(&architecture, &params);
        let adam = Adam::new(params.values.len());
        let (beta, learning_rate) = (cfg.beta as f32, cfg.learning_rate);
        Ok(Self { architecture, params, adam, packed, lanes, beta, learning_rate, halvings: 0 })
    }

    /// Z.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.architecture.dim
    }

    /// To be called after `params` were written from outside (a restored checkpoint).
    pub fn parameters_changed(&mut self) {
        self.packed.update(&self.architecture, &self.params);
    }

    /// One Adam step on a minibatch of pictures (H, W, 3) u8 with standard normal `noise` (B, Z).
    ///
    /// # Errors
    /// `NotFinite` if the gradient is not; the parameters are unchanged then.
    pub fn update(&mut self, workers: &Workers, pictures: &[&[u8]], noise: &[f32]) -> Result<VaeInfo> {
        let info = self.gradients(workers, pictures, noise)?;
        let gradient = &self.lanes[0].gradient;
        let rate = halved(self.learning_rate, self.halvings);
        self.adam.step(workers, rate, &mut self.params.values, gradient, None);
        self.parameters_changed();
        Ok(info)
    }

    /// Leaves the summed gradient in the first lane.
    pub(super) fn gradients(&mut self, workers: &Workers, pictures: &[&[u8]], noise: &[f32]) -> Result<VaeInfo> {
        let shares = workers.shares(pictures.len(), 8);
        let (a, params, packed, beta) = (&self.architecture, &self.params, &self.packed, self.beta);
        let scale = 2.0; // of 1/2 |x - x'|^2 + beta KL of one image
        workers.each(&mut self.lanes, |i, lane| {
            lane.clear();
            let share = shares[i].clone();
            for start in share.clone().step_by(BLOCK) {
                let range = start..(start + BLOCK).min(share.end);
                let noise = &noise[range.start * a.dim..range.end * a.dim];
                lane.add_gradient(a, params, packed, &pictures[range], noise, beta, scale);
            }
        });
        let mut parts: Vec<&mut [f32]> = self.lanes.iter_mut().map(|l| &mut l.gradient[..]).collect();
        if !reduce::sum_into_first(workers, &mut parts).is_finite() {
            return Err(Error::NotFinite("the VAE's gradient is not finite; lower latent.learning_rate".into()));
        }
        let n = pictures.len() as f64;
        let sse = self.lanes.iter().map(|l| l.sse).sum::<f64>() / n;
        let kl_of = |d: usize| self.lanes.iter().map(|l| l.kl[d]).sum::<f64>() / n;
        let kl: Vec<f64> = (0..self.dim()).map(kl_of).collect();
        let total = kl.iter().sum::<f64>();
        let active_dims = kl.iter().filter(|k| **k > ACTIVE_NATS).count();
        Ok(VaeInfo { sse, kl: total, loss: 0.5 * sse + f64::from(self.beta) * total, active_dims })
    }

    /// Posterior means and log variances (n, 2Z) of pictures (H, W, 3) u8; each row depends on its picture alone.
    pub fn posteriors(&mut self, workers: &Workers, pictures: &[&[u8]], out: &mut [f32]) {
        let (a, params, packed) = (&self.architecture, &self.params, &self.packed);
        let width = 2 * a.dim;
        let size = pictures.len().div_ceil(workers.count()).next_multiple_of(BLOCK).max(BLOCK);
        let shares = pictures.chunks(size).zip(out.chunks_mut(size * width)).zip(&mut self.lanes);
        workers.each(&mut shares.collect::<Vec<_>>(), |_, ((pictures, out), lane)| {
            for (pictures, out) in pictures.chunks(BLOCK).zip(out.chunks_mut(BLOCK * width)) {
                lane.load(a, pictures);
                lane.encoder.forward(a, params, packed, BLOCK);
                out.copy_from_slice(&lane.encoder.heads[..pictures.len() * width]);
            }
        });
        for row in out.chunks_exact_mut(width) {
            row[a.dim..].iter_mut().for_each(|raw| *raw = LOG_VARIANCE_FLOOR + raw.abs());
        }
    }

    /// Posterior means (n, Z): the latents of replay. Each row depends on its picture alone.
    #[must_use]
    pub fn encode(&mut self, workers: &Workers, pictures: &[&[u8]]) -> Vec<f32> {
        let dim = self.dim();
        let mut posteriors = vec![0.0; pictures.len() * 2 * dim];
        self.posteriors(workers, pictures, &mut posteriors);
        posteriors.chunks_exact(2 * dim).flat_map(|row| &row[..dim]).copied().collect()
    }

    /// Posterior mean (Z) of one picture, on the calling thread: what the control loop waits for.
    #[must_use]
    pub fn encode_one(&self, Scratch(encoder): &mut Scratch, picture: &[u8]) -> Vec<f32> {
        pixels_of_picture(picture, &mut encoder.pixels);
        encoder.forward(&self.architecture, &self.params, &self.packed, 1);
        encoder.heads[..self.dim()].to_vec()
    }

    /// Buffers to encode one picture with.
    #[must_use]
    pub fn scratch(&self) -> Scratch {
        Scratch(Encoder::new(&self.architecture, 1))
    }

    /// Mean pictures (H, W, 3) u8 of latents (n, Z), one after the other.
    #[must_use]
    pub fn decode(&mut self, latents: &[f32]) -> Vec<u8> {
        let (a, lane) = (&self.architecture, &mut self.lanes[0]);
        let mut pictures = Vec::with_capacity(latents.len() / a.dim * a.pixels());
        let mut cells = vec![0.0; a.pixels()];
        let mut picture = vec![0; a.pixels()];
        for block in latents.chunks(BLOCK * a.dim) {
            lane.decoder.z.fill(0.0);
            lane.decoder.z[..block.len()].copy_from_slice(block);
            lane.decoder.forward(a, &self.params, &self.packed, BLOCK);
            for i in 0..block.len() / a.dim {
                lane.decoder.mean(a, i, &mut cells);
                picture_of_cells(&cells, a.cells(), a.cells(), &mut picture);
                pictures.extend_from_slice(&picture);
            }
        }
        pictures
    }
}
