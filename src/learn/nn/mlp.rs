//! A multilayer perceptron with ReLU and any number of hidden layers:  x -> h_1 -> ... -> h_n -> y, all weights (in, out).
//!
//! Every function works on one block of rows and writes into buffers that are reused between calls.

use super::dense::{self, Nonlinearity};
use super::gemm::MatrixView;
use super::layer::{DenseLayer, Hidden};
use super::params::Params;
use crate::learn::rng::Rng;

/// The layers of a network; their parameters are contiguous.
///
/// ```
/// use skewfit::learn::nn::{Mlp, gemm::MatrixView, mlp::Init};
/// use skewfit::learn::rng::stream;
///
/// let net = Mlp::new(3, &[8, 8], 2, false);
/// let init = Init { hidden_bias: 0.1, last_weight: 1e-3 };
/// let params = net.init("net", init, &mut stream(0, "init", &[]));
/// let mut act = net.activations(1);
/// net.forward(&params.values, MatrixView::new(&[1.0, 2.0, 3.0], 1, 3), 1, &mut act);
/// assert_eq!((params.values.len(), act.y.len()), (3 * 8 + 8 + 8 * 8 + 8 + 8 * 2 + 2, 2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mlp {
    /// Columns of x.
    pub inputs: usize,
    /// Columns of y.
    pub outputs: usize,
    /// `hidden0`, `hidden1`, ..., `last`.
    layers: Vec<DenseLayer>,
}

/// Activations of a forward pass for up to `rows` rows, and buffers of the backward pass.
#[derive(Clone, Debug, Default)]
pub struct Activations {
    /// One for each hidden layer.
    hidden: Vec<Hidden>,
    /// (R, outputs).
    pub y: Vec<f32>,
    /// Rows whose dL/dy is not zero; their dL/dy and dL/dx, contiguous.
    live: Vec<usize>,
    live_dy: Vec<f32>,
    live_dx: Vec<f32>,
}

/// Initial values: hidden weights U(+-1/sqrt(outputs of the layer)), on purpose: rlkit's fan-in is the first dimension of
/// an (out, in) matrix, the number of outputs. The norm's gains are 1, its shifts 0.
#[derive(Clone, Copy, Debug)]
pub struct Init {
    /// Value of the hidden biases.
    pub hidden_bias: f64,
    /// Bound of the last layer's weights, which are uniform; its biases are 0.
    pub last_weight: f64,
}

impl Mlp {
    /// A network from (inputs) to (outputs) with hidden layers of these units and, with `norm`, a
    /// [`layer_norm`](super::layer_norm) before each ReLU.
    #[must_use]
    pub fn new(inputs: usize, hidden: &[usize], outputs: usize, norm: bool) -> Self {
        let (mut layers, mut below, mut start) = (Vec::new(), inputs, 0);
        let named = hidden.iter().enumerate().map(|(i, units)| (format!("hidden{i}"), *units, norm));
        for (name, outputs, norm) in named.chain([("last".to_owned(), outputs, false)]) {
            let layer = DenseLayer { name, inputs: below, outputs, norm, start };
            (below, start) = (outputs, start + layer.len());
            layers.push(layer);
        }
        Self { inputs, outputs, layers }
    }

    /// Number of parameters.
    #[must_use]
    pub fn size(&self) -> usize {
        self.layers.iter().map(DenseLayer::len).sum()
    }

    /// Its parameters, all zero, in memory order.
    #[must_use]
    pub fn params(&self, prefix: &str) -> Params {
        Params::zeros(self.layers.iter().flat_map(|layer| layer.tensors(prefix)))
    }

    /// Initial values.
    #[must_use]
    pub fn init(&self, prefix: &str, init: Init, rng: &mut Rng) -> Params {
        let (mut params, mut first) = (self.params(prefix), 0);
        for layer in &self.layers {
            let hidden = first + 2 < params.tensors.len();
            let bound = if hidden { 1.0 / (layer.outputs as f64).sqrt() } else { init.last_weight };
            params.uniform(first, bound, rng);
            if hidden {
                params.constant(first + 1, init.hidden_bias);
            }
            if layer.norm {
                params.constant(first + 2, 1.0);
            }
            first += 2 + 2 * usize::from(layer.norm);
        }
        params
    }

    /// Buffers for blocks of up to `rows` rows.
    #[must_use]
    pub fn activations(&self, rows: usize) -> Activations {
        let hidden = self.layers.split_last().map_or(&[][..], |(_, hidden)| hidden);
        let hidden = hidden.iter().map(|layer| layer.hidden(rows)).collect();
        Activations { hidden, y: vec![0.0; rows * self.outputs], ..Activations::default() }
    }

    /// Writes y of x (R, inputs) to `act.y`, and keeps the hidden activations.
    pub fn forward(&self, theta: &[f32], x: MatrixView, rows: usize, act: &mut Activations) {
        for (i, layer) in self.layers.iter().enumerate() {
            let (below, own) = act.hidden.split_at_mut(i);
            let x = below.last().map_or(x, |below| MatrixView::new(&below.h, rows, layer.inputs));
            if let Some(own) = own.first_mut() {
                layer.forward_hidden(theta, x, rows, own);
            } else {
                let p = layer.split(theta);
                dense::forward(x, rows, p.w, p.b, Nonlinearity::Identity, &mut act.y);
            }
        }
    }

    /// Adds dL/dtheta to `gradient`, given dL/dy (R, outputs) and the x of the forward pass.
    pub fn backward(
        &self,
        theta: &[f32],
        x: MatrixView,
        dy: &[f32],
        rows: usize,
        act: &mut Activations,
        gradient: &mut [f32],
    ) {
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let (below, own) = act.hidden.split_at_mut(i);
            let dy = own.first().map_or(dy, |own| &own.d);
            let x = below.last().map_or(x, |below| MatrixView::new(&below.h, rows, layer.inputs));
            let g = layer.split_mut(gradient);
            dense::backward_weights(x, dy, rows, g.w, g.b);
            if let Some(below) = below.last_mut() {
                dense::backward_input(dy, rows, layer.split(theta).w, layer.inputs, &mut below.d);
                self.layers[i - 1].backward_hidden(theta, rows, below, gradient);
            }
        }
    }

    /// Adds dL/dx of the last `columns` inputs to `dx` (R, columns), without gradients of the weights. Rows whose dL/dy is
    /// zero are skipped (those of the larger of two critics).
    pub fn backward_input(
        &self,
        theta: &[f32],
        dy: &[f32],
        rows: usize,
        columns: usize,
        act: &mut Activations,
        dx: &mut [f32],
    ) {
        let Activations { hidden, live, live_dy, live_dx, .. } = act;
        let of = |i: usize, width: usize| i * width..(i + 1) * width;
        live.clear();
        live.extend((0..rows).filter(|i| dy[of(*i, self.outputs)].iter().any(|d| *d != 0.0))); // a NaN is not zero
        live_dy.clear();
        live.iter().for_each(|i| live_dy.extend_from_slice(&dy[of(*i, self.outputs)]));
        let n = live.len();
        live_dx.resize(n * columns, 0.0);
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let (below, own) = hidden.split_at_mut(i);
            let dy = own.first().map_or(&live_dy[..], |own| &own.d);
            let w = layer.split(theta).w;
            if let Some(below) = below.last_mut() {
                dense::backward_input(dy, n, w, layer.inputs, &mut below.d);
                self.layers[i - 1].backward_some_rows(theta, live, below);
            } else {
                dense::backward_input(dy, n, &w[(layer.inputs - columns) * layer.outputs..], columns, live_dx);
            }
        }
        for (i, from) in live.iter().zip(live_dx.chunks_exact(columns)) {
            dx[of(*i, columns)].iter_mut().zip(from).for_each(|(dx, from)| *dx += from);
        }
    }
}
