//! Gradients of convolutions whose kernel spans at most two strides, as 2 x 2 convolutions on a lattice of cells.
//!
//! On a picture cut into s x s cells (space to depth), a stride-s kernel of size <= 2s is
//!     y(p) = sum_{a,b in {0,1}} x(p + a g + b) W_ab,      p over the flat g x g lattice.
//! The neighbours b = 0, 1 are contiguous, so each a is one product on overlapping rows, and no patches are copied.
//! The last row and column of the lattice have no meaning in y and are zero in dy.

use super::gemm::{MatrixView, matmul};

/// A g x g lattice of cells with `inputs` floats in and `outputs` floats out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lattice {
    /// g.
    pub side: usize,
    /// Floats of a cell of x.
    pub inputs: usize,
    /// Floats of a cell of y.
    pub outputs: usize,
}

impl Lattice {
    /// Rows of x and y for `images` pictures.
    #[must_use]
    pub fn rows(&self, images: usize) -> usize {
        images * self.side * self.side
    }

    /// Number of zero rows that `backward_input` needs in front of dy.
    #[must_use]
    pub fn margin(&self) -> usize {
        self.side + 1
    }

    /// `dw` (2, 2 inputs, outputs) += dL/dW. `dy` must be zero in the last row and column.
    pub fn backward_weights(&self, x: &[f32], dy: &[f32], images: usize, dw: &mut [f32]) {
        let rows = self.rows(images) - self.margin();
        let (front, back) = dw.split_at_mut(2 * self.inputs * self.outputs);
        for (a, dw) in [front, back].into_iter().enumerate() {
            let x = MatrixView::strided(&x[a * self.side * self.inputs..], rows, 2 * self.inputs, self.inputs);
            matmul(dw, true, x.t(), MatrixView::new(dy, rows, self.outputs));
        }
    }

    /// Overwrites `dx` (rows, inputs) with the input gradient, from `dy` (margin + rows, outputs), whose first `margin` rows are
    /// zero, and `reversed` = [`reverse`](Self::reverse)(w).
    pub fn backward_input(&self, dy: &[f32], reversed: &[f32], images: usize, dx: &mut [f32]) {
        let (front, back) = reversed.split_at(2 * self.outputs * self.inputs);
        for (a, w) in [front, back].into_iter().enumerate() {
            let dy = MatrixView::strided(
                &dy[a * self.side * self.outputs..],
                self.rows(images),
                2 * self.outputs,
                self.outputs,
            );
            matmul(dx, a == 1, dy, MatrixView::new(w, 2 * self.outputs, self.inputs));
        }
    }

    /// W'_ab = W_(1-a)(1-b)^T: the 2 x 2 kernel of the gradient, (2, 2 outputs, inputs).
    #[must_use]
    pub fn reverse(&self, w: &[f32]) -> Vec<f32> {
        let (i, o) = (self.inputs, self.outputs);
        let mut reversed = vec![0.0; w.len()];
        for tap in 0..4 {
            for row in 0..i {
                for col in 0..o {
                    reversed[((3 - tap) * o + col) * i + row] = w[(tap * i + row) * o + col];
                }
            }
        }
        reversed
    }
}
