//! The VAE in candle, (B, C, H, W): a second implementation, differentiated by candle; in f64 for comparisons.
//!
//! ReLU, clamp and |.| are products with masks, which give the gradients that we define: 0 at a ReLU's kink, 0 outside
//! [0, 1], sign(raw).

use candle_core::{DType, Device, Result, Tensor, Var};

use super::Architecture;
use crate::learn::nn::Params;
use crate::learn::nn::tests::reference::{Margin, vars};

/// Parameters in the order and layout of [`Params`].
pub struct VaeReference {
    a: Architecture,
    dtype: DType,
    pub vars: Vec<Var>,
    /// Weight of the KL term.
    pub beta: f64,
    /// Smallest distance of an argument from its kink, relative to the layer's largest argument; exact zeros are left out.
    pub margin: Margin,
}

/// Scalars, means over the minibatch.
pub struct Loss {
    pub loss: Tensor,
    /// 2 B loss: the official sum, whose gradient goes to Adam.
    pub objective: Tensor,
    pub sse: Tensor,
    pub kl: Tensor,
    /// KL of each dimension (Z).
    pub kl_each: Tensor,
}

impl VaeReference {
    pub fn new(a: &Architecture, params: &Params, beta: f64, dtype: DType) -> Result<Self> {
        Ok(Self { a: a.clone(), dtype, vars: vars(params, dtype)?, beta, margin: Margin::new(f64::INFINITY) })
    }

    /// x (B, 3, H, W) in [0, 1] of pictures (H, W, 3) u8.
    pub fn pictures(&self, pictures: &[&[u8]]) -> Result<Tensor> {
        let size = self.a.image_size;
        let values: Vec<f64> = pictures.iter().copied().flatten().map(|byte| f64::from(*byte) / 255.0).collect();
        Tensor::from_vec(values, (pictures.len(), size, size, 3), &Device::Cpu)?
            .to_dtype(self.dtype)?
            .permute((0, 3, 1, 2))
    }

    /// (B, Z): mean and log variance = log(1e-3) + |raw|.
    pub fn posterior(&self, x: &Tensor) -> Result<(Tensor, Tensor)> {
        let mut h = x.clone();
        for i in 0..self.a.channels.len() {
            let (w, b) = self.layer(Architecture::conv(i));
            let stride = if i == 0 || self.a.image_size == 84 { 3 } else { 2 };
            h = self.relu(&self.conv(&h, w, stride)?.broadcast_add(&b.reshape((1, (), 1, 1))?)?)?;
        }
        let h = self.linear(&h.permute((0, 2, 3, 1))?.flatten_from(1)?, self.a.encoder_flat())?;
        let heads = self.linear(&h, self.a.heads())?;
        let (mean, raw) = (heads.narrow(1, 0, self.a.dim)?, heads.narrow(1, self.a.dim, self.a.dim)?);
        self.note(&raw)?;
        let sign = (self.mask(raw.gt(0.0)?)? - self.mask(raw.lt(0.0)?)?)?;
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
            let y = self.deconv(&h, w, stride)?.broadcast_add(&b.reshape((1, (), 1, 1))?)?;
            h = if i == last { y } else { self.relu(&y)? };
        }
        Ok(h)
    }

    /// Mean pictures (B, 3, H, W).
    pub fn decode(&self, z: &Tensor) -> Result<Tensor> {
        let raw = self.raw_pictures(z)?;
        self.note(&raw)?;
        self.note(&raw.affine(1.0, -1.0)?)?;
        let inside = (self.mask(raw.ge(0.0)?)? * self.mask(raw.le(1.0)?)?)?;
        (&raw * inside)? + self.mask(raw.gt(1.0)?)?
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
        let eps = Tensor::from_slice(noise, (pictures.len(), self.a.dim), &Device::Cpu)?.to_dtype(self.dtype)?;
        let sse = self.squared_errors(&x, &posterior, &eps)?.mean(0)?;
        let (mean, v) = posterior;
        let kl_each = ((v.exp()? + mean.sqr()?)? - v.affine(1.0, 1.0)?)?.mean(0)?.affine(0.5, 0.0)?;
        let kl = kl_each.sum(0)?;
        let loss = ((&sse * 0.5)? + (&kl * self.beta)?)?;
        Ok(Loss { objective: (&loss * (2.0 * pictures.len() as f64))?, loss, sse, kl, kl_each })
    }

    fn layer(&self, i: usize) -> (&Tensor, &Tensor) {
        (self.vars[i].as_tensor(), self.vars[i + 1].as_tensor())
    }

    fn linear(&self, x: &Tensor, i: usize) -> Result<Tensor> {
        let (w, b) = self.layer(i);
        x.contiguous()?.matmul(w)?.broadcast_add(b)
    }

    /// Convolution of x (B, C, H, W) with w (k, k, C, D); in f32 as a matrix product, for speed.
    fn conv(&self, x: &Tensor, w: &Tensor, stride: usize) -> Result<Tensor> {
        if self.dtype == DType::F64 {
            return x.contiguous()?.conv2d(&w.permute((3, 2, 0, 1))?.contiguous()?, 0, stride, 1, 1);
        }
        let ((n, c, big, _), (k, _, _, d)) = (x.dims4()?, w.dims4()?);
        let small = (big - k) / stride + 1;
        let x = x.permute((0, 2, 3, 1))?.contiguous()?.flatten_from(1)?;
        let patches = x.index_select(&taps(small, big, k, stride, c)?, 1)?.reshape((n * small * small, k * k * c))?;
        patches.matmul(&w.reshape((k * k * c, d))?)?.reshape((n, small, small, d))?.permute((0, 3, 1, 2))
    }

    /// Transposed convolution of x (B, D, h, w) with w (D, k, k, C); in f32 as a matrix product, for speed.
    fn deconv(&self, x: &Tensor, w: &Tensor, stride: usize) -> Result<Tensor> {
        if self.dtype == DType::F64 {
            return x.contiguous()?.conv_transpose2d(&w.permute((0, 3, 1, 2))?.contiguous()?, 0, 0, stride, 1);
        }
        let ((n, d, small, _), (_, k, _, c)) = (x.dims4()?, w.dims4()?);
        let big = (small - 1) * stride + k;
        let x = x.permute((0, 2, 3, 1))?.contiguous()?.reshape((n * small * small, d))?;
        let patches = x.matmul(&w.reshape((d, k * k * c))?)?.reshape((n, small * small * k * k * c))?;
        let empty = Tensor::zeros((n, big * big * c), self.dtype, &Device::Cpu)?;
        let y = empty.index_add(&taps(small, big, k, stride, c)?, &patches, 1)?;
        y.reshape((n, big, big, c))?.permute((0, 3, 1, 2))
    }

    fn relu(&self, x: &Tensor) -> Result<Tensor> {
        self.note(x)?;
        x * self.mask(x.gt(0.0)?)?
    }

    fn note(&self, distance: &Tensor) -> Result<()> {
        if self.dtype != DType::F64 {
            return Ok(()); // the margin is used in f64 only
        }
        let distances = distance.abs()?.flatten_all()?.to_vec1::<f64>()?;
        let top = distances.iter().copied().fold(0.0, f64::max);
        let nearest = distances.into_iter().filter(|d| *d > 0.0).fold(f64::INFINITY, f64::min);
        self.margin.set(self.margin.get().min(nearest / top));
        Ok(())
    }

    /// 1 where true, as a constant.
    fn mask(&self, condition: Tensor) -> Result<Tensor> {
        condition.to_dtype(self.dtype).map(|m| m.detach())
    }
}

/// The index in (big, big, C) of each entry (small, small, k, k, C) of all windows.
fn taps(small: usize, big: usize, k: usize, stride: usize, c: usize) -> Result<Tensor> {
    let mut taps = Vec::with_capacity(small * small * k * k * c);
    for (y, x) in (0..small).flat_map(|y| (0..small).map(move |x| (y * stride, x * stride))) {
        for row in y..y + k {
            taps.extend((0..k * c).map(|i| ((row * big + x) * c + i) as u32));
        }
    }
    Tensor::new(taps, &Device::Cpu)
}
