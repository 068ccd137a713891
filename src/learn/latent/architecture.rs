//! Sizes of the convolutional beta-VAE (48 px: 48 -> 15 -> 7 -> 3 and back), its tensors and their initial values.
//!
//! Encoder: conv 5x5 s3, then conv 3x3 s2 until 3x3 (84 px: 5x5 s3 until 2x2, as in the official code), each with
//! ReLU; a linear layer without activation; a linear layer to (mean, raw log variance).
//! Decoder: a linear layer with ReLU, then the transposed convolutions; the last one is 6x6 s3 without activation.

use crate::error::{Error, Result};
use crate::learn::nn::Params;
use crate::learn::nn::conv::{ConvLayer, Window};
use crate::learn::nn::lattice::Lattice;
use crate::learn::nn::windows::Grid;
use crate::learn::rng::Rng;
use crate::learn::settings::LinearInit;

/// Kernel of the first convolution; its stride is 3.
pub const FIRST_KERNEL: usize = 5;
/// Kernel of the last transposed convolution; its stride is 3.
pub const LAST_KERNEL: usize = 6;
/// Pictures per block; encode and decode always process whole, zero-padded blocks.
pub const BLOCK: usize = 32;

/// Shapes that follow from image size, channels and latent dimensions.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    /// H = W, pixels.
    pub image_size: usize,
    /// Z.
    pub dim: usize,
    /// Channels of the convolutions.
    pub channels: Vec<usize>,
    /// Convolutions after the first, from the big side to the small.
    pub convs: Vec<ConvLayer>,
    /// Transposed convolutions before the last, from the small side to the big.
    pub deconvs: Vec<ConvLayer>,
    /// Lattice of the first convolution's gradients, on cells of 3 x 3 pixels.
    pub first: Lattice,
    /// Lattice of the last transposed convolution's gradients, with a zero border.
    pub last: Lattice,
    /// F, the number of floats between convolutions and linear layers.
    pub flat: usize,
}

impl Architecture {
    /// Shapes for `image_size` in {24, 48, 84, 96}, with one entry of `channels` per convolution.
    ///
    /// # Errors
    /// `Usage` for another image size or a wrong number of channels.
    pub fn new(image_size: usize, dim: usize, channels: &[usize]) -> Result<Self> {
        let sizes = Self::sizes(image_size)
            .ok_or_else(|| Error::Usage(format!("env.image_size {image_size} has no encoder; use 24, 48, 84 or 96")))?;
        if sizes.len() != channels.len() {
            let want = sizes.len();
            return Err(Error::Usage(format!("latent.channels needs {want} entries for {image_size} px")));
        }
        let (kernel, stride) = if image_size == 84 { (5, 3) } else { (3, 2) };
        let (cells, padded) = (image_size / 3, sizes[0] + 2);
        let pairs = || sizes.windows(2).zip(channels.windows(2)).enumerate();
        let convs = pairs().map(|(i, (s, c))| {
            let pitch = if i == 0 { cells } else { s[0] };
            let window = Window { kernel, stride, small: s[1], big: s[0], pitch, offset: 0 };
            ConvLayer { window, big_channels: c[0], small_channels: c[1] }
        });
        let deconvs = pairs().map(|(i, (s, c))| {
            let (pitch, offset) = if i == 0 { (padded, 1) } else { (s[0], 0) };
            let kernel = s[0] - (s[1] - 1) * stride;
            let window = Window { kernel, stride, small: s[1], big: s[0], pitch, offset };
            ConvLayer { window, big_channels: c[0], small_channels: c[1] }
        });
        let side = sizes[sizes.len() - 1];
        Ok(Self {
            image_size,
            dim,
            channels: channels.to_vec(),
            convs: convs.collect(),
            deconvs: deconvs.rev().collect(),
            first: Lattice { side: cells, inputs: 27, outputs: channels[0] },
            last: Lattice { side: padded, inputs: channels[0], outputs: 27 },
            flat: side * side * channels[channels.len() - 1],
        })
    }

    /// Side after each convolution, e.g. 48 -> [15, 7, 3]; `None` for an unknown image size.
    #[must_use]
    pub fn sizes(image_size: usize) -> Option<Vec<usize>> {
        match image_size {
            24 => Some(vec![7, 3]),
            48 => Some(vec![15, 7, 3]),
            96 => Some(vec![31, 15, 7, 3]),
            84 => Some(vec![27, 8, 2]),
            _ => None,
        }
    }

    /// Default channels of the convolutions.
    #[must_use]
    pub fn usual_channels(image_size: usize) -> &'static [usize] {
        match image_size {
            24 => &[16, 32],
            96 => &[16, 32, 64, 64],
            84 => &[16, 32, 32],
            _ => &[16, 32, 64],
        }
    }

    /// Cells of 3 x 3 pixels per side.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.image_size / 3
    }

    /// Input grid of the last transposed convolution, in a border of zeros.
    #[must_use]
    pub fn framed(&self) -> Grid {
        Grid { side: self.last.side - 2, pitch: self.last.side, offset: 1, channels: self.last.inputs }
    }

    /// Output grid of the last transposed convolution: cells of 3 x 3 pixels, without the last row and column of the lattice.
    #[must_use]
    pub fn cell_grid(&self) -> Grid {
        Grid { side: self.cells(), pitch: self.last.side, offset: 0, channels: self.last.outputs }
    }

    /// Floats of a picture, H W 3.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.image_size * self.image_size * 3
    }

    /// Tensor index of the weights of convolution `i`; in every layer the bias is the next tensor.
    #[must_use]
    pub fn conv(i: usize) -> usize {
        2 * i
    }

    /// Tensor index of the linear layer after the convolutions, (F, F).
    #[must_use]
    pub fn encoder_flat(&self) -> usize {
        2 * self.channels.len()
    }

    /// Tensor index of the last encoder layer, (F, 2Z): mean, then raw log variance.
    #[must_use]
    pub fn heads(&self) -> usize {
        self.encoder_flat() + 2
    }

    /// Tensor index of the first decoder layer, (Z, F).
    #[must_use]
    pub fn decoder_flat(&self) -> usize {
        self.encoder_flat() + 4
    }

    /// Tensor index of transposed convolution `i`, counted from the latent on.
    #[must_use]
    pub fn deconv(&self, i: usize) -> usize {
        self.encoder_flat() + 6 + 2 * i
    }

    /// Initial values: (transposed) convolutions U(+-1/sqrt(n)), n = C_in k k for conv and C_out k k for deconv, with
    /// biases 0; weights and biases of linear layers by `linear`.
    #[must_use]
    pub fn init(&self, linear: LinearInit, rng: &mut Rng) -> Params {
        let mut params = Params::zeros(self.layout());
        for weight in (0..params.tensors.len()).step_by(2) {
            let tensor = &params.tensors[weight];
            let bounds = match (tensor.name.contains(".conv"), tensor.shape.as_slice()) {
                (true, [k, l, c, _]) | (false, [_, k, l, c]) => [1.0 / ((k * l * c) as f64).sqrt(), 0.0],
                (_, shape) => match linear {
                    LinearInit::Small => [1e-3; 2],
                    LinearInit::FanIn => [1.0 / (shape[0] as f64).sqrt(); 2],
                },
            };
            params.uniform(weight, bounds[0], rng);
            params.uniform(weight + 1, bounds[1], rng);
        }
        params
    }

    fn layout(&self) -> Vec<(String, Vec<usize>)> {
        let mut tensors = Vec::new();
        let mut layer = |name: &str, weight: Vec<usize>, bias: usize| {
            tensors.push((format!("{name}.weight"), weight));
            tensors.push((format!("{name}.bias"), vec![bias]));
        };
        layer("encoder.conv0", vec![FIRST_KERNEL, FIRST_KERNEL, 3, self.channels[0]], self.channels[0]);
        for (i, l) in self.convs.iter().enumerate() {
            let k = l.window.kernel;
            layer(&format!("encoder.conv{}", i + 1), vec![k, k, l.big_channels, l.small_channels], l.small_channels);
        }
        layer("encoder.flat", vec![self.flat, self.flat], self.flat);
        layer("encoder.heads", vec![self.flat, 2 * self.dim], 2 * self.dim);
        layer("decoder.flat", vec![self.dim, self.flat], self.flat);
        for (i, l) in self.deconvs.iter().enumerate() {
            let k = l.window.kernel;
            layer(&format!("decoder.deconv{i}"), vec![l.small_channels, k, k, l.big_channels], l.big_channels);
        }
        let (last, k) = (self.deconvs.len(), LAST_KERNEL);
        layer(&format!("decoder.deconv{last}"), vec![self.channels[0], k, k, 3], 3);
        tensors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn oracle_19_sizes_and_parameter_counts() {
        let count = |size, dim, channels: &[usize]| {
            Architecture::new(size, dim, channels)
                .unwrap()
                .init(LinearInit::Small, &mut Rng::seed_from_u64(0))
                .values
                .len()
        };
        assert_eq!(Architecture::sizes(48), Some(vec![15, 7, 3]));
        assert_eq!(count(48, 16, &[16, 32, 64]), 409_779);
        assert_eq!(count(48, 4, &[16, 32, 64]), 389_019);
        for (size, channels) in [(24, vec![4, 8]), (96, vec![4, 4, 4, 4]), (84, vec![16, 32, 32])] {
            let a = Architecture::new(size, 4, &channels).unwrap();
            assert_eq!(a.last.side, a.first.side + 1);
            for l in a.convs.iter().chain(&a.deconvs) {
                assert!((l.window.small - 1) * l.window.stride + l.window.kernel <= l.window.big);
            }
            for l in &a.deconvs {
                assert_eq!((l.window.small - 1) * l.window.stride + l.window.kernel, l.window.big);
            }
        }
        assert!(Architecture::new(50, 4, &[1, 2, 3]).is_err() && Architecture::new(48, 4, &[1]).is_err());
    }
}
