//! A dense layer on a block of rows:  y = x W + b,  with W (in, out), and its gradients.

use super::gemm::{MatrixView, matmul};

/// The activation after the affine map; applied in the same pass over the block as the bias.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nonlinearity {
    /// y = x W + b.
    Identity,
    /// y = max(x W + b, 0); a NaN stays NaN, so that the check of the gradient finds it.
    Relu,
}

/// Writes `y` (R, out) for `x` (R, in), `w` (in, out), `b` (out).
///
/// ```
/// use skewfit::learn::nn::{dense::{Nonlinearity, forward}, gemm::MatrixView};
///
/// let (x, w, b) = ([1.0, 2.0], [1.0, -1.0, 1.0, -1.0], [0.5, 0.5]);
/// let mut y = [0.0; 2];
/// forward(MatrixView::new(&x, 1, 2), 1, &w, &b, Nonlinearity::Relu, &mut y);
/// assert_eq!(y, [3.5, 0.0]);
/// ```
pub fn forward(x: MatrixView, rows: usize, w: &[f32], b: &[f32], activation: Nonlinearity, y: &mut [f32]) {
    let y = &mut y[..rows * b.len()];
    matmul(y, false, x, MatrixView::new(w, w.len() / b.len(), b.len()));
    add_bias(y, b, activation);
}

/// Adds `b` (C) to every row of `y` (R, C), then the activation.
pub fn add_bias(y: &mut [f32], b: &[f32], activation: Nonlinearity) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in y.chunks_exact_mut(b.len()) {
                for (y, b) in row.iter_mut().zip(b) {
                    let sum = *y + b;
                    *y = if activation == Nonlinearity::Relu && sum < 0.0 { 0.0 } else { sum };
                }
            }
        },
    );
}

/// `dw` += x^T dy, `db` += sum over rows of dy; x (R, in), dy (R, out).
pub fn backward_weights(x: MatrixView, dy: &[f32], rows: usize, dw: &mut [f32], db: &mut [f32]) {
    let out = db.len();
    matmul(dw, true, x.t(), MatrixView::new(dy, rows, out));
    add_rows(&dy[..rows * out], db);
}

/// `db` += sum over rows of `dy` (R, C).
pub fn add_rows(dy: &[f32], db: &mut [f32]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in dy.chunks_exact(db.len()) {
                for (b, d) in db.iter_mut().zip(row) {
                    *b += d;
                }
            }
        },
    );
}

/// `dx` = dy W^T; dy (R, out), w (in, out), dx (R, in).
pub fn backward_input(dy: &[f32], rows: usize, w: &[f32], inputs: usize, dx: &mut [f32]) {
    let out = w.len() / inputs;
    matmul(&mut dx[..rows * inputs], false, MatrixView::new(dy, rows, out), MatrixView::new(w, inputs, out).t());
}

/// Zeroes `dy` where the ReLU's output `y` is zero; where `y` is NaN, `dy` is kept, so that the check of the gradient finds it.
pub fn relu_backward(y: &[f32], dy: &mut [f32]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (d, y) in dy.iter_mut().zip(y) {
                *d = if *y <= 0.0 { 0.0 } else { *d };
            }
        },
    );
}
