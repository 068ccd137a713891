//! Oracles of the VAE and the density, and their common helpers.

mod density;
mod gradients;
mod posteriors;
mod shapes;

use candle_core::Tensor;
use rand::Rng as _;
use rand_distr::{Distribution, StandardNormal};

use super::reference::VaeReference;
use super::{Architecture, LatentModel, Vae};
use crate::learn::nn::Workers;
use crate::learn::rng::{Rng, stream};
use crate::learn::settings::{LatentConfig, LinearInit};

const SIZES: [(usize, &[usize]); 4] = [(24, &[4, 6]), (48, &[4, 6, 8]), (84, &[4, 6, 8]), (96, &[4, 4, 6, 8])];
/// The door's channels, for which products with few and with many rows use different kernels.
const OFFICIAL: [(usize, &[usize]); 2] = [(48, &[16, 32, 64]), (84, &[16, 32, 32])];
const DIM: usize = 3;
const BETA: f64 = 0.078_125;

fn config(channels: &[usize]) -> LatentConfig {
    LatentConfig {
        dim: DIM,
        channels: channels.to_vec(),
        beta: BETA,
        batch: 1,
        learning_rate: 1e-3,
        init: LinearInit::Small,
        phases: vec![],
    }
}

/// A small VAE with initial weights; with `wide`, larger weights put pixels on both sides of the clamp.
fn vae(size: usize, channels: &[usize], threads: usize, wide: bool) -> Vae {
    let mut rng = stream(1, "oracle-vae", &[size as u64]);
    let mut vae = Vae::new(&config(channels), size, &Workers::new(threads), &mut rng).unwrap();
    if wide {
        widen(&mut vae, &mut rng);
    }
    vae
}

/// He-uniform weights, doubled in the last layer; biases U(-.1, .1), plus 1/2 in the last layer.
fn widen(vae: &mut Vae, rng: &mut Rng) {
    for i in 0..vae.params.tensors.len() {
        let fan_in = match vae.params.tensors[i].shape[..] {
            [k, _, c, _] if vae.params.tensors[i].name.contains(".conv") => k * k * c,
            [c, ..] => 3 * c,
            [] => 1,
        };
        let bias = vae.params.tensors[i].name.ends_with("bias");
        vae.params.uniform(i, if bias { 0.1 } else { (6.0 / fan_in as f64).sqrt() }, rng);
    }
    let last = vae.params.tensors.len() - 1;
    vae.params.get_mut(last).iter_mut().for_each(|b| *b += 0.5);
    vae.params.get_mut(last - 1).iter_mut().for_each(|w| *w *= 2.0);
    vae.parameters_changed();
}

fn reference(vae: &Vae) -> VaeReference {
    VaeReference::new(&vae.architecture, &vae.params, BETA, candle_core::DType::F64).unwrap()
}

/// Pictures of blocks with some noise, and standard normal noise (n, `per_picture`).
fn data(a: &Architecture, n: usize, per_picture: usize, seed: u64) -> (Vec<Vec<u8>>, Vec<f32>) {
    let mut rng = stream(seed, "oracle-data", &[a.image_size as u64, n as u64]);
    let picture = |rng: &mut Rng| {
        let ground: [u8; 4] = rng.random();
        let block = |i: usize| ground[(i / 24 + i / (6 * a.image_size)) % 4];
        (0..a.pixels()).map(|i| block(i).saturating_add(rng.random_range(0..40))).collect()
    };
    let pictures = (0..n).map(|_| picture(&mut rng)).collect();
    (pictures, (0..n * per_picture).map(|_| StandardNormal.sample(&mut rng)).collect())
}

fn views(pictures: &[Vec<u8>]) -> Vec<&[u8]> {
    pictures.iter().map(Vec::as_slice).collect()
}

/// Largest difference relative to the largest entry of `want`.
fn difference(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let top = want.iter().fold(0.0f64, |top, w| top.max(w.abs()));
    let worst = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).abs());
    worst.fold(0.0, |worst, d| if d <= worst { worst } else { d }) / top.max(1e-30)
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn scalar(tensor: &Tensor) -> f64 {
    tensor.to_scalar().unwrap()
}
