//! The decoder on one block of latents, forward and backward:  z -> flat -> transposed convolutions -> cells of pixels.
//!
//! The mean picture is clamp(output, 0, 1), bias included; outside [0, 1] its gradient is zero.

use super::architecture::Architecture;
use super::encoder::weight_and_bias;
use super::packed::PackedWeights;
use crate::learn::nn::Params;
use crate::learn::nn::conv::ConvLayer;
use crate::learn::nn::dense::{self, Nonlinearity};
use crate::learn::nn::direct::{BiasActivation, Epilogue};
use crate::learn::nn::gemm::MatrixView;

/// One thread's buffers for up to `images` latents.
pub struct Decoder {
    /// (images, Z).
    pub z: Vec<f32>,
    /// Gradient of `z`.
    pub d_z: Vec<f32>,
    /// Outputs of the flat layer and of the transposed convolutions; the last one is framed by zeros.
    hidden: Vec<Vec<f32>>,
    d_hidden: Vec<Vec<f32>>,
    /// (images, g+1, g+1, 27) outputs before the clamp; row and column g have no meaning.
    cells: Vec<f32>,
    /// Gradient of `cells`, with `margin` zero rows in front.
    d_cells: Vec<f32>,
    d_last: Vec<f32>,
    patches: Vec<f32>,
}

impl Decoder {
    pub fn new(a: &Architecture, images: usize) -> Self {
        let frame = |l: &ConvLayer| l.window.pitch * l.window.pitch * l.big_channels;
        let sizes = [a.flat].into_iter().chain(a.deconvs.iter().map(frame));
        let hidden: Vec<Vec<f32>> = sizes.map(|n| vec![0.0; n * images]).collect();
        Self {
            z: vec![0.0; images * a.dim],
            d_z: vec![0.0; images * a.dim],
            d_hidden: hidden.clone(),
            hidden,
            cells: vec![0.0; a.last.rows(images) * 27],
            d_cells: vec![0.0; (a.last.rows(images) + a.last.margin()) * 27],
            d_last: vec![0.0; 4 * 27 * a.channels[0]],
            patches: vec![0.0; a.deconvs.iter().map(ConvLayer::scratch).max().unwrap_or(0)],
        }
    }

    /// Computes `cells` for the first `n` latents of `z`.
    pub fn forward(&mut self, a: &Architecture, params: &Params, packed: &PackedWeights, n: usize) {
        self.forward_hidden(a, params, packed, n);
        let store =
            &mut BiasActivation { bias: &packed.last_bias, activation: Nonlinearity::Identity, y: &mut self.cells };
        packed.deconvs[a.deconvs.len()].run(&self.hidden[a.deconvs.len()], n, store);
    }

    /// Decodes the first `n` latents of `z`, and gives the sums of the last layer only to `sink`.
    pub fn forward_into(
        &mut self,
        sink: &mut impl Epilogue,
        a: &Architecture,
        params: &Params,
        packed: &PackedWeights,
        n: usize,
    ) {
        self.forward_hidden(a, params, packed, n);
        packed.deconvs[a.deconvs.len()].run(&self.hidden[a.deconvs.len()], n, sink);
    }

    fn forward_hidden(&mut self, a: &Architecture, params: &Params, packed: &PackedWeights, n: usize) {
        let flat = a.decoder_flat();
        let z = MatrixView::new(&self.z, n, a.dim);
        dense::forward(z, n, params.get(flat), params.get(flat + 1), Nonlinearity::Relu, &mut self.hidden[0]);
        for i in 0..a.deconvs.len() {
            let (below, above) = self.hidden.split_at_mut(i + 1);
            let bias = params.get(a.deconv(i) + 1);
            packed.deconvs[i].run(
                &below[i],
                n,
                &mut BiasActivation { bias, activation: Nonlinearity::Relu, y: &mut above[0] },
            );
        }
    }

    /// Range of line `i` of image `image` in `cells`, (g 27).
    fn line(a: &Architecture, image: usize, i: usize) -> std::ops::Range<usize> {
        let start = (image * a.last.side + i) * a.last.side * 27;
        start..start + a.cells() * 27
    }

    /// Writes the mean picture of image `image` as cells (g, g, 27).
    pub fn mean(&self, a: &Architecture, image: usize, out: &mut [f32]) {
        for (i, line) in out.chunks_exact_mut(a.cells() * 27).enumerate() {
            let raw = &self.cells[Self::line(a, image, i)];
            line.iter_mut().zip(raw).for_each(|(out, raw)| *out = raw.clamp(0.0, 1.0));
        }
    }

    /// |x - x'|^2 of decoded image `image` against the cells `target` (g, g, 27).
    fn squared_error(&self, a: &Architecture, image: usize, target: &[f32]) -> f64 {
        let lines = target.chunks_exact(a.cells() * 27).enumerate();
        let arch = pulp::Arch::new();
        lines
            .map(|(i, target)| {
                let raw = &self.cells[Self::line(a, image, i)];
                let sum = arch.dispatch(
                    #[inline(always)]
                    || squared_error(raw, target),
                );
                f64::from(sum)
            })
            .sum()
    }

    /// Like [`squared_error`](Self::squared_error); also writes the gradient scale * (x' - x), 0 where x' is outside [0, 1].
    pub fn error_gradient(&mut self, a: &Architecture, image: usize, target: &[f32], scale: f32) -> f64 {
        let sse = self.squared_error(a, image, target);
        let margin = a.last.margin() * 27;
        for (i, target) in target.chunks_exact(a.cells() * 27).enumerate() {
            let range = Self::line(a, image, i);
            let raw = &self.cells[range.clone()];
            let gradient = &mut self.d_cells[margin + range.start..margin + range.end];
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || clamped_gradient(raw, target, scale, gradient),
            );
        }
        sse
    }

    /// Adds the gradient for `n` latents, after `error_gradient` of each image; writes dL/dz to `d_z`.
    pub fn backward(
        &mut self,
        a: &Architecture,
        params: &Params,
        packed: &PackedWeights,
        n: usize,
        gradient: &mut [f32],
    ) {
        let top = a.deconvs.len();
        let margin = a.last.margin() * 27;
        let end = margin + a.last.rows(n) * 27;
        self.last_weights(a, params, packed, n, gradient, margin..end);
        a.last.backward_input(&self.d_cells, &packed.last_reversed, n, &mut self.d_hidden[top]);
        for (i, layer) in a.deconvs.iter().enumerate().rev() {
            let (below, above) = self.d_hidden.split_at_mut(i + 1);
            let size = layer.window.pitch * layer.window.pitch * layer.big_channels * n;
            dense::relu_backward(&self.hidden[i + 1][..size], &mut above[0][..size]);
            let (dw, db) = weight_and_bias(gradient, params, a.deconv(i));
            let w = params.get(a.deconv(i));
            layer.deconv_backward(&self.hidden[i], w, &above[0], n, dw, db, &mut below[i], &mut self.patches);
        }
        let flat = a.decoder_flat();
        dense::relu_backward(&self.hidden[0], &mut self.d_hidden[0]);
        let (dw, db) = weight_and_bias(gradient, params, flat);
        dense::backward_weights(MatrixView::new(&self.z, n, a.dim), &self.d_hidden[0], n, dw, db);
        dense::backward_input(&self.d_hidden[0], n, params.get(flat), a.dim, &mut self.d_z);
    }

    fn last_weights(
        &mut self,
        a: &Architecture,
        params: &Params,
        packed: &PackedWeights,
        n: usize,
        gradient: &mut [f32],
        rows: std::ops::Range<usize>,
    ) {
        let d_cells = &self.d_cells[rows];
        self.d_last.fill(0.0);
        a.last.backward_weights(&self.hidden[a.deconvs.len()], d_cells, n, &mut self.d_last);
        let (dw, db) = weight_and_bias(gradient, params, a.deconv(a.deconvs.len()));
        packed.add_last(&self.d_last, dw);
        // Image by image: a single f32 sum over all cells of the block would lose digits.
        for cells in d_cells.chunks_exact(a.last.rows(1) * 27) {
            let mut columns = [0.0f32; 27];
            dense::add_rows(cells, &mut columns);
            columns.iter().enumerate().for_each(|(i, sum)| db[i % 3] += sum);
        }
    }
}

/// Sum of (clamp(raw) - target)^2 in sixteen interleaved partial sums.
#[inline(always)]
fn squared_error(raw: &[f32], target: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let n = raw.len();
    let target = &target[..n];
    let whole = n / 16 * 16;
    for start in (0..whole).step_by(16) {
        for (lane, sum) in lanes.iter_mut().enumerate() {
            let i = start + lane;
            let error = raw[i].clamp(0.0, 1.0) - target[i];
            *sum += error * error;
        }
    }
    for i in whole..n {
        let error = raw[i].clamp(0.0, 1.0) - target[i];
        lanes[i - whole] += error * error;
    }
    lanes.iter().sum()
}

#[inline(always)]
fn clamped_gradient(raw: &[f32], target: &[f32], scale: f32, gradient: &mut [f32]) {
    let n = raw.len();
    let (target, gradient) = (&target[..n], &mut gradient[..n]);
    for i in 0..n {
        let inside = if (0.0..=1.0).contains(&raw[i]) { scale } else { 0.0 };
        gradient[i] = inside * (raw[i] - target[i]);
    }
}
