//! The encoder on one block of pictures, forward and backward:  pixels -> convolutions -> flat -> (mean, raw log variance).

use super::architecture::Architecture;
use super::packed::PackedWeights;
use crate::learn::nn::Params;
use crate::learn::nn::dense::{self, Nonlinearity};
use crate::learn::nn::direct::BiasActivation;
use crate::learn::nn::gemm::MatrixView;

/// One thread's buffers for up to `images` pictures.
pub struct Encoder {
    /// (images, H, W, 3), values in [0, 1].
    pub pixels: Vec<f32>,
    /// The same as (images, g, g, 27); filled only for gradients, as the loss's target and the first layer's input.
    pub cells: Vec<f32>,
    /// Outputs of the convolutions.
    hidden: Vec<Vec<f32>>,
    flat: Vec<f32>,
    /// (images, 2Z): mean, raw log variance.
    pub heads: Vec<f32>,
    /// Gradient of `heads`; must be filled before `backward`.
    pub d_heads: Vec<f32>,
    d_hidden: Vec<Vec<f32>>,
    d_flat: Vec<f32>,
    d_first: Vec<f32>,
    patches: Vec<f32>,
}

/// dW and db of the layer whose weights are tensor `i`; they are contiguous.
pub fn weight_and_bias<'a>(gradient: &'a mut [f32], params: &Params, i: usize) -> (&'a mut [f32], &'a mut [f32]) {
    let (weight, bias) = (&params.tensors[i], &params.tensors[i + 1]);
    gradient[weight.start..bias.range().end].split_at_mut(weight.len())
}

impl Encoder {
    pub fn new(a: &Architecture, images: usize) -> Self {
        let last = |l: &crate::learn::nn::conv::ConvLayer| l.window.small * l.window.small * l.small_channels;
        let sizes = [a.first.rows(1) * a.channels[0]].into_iter().chain(a.convs.iter().map(last));
        let hidden: Vec<Vec<f32>> = sizes.map(|n| vec![0.0; n * images]).collect();
        Self {
            pixels: vec![0.0; a.pixels() * images],
            cells: vec![0.0; a.pixels() * images],
            d_hidden: hidden.clone(),
            hidden,
            flat: vec![0.0; images * a.flat],
            d_flat: vec![0.0; images * a.flat],
            heads: vec![0.0; images * 2 * a.dim],
            d_heads: vec![0.0; images * 2 * a.dim],
            d_first: vec![0.0; 4 * 27 * a.channels[0]],
            patches: vec![0.0; a.convs.iter().map(crate::learn::nn::conv::ConvLayer::scratch).max().unwrap_or(0)],
        }
    }

    /// Computes `heads` for the first `n` pictures of `pixels`.
    pub fn forward(&mut self, a: &Architecture, params: &Params, packed: &PackedWeights, n: usize) {
        for (i, layer) in packed.convs.iter().enumerate() {
            let (below, above) = self.hidden.split_at_mut(i);
            let x = below.last().unwrap_or(&self.pixels);
            let bias = params.get(Architecture::conv(i) + 1);
            layer.run(x, n, &mut BiasActivation { bias, activation: Nonlinearity::Relu, y: &mut above[0] });
        }
        let top = MatrixView::new(&self.hidden[a.convs.len()], n, a.flat);
        let (flat, heads) = (a.encoder_flat(), a.heads());
        dense::forward(top, n, params.get(flat), params.get(flat + 1), Nonlinearity::Identity, &mut self.flat);
        let x = MatrixView::new(&self.flat, n, a.flat);
        dense::forward(x, n, params.get(heads), params.get(heads + 1), Nonlinearity::Identity, &mut self.heads);
    }

    /// Adds the gradient for `n` pictures, from `d_heads`.
    pub fn backward(
        &mut self,
        a: &Architecture,
        params: &Params,
        packed: &PackedWeights,
        n: usize,
        gradient: &mut [f32],
    ) {
        let (flat, heads, top) = (a.encoder_flat(), a.heads(), a.convs.len());
        let (dw, db) = weight_and_bias(gradient, params, heads);
        dense::backward_weights(MatrixView::new(&self.flat, n, a.flat), &self.d_heads, n, dw, db);
        dense::backward_input(&self.d_heads, n, params.get(heads), a.flat, &mut self.d_flat);
        let (dw, db) = weight_and_bias(gradient, params, flat);
        dense::backward_weights(MatrixView::new(&self.hidden[top], n, a.flat), &self.d_flat, n, dw, db);
        dense::backward_input(&self.d_flat, n, params.get(flat), a.flat, &mut self.d_hidden[top]);
        for (i, layer) in a.convs.iter().enumerate().rev() {
            dense::relu_backward(&self.hidden[i + 1], &mut self.d_hidden[i + 1]);
            let (below, above) = self.d_hidden.split_at_mut(i + 1);
            let (dw, db) = weight_and_bias(gradient, params, Architecture::conv(i + 1));
            layer.conv_weights(&self.hidden[i], &above[0], n, dw, db, &mut self.patches);
            let w = params.get(Architecture::conv(i + 1));
            layer.conv_input(&above[0], w, n, &mut below[i], &mut self.patches);
        }
        let rows = a.first.rows(n) * a.channels[0];
        dense::relu_backward(&self.hidden[0][..rows], &mut self.d_hidden[0][..rows]);
        let (dw, db) = weight_and_bias(gradient, params, Architecture::conv(0));
        self.d_first.fill(0.0);
        a.first.backward_weights(&self.cells, &self.d_hidden[0], n, &mut self.d_first);
        packed.add_first(&self.d_first, dw);
        dense::add_rows(&self.d_hidden[0][..rows], db);
    }
}
