//! A two-hidden-layer perceptron with ReLU:  x -> h1 -> h2 -> y, all weights (in, out).
//!
//! Every function works on one block of rows and writes into buffers that are kept between calls.

use super::dense::{self, Activation};
use super::gemm::View;
use super::params::Params;
use crate::learn::rng::Rng;

/// Sizes of the layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mlp {
    /// Columns of x.
    pub inputs: usize,
    /// Columns of h1, h2.
    pub hidden: [usize; 2],
    /// Columns of y.
    pub outputs: usize,
}

/// What the backward pass needs of a forward pass, for up to `rows` rows, and its own scratch.
#[derive(Clone, Debug, Default)]
pub struct Activations {
    h1: Vec<f32>,
    h2: Vec<f32>,
    d1: Vec<f32>,
    d2: Vec<f32>,
    /// (R, outputs).
    pub y: Vec<f32>,
    /// Rows that have a gradient, and their dL/dy and dL/dx without gaps.
    live: Vec<usize>,
    live_dy: Vec<f32>,
    live_dx: Vec<f32>,
}

/// How a network starts: hidden weights U(+-1/sqrt(outputs of the layer)) (rlkit's fan-in of an (out, in) matrix).
#[derive(Clone, Copy, Debug)]
pub struct Init {
    /// Constant of the hidden biases.
    pub hidden_bias: f64,
    /// Bound of the last layer's weights.
    pub last_weight: f64,
}

struct Parts<'a> {
    w1: &'a [f32],
    b1: &'a [f32],
    w2: &'a [f32],
    b2: &'a [f32],
    w3: &'a [f32],
    b3: &'a [f32],
}

struct PartsMut<'a> {
    w1: &'a mut [f32],
    b1: &'a mut [f32],
    w2: &'a mut [f32],
    b2: &'a mut [f32],
    w3: &'a mut [f32],
    b3: &'a mut [f32],
}

impl Mlp {
    /// Named zeros in memory order.
    #[must_use]
    pub fn params(&self, prefix: &str) -> Params {
        let [h1, h2] = self.hidden;
        let layers = [("hidden0", self.inputs, h1), ("hidden1", h1, h2), ("last", h2, self.outputs)];
        Params::zeros(layers.into_iter().flat_map(|(name, i, o)| {
            [(format!("{prefix}.{name}.weight"), vec![i, o]), (format!("{prefix}.{name}.bias"), vec![o])]
        }))
    }

    /// Initial values.
    #[must_use]
    pub fn init(&self, prefix: &str, init: Init, rng: &mut Rng) -> Params {
        let mut params = self.params(prefix);
        for (layer, outputs) in self.hidden.into_iter().enumerate() {
            params.uniform(2 * layer, 1.0 / (outputs as f64).sqrt(), rng);
            params.constant(2 * layer + 1, init.hidden_bias);
        }
        params.uniform(4, init.last_weight, rng);
        params
    }

    /// Buffers for blocks of up to `rows` rows.
    #[must_use]
    pub fn activations(&self, rows: usize) -> Activations {
        let [h1, h2] = self.hidden.map(|h| vec![0.0; h * rows]);
        let y = vec![0.0; rows * self.outputs];
        Activations { d1: h1.clone(), d2: h2.clone(), h1, h2, y, ..Activations::default() }
    }

    /// y of x (R, inputs) into `act.y`; keeps the hidden activations.
    pub fn forward(&self, theta: &[f32], x: View, rows: usize, act: &mut Activations) {
        let p = self.split(theta);
        let [n1, n2] = self.hidden;
        dense::forward(x, rows, p.w1, p.b1, Activation::Relu, &mut act.h1);
        dense::forward(View::new(&act.h1, rows, n1), rows, p.w2, p.b2, Activation::Relu, &mut act.h2);
        dense::forward(View::new(&act.h2, rows, n2), rows, p.w3, p.b3, Activation::Identity, &mut act.y);
    }

    /// Adds dL/dtheta to `gradient`, given dL/dy (R, outputs) and the x of the forward pass.
    pub fn backward(
        &self,
        theta: &[f32],
        x: View,
        dy: &[f32],
        rows: usize,
        act: &mut Activations,
        gradient: &mut [f32],
    ) {
        self.hidden_gradients(theta, dy, rows, act);
        let g = self.split_mut(gradient);
        let [n1, n2] = self.hidden;
        dense::backward_weights(View::new(&act.h2, rows, n2), dy, rows, g.w3, g.b3);
        dense::backward_weights(View::new(&act.h1, rows, n1), &act.d2, rows, g.w2, g.b2);
        dense::backward_weights(x, &act.d1, rows, g.w1, g.b1);
    }

    /// dL/dx for the last `columns` inputs only, into `dx` (R, columns); weights' gradients are not computed, and rows
    /// whose dL/dy is zero (of two critics, the larger one's) cost nothing.
    pub fn backward_input(
        &self,
        theta: &[f32],
        dy: &[f32],
        rows: usize,
        columns: usize,
        act: &mut Activations,
        dx: &mut [f32],
    ) {
        let (p, [n1, n2]) = (self.split(theta), self.hidden);
        let Activations { h1, h2, d1, d2, live, live_dy, live_dx, .. } = act;
        let of = |i: usize, width: usize| i * width..(i + 1) * width;
        live.clear();
        live.extend((0..rows).filter(|i| dy[of(*i, self.outputs)].iter().any(|d| *d != 0.0))); // a NaN is not zero
        live_dy.clear();
        live.iter().for_each(|i| live_dy.extend_from_slice(&dy[of(*i, self.outputs)]));
        let n = live.len();
        dense::backward_input(live_dy, n, p.w3, n2, d2);
        live.iter().enumerate().for_each(|(to, i)| dense::mask(&h2[of(*i, n2)], &mut d2[of(to, n2)]));
        dense::backward_input(d2, n, p.w2, n1, d1);
        live.iter().enumerate().for_each(|(to, i)| dense::mask(&h1[of(*i, n1)], &mut d1[of(to, n1)]));
        live_dx.resize(n * columns, 0.0);
        dense::backward_input(d1, n, &p.w1[(self.inputs - columns) * n1..], columns, live_dx);
        dx[..rows * columns].fill(0.0);
        live.iter().enumerate().for_each(|(from, i)| dx[of(*i, columns)].copy_from_slice(&live_dx[of(from, columns)]));
    }

    /// d2 = (dy W3^T) * [h2 > 0],  d1 = (d2 W2^T) * [h1 > 0].
    fn hidden_gradients(&self, theta: &[f32], dy: &[f32], rows: usize, act: &mut Activations) {
        let p = self.split(theta);
        let [n1, n2] = self.hidden;
        dense::backward_input(dy, rows, p.w3, n2, &mut act.d2);
        dense::mask(&act.h2[..rows * n2], &mut act.d2[..rows * n2]);
        dense::backward_input(&act.d2, rows, p.w2, n1, &mut act.d1);
        dense::mask(&act.h1[..rows * n1], &mut act.d1[..rows * n1]);
    }

    fn split<'a>(&self, theta: &'a [f32]) -> Parts<'a> {
        let [n1, n2] = self.hidden;
        let (w1, rest) = theta.split_at(self.inputs * n1);
        let (b1, rest) = rest.split_at(n1);
        let (w2, rest) = rest.split_at(n1 * n2);
        let (b2, rest) = rest.split_at(n2);
        let (w3, b3) = rest.split_at(n2 * self.outputs);
        Parts { w1, b1, w2, b2, w3, b3 }
    }

    fn split_mut<'a>(&self, theta: &'a mut [f32]) -> PartsMut<'a> {
        let [n1, n2] = self.hidden;
        let (w1, rest) = theta.split_at_mut(self.inputs * n1);
        let (b1, rest) = rest.split_at_mut(n1);
        let (w2, rest) = rest.split_at_mut(n1 * n2);
        let (b2, rest) = rest.split_at_mut(n2);
        let (w3, b3) = rest.split_at_mut(n2 * self.outputs);
        PartsMut { w1, b1, w2, b2, w3, b3 }
    }
}
