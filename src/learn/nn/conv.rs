//! Gradients of convolution and transposed convolution, as products with gathered patches; pictures are (images, H, W, C).
//!
//! conv:    y = gather(x) W + b;    W (k k C_in, C_out);   dW = gather(x)^T dy,   dx = scatter(dy W^T)
//! deconv:  y = scatter(x W) + b;   W (C_in, k k C_out);   dW = x^T gather(dy),   dx = gather(dy) W^T
//! `gather` and `scatter` are adjoint. Few images are processed at a time, so their patches stay in the L2 cache. The forward
//! passes are in [`windows`](super::windows).

use super::dense;
use super::gemm::{MatrixView, matmul};
use super::windows::Grid;

/// Images whose patches are gathered together.
const GROUP: usize = 8;

/// A small x small grid of k x k windows on a big x big picture, which lies in a pitch x pitch frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// k.
    pub kernel: usize,
    /// Pixels from one window to the next.
    pub stride: usize,
    /// Windows per side.
    pub small: usize,
    /// Pixels per side, at least (small - 1) stride + k.
    pub big: usize,
    /// Pixels per side of the frame.
    pub pitch: usize,
    /// First row and column of the picture in the frame.
    pub offset: usize,
}

/// A (transposed) convolution layer: its window and the channels of both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvLayer {
    /// Geometry.
    pub window: Window,
    /// Channels of the big side.
    pub big_channels: usize,
    /// Channels of the small side.
    pub small_channels: usize,
}

impl Window {
    fn start(&self, row: usize, col: usize) -> usize {
        (self.offset + row) * self.pitch + self.offset + col
    }

    /// Copies the `patches` (images small small, k k C) of framed pictures (images, pitch, pitch, C).
    ///
    /// ```
    /// use skewfit::learn::nn::conv::Window;
    ///
    /// let window = Window { kernel: 2, stride: 1, small: 2, big: 3, pitch: 3, offset: 0 };
    /// let picture = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    /// let mut patches = [0.0; 16];
    /// window.gather(&picture, 1, 1, &mut patches);
    /// assert_eq!(patches[..8], [1.0, 2.0, 4.0, 5.0, 2.0, 3.0, 5.0, 6.0]);
    /// ```
    pub fn gather(&self, pictures: &[f32], channels: usize, images: usize, patches: &mut [f32]) {
        let run = self.kernel * channels;
        let frame = self.pitch * self.pitch * channels;
        let mut runs = patches.chunks_exact_mut(run);
        for picture in pictures.chunks_exact(frame).take(images) {
            for cell in 0..self.small * self.small {
                let (row, col) = (cell / self.small * self.stride, cell % self.small * self.stride);
                for k in 0..self.kernel {
                    let from = self.start(row + k, col) * channels;
                    if let Some(to) = runs.next() {
                        to.copy_from_slice(&picture[from..from + run]);
                    }
                }
            }
        }
    }

    /// Adds patches to the pixels that they came from; the adjoint of [`gather`](Self::gather).
    pub fn scatter(&self, patches: &[f32], channels: usize, images: usize, pictures: &mut [f32]) {
        let run = self.kernel * channels;
        let frame = self.pitch * self.pitch * channels;
        let mut runs = patches.chunks_exact(run);
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for picture in pictures.chunks_exact_mut(frame).take(images) {
                    for cell in 0..self.small * self.small {
                        let (row, col) = (cell / self.small * self.stride, cell % self.small * self.stride);
                        for k in 0..self.kernel {
                            let to = self.start(row + k, col) * channels;
                            if let Some(from) = runs.next() {
                                picture[to..to + run].iter_mut().zip(from).for_each(|(p, f)| *p += f);
                            }
                        }
                    }
                }
            },
        );
    }
}

impl ConvLayer {
    fn frame(&self) -> usize {
        self.window.pitch * self.window.pitch * self.big_channels
    }

    /// Grid of the big side.
    #[must_use]
    pub fn big(&self) -> Grid {
        let Window { big, pitch, offset, .. } = self.window;
        Grid { side: big, pitch, offset, channels: self.big_channels }
    }

    /// Grid of the small side.
    #[must_use]
    pub fn small(&self) -> Grid {
        Grid::new(self.window.small, self.small_channels)
    }

    fn cells(&self) -> usize {
        self.window.small * self.window.small
    }

    /// Floats of a patch: k k C, with the channels of the big side.
    #[must_use]
    pub fn patch(&self) -> usize {
        self.window.kernel * self.window.kernel * self.big_channels
    }

    /// Floats of the patch buffer `scratch` that the functions below need.
    #[must_use]
    pub fn scratch(&self) -> usize {
        GROUP * self.cells() * self.patch()
    }

    /// `dw`, `db` += gradients of a convolution, from `x` and `dy`.
    pub fn conv_weights(
        &self,
        x: &[f32],
        dy: &[f32],
        images: usize,
        dw: &mut [f32],
        db: &mut [f32],
        scratch: &mut [f32],
    ) {
        let small = self.cells() * self.small_channels;
        for start in (0..images).step_by(GROUP) {
            let n = GROUP.min(images - start);
            let rows = n * self.cells();
            self.window.gather(&x[start * self.frame()..], self.big_channels, n, scratch);
            let patches = MatrixView::new(scratch, rows, self.patch());
            dense::backward_weights(patches, &dy[start * small..], rows, dw, db);
        }
    }

    /// Overwrites `dx` (framed) with the input gradient of a convolution, scatter(dy W^T).
    pub fn conv_input(&self, dy: &[f32], w: &[f32], images: usize, dx: &mut [f32], scratch: &mut [f32]) {
        dx[..images * self.frame()].fill(0.0);
        for (n, dy, dx) in self.groups_mut(dy, self.cells() * self.small_channels, dx, self.frame(), images) {
            dense::backward_input(dy, n * self.cells(), w, self.patch(), scratch);
            self.window.scatter(scratch, self.big_channels, n, dx);
        }
    }

    /// `dw`, `db` += gradients of a transposed convolution, from `x` and `dy` (framed, zero outside); overwrites `dx`.
    #[allow(clippy::too_many_arguments)] // one product's operands; a struct would only rename them
    pub fn deconv_backward(
        &self,
        x: &[f32],
        w: &[f32],
        dy: &[f32],
        images: usize,
        dw: &mut [f32],
        db: &mut [f32],
        dx: &mut [f32],
        scratch: &mut [f32],
    ) {
        dense::add_rows(&dy[..images * self.frame()], db);
        let small = self.cells() * self.small_channels;
        for start in (0..images).step_by(GROUP) {
            let n = GROUP.min(images - start);
            let rows = n * self.cells();
            self.window.gather(&dy[start * self.frame()..], self.big_channels, n, scratch);
            let patches = MatrixView::new(scratch, rows, self.patch());
            let x = MatrixView::new(&x[start * small..], rows, self.small_channels);
            matmul(dw, true, x.t(), patches);
            let dx = &mut dx[start * small..(start + n) * small];
            matmul(dx, false, patches, MatrixView::new(w, self.small_channels, self.patch()).t());
        }
    }

    fn groups_mut<'a>(
        &self,
        from: &'a [f32],
        from_size: usize,
        to: &'a mut [f32],
        to_size: usize,
        images: usize,
    ) -> impl Iterator<Item = (usize, &'a [f32], &'a mut [f32])> {
        let from = from[..images * from_size].chunks(GROUP * from_size);
        let to = to[..images * to_size].chunks_mut(GROUP * to_size);
        from.zip(to).map(move |(from, to)| (from.len() / from_size, from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(n: usize, salt: usize) -> Vec<f32> {
        (0..n).map(|i| ((i * 31 + salt * 17) % 23) as f32 - 11.0).collect()
    }

    fn dot(a: &[f32], b: &[f32]) -> f64 {
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    }

    proptest! {
        /// <gather(x), p> = <x, scatter(p)>: transposed convolution is the adjoint of convolution.
        #[test]
        fn oracle_19_gather_and_scatter_are_adjoint(
            kernel in 1usize..6, stride in 1usize..4, small in 1usize..5, extra in 0usize..3, pad in 0usize..2,
            channels in 1usize..4, images in 1usize..3,
        ) {
            let big = (small - 1) * stride + kernel + extra;
            let window = Window { kernel, stride, small, big, pitch: big + 2 * pad, offset: pad };
            let x = values(images * window.pitch * window.pitch * channels, 1);
            let p = values(images * small * small * kernel * kernel * channels, 2);
            let (mut gathered, mut scattered) = (vec![0.0; p.len()], vec![0.0; x.len()]);
            window.gather(&x, channels, images, &mut gathered);
            window.scatter(&p, channels, images, &mut scattered);
            prop_assert_eq!(dot(&gathered, &p), dot(&x, &scattered));
        }
    }
}
