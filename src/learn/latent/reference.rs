//! The same VAE written as candle code, f64 and (B, C, H, W): the second implementation, differentiated by candle.
//!
//! ReLU, clamp and |.| are products with masks, so that their gradients are the stated ones: 0 at a ReLU's kink, 0
//! outside of [0, 1], sign(raw).

use std::cell::Cell;

use candle_core::{DType, Device, Result, Tensor, Var};

use super::Architecture;
use crate::learn::nn::Params;

/// Parameters in the order and layout of [`Params`].
pub struct Reference {
    a: Architecture,
    pub vars: Vec<Var>,
    beta: f64,
    /// Smallest distance of a kink's argument from its kink, relative to the layer's largest; exact zeros excepted.
    pub margin: Cell<f64>,
}

/// Scalars, means over the minibatch.
pub struct Loss {
    pub loss: Tensor,
    /// 2 B loss: the official sum, whose gradient Adam sees.
    pub objective: Tensor,
    pub sse: Tensor,
    pub kl: Tensor,
}

impl Reference {
    pub fn new(a: &Architecture, params: &Params, beta: f64) -> Result<Self> {
        let var = |i: usize| {
            let values: Vec<f64> = params.get(i).iter().map(|x| f64::from(*x)).collect();
            Var::from_tensor(&Tensor::from_vec(values, params.tensors[i].shape.clone(), &Device::Cpu)?)
        };
        let vars = (0..params.tensors.len()).map(var).collect::<Result<_>>()?;
        Ok(Self { a: a.clone(), vars, beta, margin: Cell::new(f64::INFINITY) })
    }

    /// x (B, 3, H, W) in [0, 1] of pictures (H, W, 3) u8.
    pub fn pictures(&self, pictures: &[&[u8]]) -> Result<Tensor> {
        let size = self.a.image_size;
        let values: Vec<f64> = pictures.iter().copied().flatten().map(|byte| f64::from(*byte) / 255.0).collect();
        Tensor::from_vec(values, (pictures.len(), size, size, 3), &Device::Cpu)?.permute((0, 3, 1, 2))
    }

    /// (B, Z): mean and log variance = log(1e-3) + |raw|.
    pub fn posterior(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        let mut h = x.clone();
        for i in 0..self.a.channels.len() {
            let (w, b) = self.layer(Architecture::conv(i));
            let stride = if i == 0 || self.a.image_size == 84 { 3 } else { 2 };
            let y = h.contiguous()?.conv2d(&w.permute((3, 2, 0, 1))?.contiguous()?, 0, stride, 1, 1)?;
            h = self.relu(&y.broadcast_add(&b.reshape((1, (), 1, 1))?)?)?;
        }
        let h = self.linear(&h.permute((0, 2, 3, 1))?.flatten_from(1)?, self.a.encoder_flat())?;
        let heads = self.linear(&h, self.a.heads())?;
        let (mean, raw) = (heads.narrow(1, 0, self.a.dim)?, heads.narrow(1, self.a.dim, self.a.dim)?);
        self.note(&raw)?;
        let sign = (mask(raw.gt(0.0)?)? - mask(raw.lt(0.0)?)?)?;
        Ok((mean, (raw * sign)?.affine(1.0, 1e-3f64.ln())?))
    }

    /// Mean pictures (B, 3, H, W), before the clamp to [0, 1].
    pub fn raw_pictures(&self, z: &Tensor) -> Result<Tensor> {
        let h = self.relu(&self.linear(z, self.a.decoder_flat())?)?;
        let channels = self.a.channels[self.a.channels.len() - 1];
        let side = (self.a.flat / channels).isqrt();
        let mut h = h.reshape(((), side, side, channels))?.permute((0, 3, 1, 2))?;
        let last = self.a.channels.len() - 1;
        for i in 0..=last {
            let (w, b) = self.layer(self.a.deconv(i));
            let stride = if i == last || self.a.image_size == 84 { 3 } else { 2 };
            let y = h.contiguous()?.conv_transpose2d(&w.permute((0, 3, 1, 2))?.contiguous()?, 0, 0, stride, 1)?;
            let y = y.broadcast_add(&b.reshape((1, (), 1, 1))?)?;
            h = if i == last { y } else { self.relu(&y)? };
        }
        Ok(h)
    }

    /// Mean pictures (B, 3, H, W).
    pub fn decode(&self, z: &Tensor) -> Result<Tensor> {
        let raw = self.raw_pictures(z)?;
        self.note(&raw)?;
        self.note(&raw.affine(1.0, -1.0)?)?;
        let inside = (mask(raw.ge(0.0)?)? * mask(raw.le(1.0)?)?)?;
        (&raw * inside)? + mask(raw.gt(1.0)?)?
    }

    /// (B): |x - x'|^2 for z = mu + sigma eps.
    pub fn squared_errors(&self, x: &Tensor, (mean, v): &(Tensor, Tensor), eps: &Tensor) -> Result<Tensor> {
        let z = (mean + ((v * 0.5)?.exp()? * eps)?)?;
        (self.decode(&z)? - x)?.sqr()?.flatten_from(1)?.sum(1)
    }

    /// mean_i [ 1/2 |x_i - x'_i|^2 + beta KL_i ] with noise eps (B, Z).
    pub fn loss(&self, pictures: &[&[u8]], noise: &[f32]) -> Result<Loss> {
        let x = self.pictures(pictures)?;
        let posterior = self.posterior(&x)?;
        let eps = Tensor::from_slice(noise, (pictures.len(), self.a.dim), &Device::Cpu)?.to_dtype(DType::F64)?;
        let sse = self.squared_errors(&x, &posterior, &eps)?.mean(0)?;
        let (mean, v) = posterior;
        let kl = ((v.exp()? + mean.sqr()?)? - v.affine(1.0, 1.0)?)?.sum(1)?.mean(0)?.affine(0.5, 0.0)?;
        let loss = ((&sse * 0.5)? + (&kl * self.beta)?)?;
        Ok(Loss { objective: (&loss * (2.0 * pictures.len() as f64))?, loss, sse, kl })
    }

    fn layer(&self, i: usize) -> (&Tensor, &Tensor) {
        (self.vars[i].as_tensor(), self.vars[i + 1].as_tensor())
    }

    fn linear(&self, x: &Tensor, i: usize) -> Result<Tensor> {
        let (w, b) = self.layer(i);
        x.contiguous()?.matmul(w)?.broadcast_add(b)
    }

    fn relu(&self, x: &Tensor) -> Result<Tensor> {
        self.note(x)?;
        x * mask(x.gt(0.0)?)?
    }

    fn note(&self, distance: &Tensor) -> Result<()> {
        let distances = distance.abs()?.flatten_all()?.to_vec1::<f64>()?;
        let top = distances.iter().copied().fold(0.0, f64::max);
        let nearest = distances.into_iter().filter(|d| *d > 0.0).fold(f64::INFINITY, f64::min);
        self.margin.set(self.margin.get().min(nearest / top));
        Ok(())
    }
}

/// 1 where true, as a constant.
fn mask(condition: Tensor) -> Result<Tensor> {
    condition.to_dtype(DType::F64).map(|m| m.detach())
}
