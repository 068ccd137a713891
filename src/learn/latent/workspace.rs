//! One thread's buffers, and the gradient of one block of pictures; the objective is given in [`vae`](super::vae).

use super::architecture::{Architecture, BLOCK};
use super::decoder::Decoder;
use super::encoder::Encoder;
use super::packed::PackedWeights;
use super::picture::{cells_of_picture, pixels_of_picture};
use crate::learn::nn::Params;

/// Smallest log variance of the posterior, log(1e-3).
pub const LOG_VARIANCE_FLOOR: f32 = -6.907_755_3;

/// One thread's buffers.
pub struct VaeWorkspace {
    pub encoder: Encoder,
    pub decoder: Decoder,
    pub gradient: Vec<f32>,
    /// Sum of |x - x'|^2.
    pub sse: f64,
    /// Sum of the KL of each dimension, nats.
    pub kl: Vec<f64>,
}

impl VaeWorkspace {
    pub fn new(a: &Architecture, params: usize) -> Self {
        Self {
            encoder: Encoder::new(a, BLOCK),
            decoder: Decoder::new(a, BLOCK),
            gradient: vec![0.0; params],
            sse: 0.0,
            kl: vec![0.0; a.dim],
        }
    }

    /// Sets gradient and sums to zero; called before a minibatch.
    pub fn clear(&mut self) {
        self.gradient.fill(0.0);
        self.sse = 0.0;
        self.kl.fill(0.0);
    }

    /// Copies pictures to the encoder's input; the rest of the block is zero.
    pub fn load(&mut self, a: &Architecture, pictures: &[&[u8]]) {
        let mut pixels = self.encoder.pixels.chunks_exact_mut(a.pixels());
        pictures.iter().zip(&mut pixels).for_each(|(picture, pixels)| pixels_of_picture(picture, pixels));
        pixels.for_each(|rest| rest.fill(0.0));
    }

    /// Adds `scale` times the gradient of the block's summed losses.
    #[allow(clippy::too_many_arguments)] // a block's operands
    pub fn add_gradient(
        &mut self,
        a: &Architecture,
        params: &Params,
        packed: &PackedWeights,
        pictures: &[&[u8]],
        noise: &[f32],
        beta: f32,
        scale: f32,
    ) {
        let n = pictures.len();
        self.load(a, pictures);
        for (picture, cells) in pictures.iter().zip(self.encoder.cells.chunks_exact_mut(a.pixels())) {
            cells_of_picture(picture, a.cells(), a.cells(), 27, cells);
        }
        self.encoder.forward(a, params, packed, n);
        self.draw(a.dim, noise);
        self.decoder.forward(a, params, packed, n);
        for (i, target) in self.encoder.cells.chunks_exact(a.pixels()).take(n).enumerate() {
            self.sse += self.decoder.error_gradient(a, i, target, scale);
        }
        self.decoder.backward(a, params, packed, n, &mut self.gradient);
        self.posterior_gradient(a.dim, noise, beta, scale);
        self.encoder.backward(a, params, packed, n, &mut self.gradient);
    }

    /// Writes z = mu + exp(v/2) eps to the decoder's input, and adds the block's KL.
    fn draw(&mut self, dim: usize, noise: &[f32]) {
        for ((head, eps), z) in self
            .encoder
            .heads
            .chunks_exact(2 * dim)
            .zip(noise.chunks_exact(dim))
            .zip(self.decoder.z.chunks_exact_mut(dim))
        {
            for d in 0..dim {
                let (mean, v) = (head[d], LOG_VARIANCE_FLOOR + head[dim + d].abs());
                z[d] = mean + (0.5 * v).exp() * eps[d];
                self.kl[d] += f64::from(kl(mean, v));
            }
        }
    }

    /// dL/d(mu, raw) from dL/dz:  dmu = dz + s beta mu,  dv = dz eps sigma/2 + s beta (e^v - 1)/2,  draw = sign(raw) dv.
    fn posterior_gradient(&mut self, dim: usize, noise: &[f32], beta: f32, scale: f32) {
        let weight = beta * scale;
        for (((head, eps), dz), d_head) in (self.encoder.heads.chunks_exact(2 * dim))
            .zip(noise.chunks_exact(dim))
            .zip(self.decoder.d_z.chunks_exact(dim))
            .zip(self.encoder.d_heads.chunks_exact_mut(2 * dim))
        {
            for d in 0..dim {
                let (mean, raw) = (head[d], head[dim + d]);
                let v = LOG_VARIANCE_FLOOR + raw.abs();
                d_head[d] = dz[d] + weight * mean;
                let dv = dz[d] * eps[d] * 0.5 * (0.5 * v).exp() + weight * 0.5 * (v.exp() - 1.0);
                d_head[dim + d] = if raw == 0.0 { 0.0 } else { dv * raw.signum() };
            }
        }
    }
}

/// KL of one dimension, nats.
#[must_use]
pub fn kl(mean: f32, log_variance: f32) -> f32 {
    -0.5 * (1.0 + log_variance - mean * mean - log_variance.exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracle_04_kl_values() {
        assert_eq!(kl(0.0, 0.0), 0.0);
        assert!((kl(0.0, LOG_VARIANCE_FLOOR) - 2.954_377_6).abs() < 1e-6);
        let h = 1e-2;
        let (mean, v) = (0.7, -1.3f32);
        assert!(((kl(mean + h, v) - kl(mean - h, v)) / (2.0 * h) - mean).abs() < 1e-4);
        assert!(((kl(mean, v + h) - kl(mean, v - h)) / (2.0 * h) - 0.5 * (v.exp() - 1.0)).abs() < 1e-4);
    }
}
