//! A beta-VAE trained on  L = mean over images of [ 1/2 |x - x'|^2 + beta KL(q(z|x) || N(0, I)) ],  z = mu + sigma eps.
//!
//! KL = -1/2 sum_d (1 + v_d - mu_d^2 - e^{v_d}),  v = log sigma^2 = log(1e-3) + |raw|  (Kingma & Welling 2014, arXiv
//! 1312.6114, appendix B; Higgins et al. 2017 for beta). Pixels are in [0, 1]; the error is summed over pixels and colours.
//! The gradient is that of 2 B L, the official sum over the minibatch: the first gradients of a mean would be so small that
//! Adam's epsilon would slow them down.

use super::architecture::{Architecture, BLOCK};
use super::density::{self, EstimatorConfig};
use super::host::HostEncoder;
use super::model::{ACTIVE_NATS, LatentModel, VaeInfo};
use super::packed::PackedWeights;
use super::picture::picture_of_cells;
use super::workspace::{LOG_VARIANCE_FLOOR, VaeWorkspace};
use crate::error::{Error, Result};
use crate::learn::nn::adam::halved;
use crate::learn::nn::{Adam, ModelState, Params, Workers, reduce};
use crate::learn::rng::Rng;
use crate::learn::settings::LatentConfig;

/// The hand-written VAE and its optimiser.
pub struct Vae {
    /// Shapes.
    pub architecture: Architecture,
    /// `encoder.*`, `decoder.*`.
    pub params: Params,
    /// Moments.
    pub adam: Adam,
    pub(super) packed: PackedWeights,
    pub(super) workspaces: Vec<VaeWorkspace>,
    pub(super) workers: Workers,
    learning_rate: f64,
}

impl Vae {
    /// A new model for pictures of `image_size` x `image_size` pixels, on these `workers`.
    ///
    /// # Errors
    /// `Usage` if image size and channels do not fit.
    pub fn new(cfg: &LatentConfig, image_size: usize, workers: &Workers, rng: &mut Rng) -> Result<Self> {
        let architecture = Architecture::new(image_size, cfg.dim, &cfg.channels)?;
        let params = architecture.init(cfg.init, rng);
        let workspaces = (0..workers.count()).map(|_| VaeWorkspace::new(&architecture, params.values.len())).collect();
        let packed = PackedWeights::new(&architecture, &params);
        let adam = Adam::new(params.values.len());
        let learning_rate = cfg.learning_rate;
        let workers = workers.clone();
        Ok(Self { architecture, params, adam, packed, workspaces, workers, learning_rate })
    }

    /// Packs the weights again; must be called after `params` were changed.
    pub fn parameters_changed(&mut self) {
        self.packed.update(&self.architecture, &self.params);
    }

    /// Computes the gradient; the first workspace has the sum over all threads.
    pub(super) fn gradients(&mut self, pictures: &[&[u8]], noise: &[f32], beta: f64) -> Result<VaeInfo> {
        let workers = &self.workers;
        let shares = workers.shares(pictures.len(), 8);
        let (a, params, packed) = (&self.architecture, &self.params, &self.packed);
        let scale = 2.0; // the gradient of 2 (1/2 |x - x'|^2 + beta KL) of one image
        workers.each(&mut self.workspaces, |i, workspace| {
            workspace.clear();
            let share = shares[i].clone();
            for start in share.clone().step_by(BLOCK) {
                let range = start..(start + BLOCK).min(share.end);
                let noise = &noise[range.start * a.dim..range.end * a.dim];
                workspace.add_gradient(a, params, packed, &pictures[range], noise, beta as f32, scale);
            }
        });
        let mut parts: Vec<&mut [f32]> = self.workspaces.iter_mut().map(|l| &mut l.gradient[..]).collect();
        if !reduce::sum_into_first(workers, &mut parts).is_finite() {
            return Err(Error::NotFinite("the VAE's gradient is not finite; lower latent.learning_rate".into()));
        }
        let n = pictures.len() as f64;
        let sse = self.workspaces.iter().map(|l| l.sse).sum::<f64>() / n;
        let kl_of = |d: usize| self.workspaces.iter().map(|l| l.kl[d]).sum::<f64>() / n;
        let kl: Vec<f64> = (0..a.dim).map(kl_of).collect();
        let total = kl.iter().sum::<f64>();
        let active_dims = kl.iter().filter(|k| **k > ACTIVE_NATS).count();
        Ok(VaeInfo { sse, kl: total, loss: 0.5 * sse + beta * total, active_dims })
    }
}

impl LatentModel for Vae {
    fn dim(&self) -> usize {
        self.architecture.dim
    }

    fn update(&mut self, pictures: &[&[u8]], noise: &[f32], beta: f64, halvings: u32) -> Result<VaeInfo> {
        let info = self.gradients(pictures, noise, beta)?;
        let gradient = &self.workspaces[0].gradient;
        let rate = halved(self.learning_rate, halvings);
        self.adam.step(&self.workers, rate, &mut self.params.values, gradient, None);
        self.parameters_changed();
        Ok(info)
    }

    fn posteriors(&mut self, pictures: &[&[u8]], out: &mut [f32]) -> Result<()> {
        let (a, params, packed) = (&self.architecture, &self.params, &self.packed);
        let width = 2 * a.dim;
        let size = pictures.len().div_ceil(self.workers.count()).next_multiple_of(BLOCK).max(BLOCK);
        let shares = pictures.chunks(size).zip(out.chunks_mut(size * width)).zip(&mut self.workspaces);
        self.workers.each(&mut shares.collect::<Vec<_>>(), |_, ((pictures, out), workspace)| {
            for (pictures, out) in pictures.chunks(BLOCK).zip(out.chunks_mut(BLOCK * width)) {
                workspace.load(a, pictures);
                workspace.encoder.forward(a, params, packed, BLOCK);
                out.copy_from_slice(&workspace.encoder.heads[..pictures.len() * width]);
            }
        });
        for row in out.chunks_exact_mut(width) {
            row[a.dim..].iter_mut().for_each(|raw| *raw = LOG_VARIANCE_FLOOR + raw.abs());
        }
        Ok(())
    }

    fn log_density(
        &mut self,
        cfg: &EstimatorConfig,
        pictures: &[&[u8]],
        posteriors: &[f32],
        noise: &[f32],
        out: &mut [f64],
    ) -> Result<()> {
        density::log_density(self, cfg, pictures, posteriors, noise, out);
        Ok(())
    }

    fn decode(&mut self, latents: &[f32]) -> Result<Vec<u8>> {
        let (a, workspace) = (&self.architecture, &mut self.workspaces[0]);
        let mut pictures = Vec::with_capacity(latents.len() / a.dim * a.pixels());
        let mut cells = vec![0.0; a.pixels()];
        let mut picture = vec![0; a.pixels()];
        for block in latents.chunks(BLOCK * a.dim) {
            workspace.decoder.z.fill(0.0);
            workspace.decoder.z[..block.len()].copy_from_slice(block);
            workspace.decoder.forward(a, &self.params, &self.packed, BLOCK);
            for i in 0..block.len() / a.dim {
                workspace.decoder.mean(a, i, &mut cells);
                picture_of_cells(&cells, a.cells(), a.cells(), &mut picture);
                pictures.extend_from_slice(&picture);
            }
        }
        Ok(pictures)
    }

    fn encoder(&self) -> Result<HostEncoder<'_>> {
        Ok(HostEncoder { architecture: &self.architecture, params: &self.params, packed: &self.packed })
    }

    fn state(&self) -> Result<ModelState> {
        let mut state = ModelState::default();
        state.push(&self.params, Some(("vae", &self.adam)));
        Ok(state)
    }

    fn restore(&mut self, state: &ModelState) -> Result<()> {
        let read = state.read(&mut self.params, Some(("vae", &mut self.adam)));
        self.parameters_changed();
        read
    }
}
