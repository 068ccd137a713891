//! The latent model in candle.

use candle_core::{DType, Device, Tensor};

use super::Network;
use crate::error::Result;
use crate::learn::latent::density::{EstimatorConfig, Term, estimate, log_likelihood, log_ratio};
use crate::learn::latent::model::ACTIVE_NATS;
use crate::learn::latent::reference::VaeReference;
use crate::learn::latent::{Architecture, HostEncoder, LatentModel, PackedWeights, VaeInfo};
use crate::learn::nn::adam::halved;
use crate::learn::nn::{ModelState, Params};
use crate::learn::settings::LatentConfig;

pub struct CandleVae {
    reference: VaeReference,
    network: Network,
    architecture: Architecture,
    packed: PackedWeights,
    rate: f64,
}

impl CandleVae {
    /// A model with the values of `params`.
    pub fn new(cfg: &LatentConfig, image_size: usize, params: &Params) -> Result<Self> {
        let architecture = Architecture::new(image_size, cfg.dim, &cfg.channels)?;
        let reference = VaeReference::new(&architecture, params, cfg.beta, DType::F32)?;
        let network = Network::new(&reference.vars, params, Some("vae"))?;
        let packed = PackedWeights::new(&architecture, params);
        Ok(Self { reference, network, architecture, packed, rate: cfg.learning_rate })
    }
}

impl LatentModel for CandleVae {
    fn dim(&self) -> usize {
        self.architecture.dim
    }

    fn update(&mut self, pictures: &[&[u8]], noise: &[f32], beta: f64, halvings: u32) -> Result<VaeInfo> {
        self.reference.beta = beta;
        let loss = self.reference.loss(pictures, noise)?;
        let (gradients, _) = self.network.gradients(&loss.objective)?;
        self.network.step(&gradients, halved(self.rate, halvings))?;
        self.packed.update(&self.architecture, &self.network.host);
        let [sse, kl, loss, kl_each] = [&loss.sse, &loss.kl, &loss.loss, &loss.kl_each].map(|x| x.to_dtype(DType::F64));
        let active_dims = kl_each?.to_vec1::<f64>()?.iter().filter(|kl| **kl > ACTIVE_NATS).count();
        Ok(VaeInfo { sse: sse?.to_scalar()?, kl: kl?.to_scalar()?, loss: loss?.to_scalar()?, active_dims })
    }

    fn posteriors(&mut self, pictures: &[&[u8]], out: &mut [f32]) -> Result<()> {
        for (pictures, out) in pictures.chunks(128).zip(out.chunks_mut(128 * 2 * self.dim())) {
            let (mean, log_variance) = self.reference.posterior(&self.reference.pictures(pictures)?)?;
            out.copy_from_slice(&Tensor::cat(&[mean, log_variance], 1)?.flatten_all()?.to_vec1::<f32>()?);
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
        let (n, dim, pixels) = (pictures.len(), self.dim(), self.architecture.pixels());
        let x = self.reference.pictures(pictures)?;
        let rows = Tensor::from_slice(posteriors, (n, 2 * dim), &Device::Cpu)?;
        let posterior = (rows.narrow(1, 0, dim)?.contiguous()?, rows.narrow(1, dim, dim)?.contiguous()?);
        let all = Tensor::from_slice(noise, (n, cfg.latents, dim), &Device::Cpu)?;
        let mut terms = vec![Vec::with_capacity(cfg.latents); n];
        for k in 0..cfg.latents {
            let eps = all.narrow(1, k, 1)?.squeeze(1)?.contiguous()?;
            let errors = self.reference.squared_errors(&x, &posterior, &eps)?.to_vec1::<f32>()?;
            for (i, (error, row)) in errors.into_iter().zip(posteriors.chunks_exact(2 * dim)).enumerate() {
                let (mean, log_variance) = row.split_at(dim);
                let eps = &noise[(i * cfg.latents + k) * dim..][..dim];
                let z: Vec<f32> = (0..dim).map(|d| mean[d] + (0.5 * log_variance[d]).exp() * eps[d]).collect();
                let log_likelihood = log_likelihood(f64::from(error), pixels, cfg.decoder_variance);
                terms[i].push(Term { log_ratio: log_ratio(&z, eps, log_variance), log_likelihood });
            }
        }
        out.iter_mut().zip(&terms).for_each(|(out, terms)| *out = estimate(terms, cfg.estimator));
        Ok(())
    }

    fn decode(&mut self, latents: &[f32]) -> Result<Vec<u8>> {
        let z = Tensor::from_slice(latents, (latents.len() / self.dim(), self.dim()), &Device::Cpu)?;
        let pictures = self.reference.decode(&z)?.permute((0, 2, 3, 1))?.flatten_all()?;
        Ok(pictures.to_vec1::<f32>()?.into_iter().map(|x| (x * 255.0 + 0.5) as u8).collect())
    }

    fn encoder(&self) -> Result<HostEncoder<'_>> {
        Ok(HostEncoder { architecture: &self.architecture, params: &self.network.host, packed: &self.packed })
    }

    fn state(&self) -> Result<ModelState> {
        let mut state = ModelState::default();
        self.network.push(&mut state)?;
        Ok(state)
    }

    fn restore(&mut self, state: &ModelState) -> Result<()> {
        let read = self.network.read(state);
        self.packed.update(&self.architecture, &self.network.host);
        read
    }
}
