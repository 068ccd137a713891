//! Dst = [Dst +] A B on strided f32 views, on the calling thread, with the f32 kernels of the `gemm` crate.
//!
//! The only file with `unsafe`: the kernel takes raw pointers. Every view is checked to lie inside its slice.
#![allow(unsafe_code)] // the kernel is an unsafe function

use gemm_common::Parallelism;
use gemm_f32::gemm::f32::get_gemm_fn;

/// A (rows, cols) matrix inside a slice: entry (r, c) at `r * row_stride + c * col_stride`. Rows may overlap.
#[derive(Clone, Copy)]
pub struct MatrixView<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> MatrixView<'a> {
    /// A dense row-major view.
    #[must_use]
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// A row-major view with `row_stride` floats from one row to the next.
    ///
    /// # Panics
    /// If the view does not fit into the slice.
    #[must_use]
    pub fn strided(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(rows == 0 || cols == 0 || (rows - 1) * row_stride + cols <= data.len(), "view outside of its slice");
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The transpose.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            data: self.data,
        }
    }
}

/// `dst` = A B or, with `accumulate`, `dst` += A B. `dst` is (A.rows, B.cols), row-major and dense.
///
/// ```
/// use skewfit::learn::nn::gemm::{MatrixView, matmul};
///
/// let (a, b, mut y) = ([1.0, 2.0, 3.0, 4.0], [10.0, 1.0], [0.0; 2]);
/// matmul(&mut y, false, MatrixView::new(&a, 2, 2), MatrixView::new(&b, 2, 1));
/// assert_eq!(y, [12.0, 34.0]);
/// ```
///
/// # Panics
/// If the shapes do not fit.
pub fn matmul(dst: &mut [f32], accumulate: bool, a: MatrixView, b: MatrixView) {
    assert_eq!(a.cols, b.rows, "inner dimensions differ");
    assert!(a.rows * b.cols <= dst.len(), "destination too small");
    if a.rows == 0 || b.cols == 0 {
        return;
    }
    // The kernel writes along columns, so a row-major Dst is computed as Dst^T = B^T A^T.
    let columns = b.cols as isize;
    let (left, right, dst_cs, dst_rs) = if columns > 1 { (b.t(), a.t(), columns, 1) } else { (a, b, 1, columns) };
    // SAFETY: `dst` is exclusively borrowed and holds a.rows x b.cols entries (asserted above), so it cannot overlap
    // A or B; A's and B's last entries lie inside their slices (asserted where a `MatrixView` is made).
    unsafe {
        get_gemm_fn()(
            left.rows,
            right.cols,
            left.cols,
            dst.as_mut_ptr(),
            dst_cs,
            dst_rs,
            accumulate,
            left.data.as_ptr(),
            left.col_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.col_stride as isize,
            right.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(a: &[f32], b: &[f32], m: usize, k: usize, n: usize) -> Vec<f32> {
        let at = |r: usize, c: usize| (0..k).map(|i| a[r * k + i] * b[i * n + c]).sum();
        (0..m * n).map(|i| at(i / n, i % n)).collect()
    }

    #[test]
    fn agrees_with_the_definition_for_all_orientations() {
        let a: Vec<f32> = (0..6).map(|i| i as f32 - 2.0).collect();
        let b: Vec<f32> = (0..12).map(|i| (i * i % 7) as f32).collect();
        let want = naive(&a, &b, 2, 3, 4);
        let mut dst = vec![1.0; 8];
        matmul(&mut dst, false, MatrixView::new(&a, 2, 3), MatrixView::new(&b, 3, 4));
        assert_eq!(dst, want);
        matmul(&mut dst, true, MatrixView::new(&a, 2, 3), MatrixView::new(&b, 3, 4));
        assert_eq!(dst, want.iter().map(|w| 2.0 * w).collect::<Vec<_>>());
        // (AB)^T = B^T A^T
        matmul(&mut dst, false, MatrixView::new(&b, 3, 4).t(), MatrixView::new(&a, 2, 3).t());
        assert_eq!(dst, (0..8).map(|i| want[(i % 2) * 4 + i / 2]).collect::<Vec<_>>());
    }

    #[test]
    fn overlapping_rows_are_windows() {
        let line = [1.0, 2.0, 3.0, 4.0];
        let mut dst = [0.0; 3];
        matmul(&mut dst, false, MatrixView::strided(&line, 3, 2, 1), MatrixView::new(&[1.0, 10.0], 2, 1));
        assert_eq!(dst, [21.0, 32.0, 43.0]);
    }
}
