//! A layer of a perceptron and the position of its parameters:  y = x W + b;  a hidden layer continues with
//! h = relu(y)  or, with a norm,  h = relu(LayerNorm(y)).

use super::dense::{self, Nonlinearity};
use super::gemm::MatrixView;
use super::layer_norm;

/// Sizes of a layer, and the position of its parameters in the network's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DenseLayer {
    /// Name of the layer in its network, e.g. `hidden0`.
    pub name: String,
    /// Columns of x.
    pub inputs: usize,
    /// Columns of y.
    pub outputs: usize,
    /// Whether there is a [`layer_norm`] before the ReLU.
    pub norm: bool,
    /// Index of its first parameter.
    pub start: usize,
}

/// A layer's parameters: W (in, out), b (out), and the norm's gain and shift (out), which are empty without a norm.
pub struct LayerParams<'a> {
    pub w: &'a [f32],
    pub b: &'a [f32],
    pub gain: &'a [f32],
    pub shift: &'a [f32],
}

/// [`LayerParams`], mutable.
pub struct LayerParamsMut<'a> {
    pub w: &'a mut [f32],
    pub b: &'a mut [f32],
    pub gain: &'a mut [f32],
    pub shift: &'a mut [f32],
}

/// Activations of a hidden layer for a block of rows, and buffers of its backward pass.
#[derive(Clone, Debug, Default)]
pub struct Hidden {
    /// (R, out).
    pub h: Vec<f32>,
    /// dL/dh, then dL/dy, (R, out).
    pub d: Vec<f32>,
    /// See [`layer_norm::forward`]: (R, out) and (R); empty without a norm.
    normal: Vec<f32>,
    scale: Vec<f32>,
}

impl DenseLayer {
    /// Names and shapes of its tensors in memory order, in a network called `prefix`.
    pub fn tensors(&self, prefix: &str) -> Vec<(String, Vec<usize>)> {
        let name = |tensor: &str| format!("{prefix}.{}.{tensor}", self.name);
        let mut tensors = vec![(name("weight"), vec![self.inputs, self.outputs]), (name("bias"), vec![self.outputs])];
        if self.norm {
            tensors.extend(["norm.gain", "norm.shift"].map(|tensor| (name(tensor), vec![self.outputs])));
        }
        tensors
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        (self.inputs + if self.norm { 3 } else { 1 }) * self.outputs
    }

    /// Its parameters, from the network's `theta`.
    pub fn split<'a>(&self, theta: &'a [f32]) -> LayerParams<'a> {
        let (w, rest) = theta[self.start..self.start + self.len()].split_at(self.inputs * self.outputs);
        let (b, rest) = rest.split_at(self.outputs);
        let (gain, shift) = rest.split_at(rest.len() / 2);
        LayerParams { w, b, gain, shift }
    }

    /// Its gradients, from the network's `gradient`.
    pub fn split_mut<'a>(&self, gradient: &'a mut [f32]) -> LayerParamsMut<'a> {
        let (w, rest) = gradient[self.start..self.start + self.len()].split_at_mut(self.inputs * self.outputs);
        let (b, rest) = rest.split_at_mut(self.outputs);
        let (gain, shift) = rest.split_at_mut(rest.len() / 2);
        LayerParamsMut { w, b, gain, shift }
    }

    /// Buffers of a hidden layer for blocks of up to `rows` rows.
    pub fn hidden(&self, rows: usize) -> Hidden {
        let h = vec![0.0; rows * self.outputs];
        let (normal, scale) = if self.norm { (h.clone(), vec![0.0; rows]) } else { Default::default() };
        Hidden { d: h.clone(), h, normal, scale }
    }

    /// Writes h of x (R, in) to `act.h`.
    pub fn forward_hidden(&self, theta: &[f32], x: MatrixView, rows: usize, act: &mut Hidden) {
        let p = self.split(theta);
        if self.norm {
            dense::forward(x, rows, p.w, p.b, Nonlinearity::Identity, &mut act.h);
            let h = &mut act.h[..rows * self.outputs];
            layer_norm::forward(p.gain, p.shift, h, &mut act.normal, &mut act.scale);
        } else {
            dense::forward(x, rows, p.w, p.b, Nonlinearity::Relu, &mut act.h);
        }
    }

    /// Turns dL/dh in `act.d` into dL/dy; adds the gradients of gain and shift.
    pub fn backward_hidden(&self, theta: &[f32], rows: usize, act: &mut Hidden, gradient: &mut [f32]) {
        let d = &mut act.d[..rows * self.outputs];
        dense::relu_backward(&act.h[..rows * self.outputs], d);
        if self.norm {
            let g = self.split_mut(gradient);
            layer_norm::backward_weights(&act.normal, d, g.gain, g.shift);
            layer_norm::backward_input(self.split(theta).gain, &act.normal, &act.scale, d);
        }
    }

    /// Like [`backward_hidden`](Self::backward_hidden), but only for the `live` rows, which are contiguous in `act.d`, and
    /// without gradients of parameters.
    pub fn backward_some_rows(&self, theta: &[f32], live: &[usize], act: &mut Hidden) {
        let (gain, n) = (self.split(theta).gain, self.outputs);
        for (d, i) in act.d.chunks_exact_mut(n).zip(live) {
            let row = i * n..(i + 1) * n;
            dense::relu_backward(&act.h[row.clone()], d);
            if self.norm {
                layer_norm::backward_input(gain, &act.normal[row], &act.scale[*i..=*i], d);
            }
        }
    }
}
