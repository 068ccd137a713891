//! Units of the learner's networks: matrix product, SAC and VAE update, encoding, density, action.

use super::timing::Work;
use crate::config::Config;
use crate::error::Result;
use crate::learn::agent::{Agent, Noise, Sac, SacConfig};
use crate::learn::goals::Batch;
use crate::learn::latent::density::{Estimator, EstimatorConfig};
use crate::learn::latent::{LatentModel, Vae};
use crate::learn::nn::Workers;
use crate::learn::nn::gemm::{MatrixView, matmul};
use crate::learn::policy::Policy;
use crate::learn::rng::normals as normal;
use crate::learn::rng::{self, Rng};
use crate::learn::settings::DensityConfig;

/// Z of the door.
const Z: usize = 16;
/// A of the door.
pub(super) const ACTIONS: usize = 3;

/// The product of two 1024 x 1024 matrices: the ceiling for the rates of all other units.
pub(super) fn gemm(workers: Workers) -> Work {
    let a: Vec<f32> = (0..1024 * 1024).map(|i| (i % 13) as f32 - 6.0).collect();
    let mut dst = vec![0.0; a.len()];
    Box::new(move || {
        square_product(&workers, 1024, &a, &a, &mut dst);
        Ok(())
    })
}

pub(super) fn sac_step(workers: Workers) -> Result<Work> {
    let mut rng = rng::stream(0, "bench", &[]);
    let agent = Config::resolve("door", Vec::new())?.agent;
    let (size, critics) = (agent.batch, agent.critics);
    let mut batch = Batch::default();
    batch.resize(size, Z, ACTIONS);
    batch.mask.fill(1.0);
    batch.observation = normal(size * 2 * Z, &mut rng);
    batch.next_observation = normal(size * 2 * Z, &mut rng);
    batch.action = normal(size * ACTIONS, &mut rng).iter().map(|u| u.tanh()).collect();
    batch.reward = normal(size, &mut rng).iter().map(|r| -r.abs()).collect();
    let mut sac = Sac::new(SacConfig { latent_dim: Z, action_dim: ACTIONS, agent }, &workers, &mut rng);
    let mut noise = Noise::default();
    Ok(Box::new(move || {
        noise.draw(size * ACTIONS, critics, &mut rng);
        sac.update(&batch, &noise, 0).map(|_| ())
    }))
}

/// A new VAE, noise pictures, and a random stream.
pub(super) struct Model {
    vae: Vae,
    beta: f64,
    pictures: Vec<Vec<u8>>,
    rng: Rng,
}

/// A [`Model`] of `cfg` with a number of `pictures`.
pub(super) fn model(cfg: &Config, workers: Workers, pictures: usize) -> Result<Model> {
    use rand::RngCore as _;
    let mut rng = rng::stream(0, "bench", &[]);
    let size = cfg.env.image_size;
    let vae = Vae::new(&cfg.latent, size, &workers, &mut rng)?;
    let mut picture = || {
        let mut bytes = vec![0; size * size * 3];
        rng.fill_bytes(&mut bytes);
        bytes
    };
    let pictures = (0..pictures).map(|_| picture()).collect();
    Ok(Model { vae, beta: cfg.latent.beta, pictures, rng })
}

pub(super) fn vae_step(mut m: Model) -> Work {
    Box::new(move || {
        let pictures: Vec<&[u8]> = m.pictures.iter().map(Vec::as_slice).collect();
        let noise = normal(pictures.len() * m.vae.dim(), &mut m.rng);
        m.vae.update(&pictures, &noise, m.beta, 0).map(|_| ())
    })
}

pub(super) fn encode(mut m: Model) -> Work {
    Box::new(move || {
        let pictures: Vec<&[u8]> = m.pictures.iter().map(Vec::as_slice).collect();
        std::hint::black_box(m.vae.encode(&pictures)?);
        Ok(())
    })
}

pub(super) fn log_density(mut m: Model, cfg: &DensityConfig) -> Work {
    let dim = m.vae.dim();
    let (latents, decoder_variance) = (cfg.latents, cfg.decoder_variance);
    let cfg = EstimatorConfig { estimator: Estimator::Iwae, latents, decoder_variance };
    Box::new(move || {
        let pictures: Vec<&[u8]> = m.pictures.iter().map(Vec::as_slice).collect();
        let mut posteriors = vec![0.0; pictures.len() * 2 * dim];
        m.vae.posteriors(&pictures, &mut posteriors)?;
        let noise = normal(pictures.len() * cfg.latents * dim, &mut m.rng);
        let mut out = vec![0.0; pictures.len()];
        m.vae.log_density(&cfg, &pictures, &posteriors, &noise, &mut out)?;
        std::hint::black_box(out);
        Ok(())
    })
}

pub(super) fn act(workers: &Workers) -> Result<Work> {
    let door = Config::resolve("door", Vec::new())?;
    let mut m = model(&door, Workers::new(1), 1)?;
    let agent = door.agent;
    let sac = Sac::new(SacConfig { latent_dim: Z, action_dim: ACTIONS, agent }, workers, &mut m.rng);
    let goal = normal(Z, &mut m.rng);
    let mut scratch = Policy::new(m.vae.encoder()?, sac.actor()?).scratch();
    Ok(Box::new(move || {
        let policy = Policy::new(m.vae.encoder()?, sac.actor()?);
        let mut observation = policy.encode(&mut scratch, &m.pictures[0]);
        observation.extend_from_slice(&goal);
        std::hint::black_box(policy.mean_action(&mut scratch, &observation));
        Ok(())
    }))
}

/// Multiplies `size` x `size` matrices into `dst`, with one block of rows for each thread.
fn square_product(workers: &Workers, size: usize, a: &[f32], b: &[f32], dst: &mut [f32]) {
    let rows = size.div_ceil(workers.count());
    let mut blocks: Vec<(&[f32], &mut [f32])> = a.chunks(rows * size).zip(dst.chunks_mut(rows * size)).collect();
    workers.each(&mut blocks, |_, (a, dst)| {
        matmul(dst, false, MatrixView::new(a, a.len() / size, size), MatrixView::new(b, size, size));
    });
}
