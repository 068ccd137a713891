//! Gradients of convolutions whose kernel spans at most two strides, as 2 x 2 convolutions on a lattice of cells.
//!
//! A picture cut into s x s cells (space to depth) turns a stride-s kernel of size <= 2s into
//!     y(p) = sum_{a,b in {0,1}} x(p + a g + b) W_ab,      p over the flat g x g lattice,
//! and neighbours b = 0, 1 are contiguous, so each a is one product on overlapping rows: no patches are copied.
//! The last row and column of the lattice are meaningless in y and zero in dy.

use super::gemm::{View, matmul};

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

    /// Zero rows that `backward_input` needs before and after dy, together.
    #[must_use]
    pub fn margin(&self) -> usize {
        self.side + 1
    }

    /// `dw` (2, 2 inputs, outputs) += dL/dW. `dy` must be zero at meaningless places.
    pub fn backward_weights(&self, x: &[f32], dy: &[f32], images: usize, dw: &mut [f32]) {
        let rows = self.rows(images) - self.margin();
        let (front, back) = dw.split_at_mut(2 * self.inputs * self.outputs);
        for (a, dw) in [front, back].into_iter().enumerate() {
            let x = View::strided(&x[a * self.side * self.inputs..], rows, 2 * self.inputs, self.inputs);
            matmul(dw, true, x.t(), View::new(dy, rows, self.outputs));
        }
    }

    /// dx (rows, inputs) from `dy` (margin + rows, outputs), whose first `margin` rows are zero, and from
    /// `reversed` = [`reverse`](Self::reverse)(w).
    pub fn backward_input(&self, dy: &[f32], reversed: &[f32], images: usize, dx: &mut [f32]) {
        let (front, back) = reversed.split_at(2 * self.outputs * self.inputs);
        for (a, w) in [front, back].into_iter().enumerate() {
            let dy =
                View::strided(&dy[a * self.side * self.outputs..], self.rows(images), 2 * self.outputs, self.outputs);
            matmul(dx, a == 1, dy, View::new(w, 2 * self.outputs, self.inputs));
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

/// Pictures (H, W, 3) u8 as floats in [0, 1]; divided, since divisions in a row are vectors and look-ups are not.
pub fn pixels_of_picture(picture: &[u8], out: &mut [f32]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || out.iter_mut().zip(picture).for_each(|(p, byte)| *p = f32::from(*byte) / 255.0),
    );
}

/// The value in [0, 1] of each of a picture's codes.
pub const UNIT: [f32; 256] = {
    let (mut unit, mut code) = ([0.0; 256], 0);
    while code < 256 {
        unit[code] = code as f32 / 255.0;
        code += 1;
    }
    unit
};

/// Cuts a picture (H, W, 3) u8 into cells of 3 x 3 pixels, values in [0, 1], `side` = H / 3 a line: out (side, pitch, floats),
/// of which the first `side` of a line and the first 27 of a cell are written.
pub fn cells_of_picture(picture: &[u8], side: usize, (pitch, floats): (usize, usize), out: &mut [f32]) {
    for (y, row) in picture.chunks_exact(side * 9).enumerate() {
        let (i, r) = (y / 3, y % 3);
        for (j, nine) in row.chunks_exact(9).enumerate() {
            let cell = &mut out[(i * pitch + j) * floats + r * 9..][..9];
            cell.iter_mut().zip(nine).for_each(|(c, byte)| *c = UNIT[usize::from(*byte)]);
        }
    }
}

/// The inverse, from rows of `pitch` cells, rounding to the nearest code and clamping to [0, 255].
pub fn picture_of_cells(cells: &[f32], side: usize, pitch: usize, picture: &mut [u8]) {
    for (y, row) in picture.chunks_exact_mut(side * 9).enumerate() {
        let (i, r) = (y / 3, y % 3);
        for (j, nine) in row.chunks_exact_mut(9).enumerate() {
            let cell = &cells[(i * pitch + j) * 27 + r * 9..][..9];
            nine.iter_mut().zip(cell).for_each(|(byte, c)| *byte = (c * 255.0 + 0.5) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracle_27_every_code_survives_the_round_trip() {
        let picture: Vec<u8> = (0..24 * 24 * 3).map(|i| (i * 7 % 256) as u8).collect();
        let (mut cells, mut back) = (vec![0.0; 64 * 27], vec![0; picture.len()]);
        cells_of_picture(&picture, 8, (8, 27), &mut cells);
        picture_of_cells(&cells, 8, 8, &mut back);
        assert_eq!(picture, back);
    }
}
