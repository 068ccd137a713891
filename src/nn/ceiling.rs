//! What this machine's cores reach in f32 products: the ceiling every other figure is held against.

use super::gemm::{View, matmul};
use super::workers::Workers;

/// Multiplies `size` x `size` matrices, one block of rows a thread; the destination is returned in `dst`.
pub fn square_product(workers: &Workers, size: usize, a: &[f32], b: &[f32], dst: &mut [f32]) {
    let rows = size.div_ceil(workers.count());
    let mut blocks: Vec<(&[f32], &mut [f32])> = a.chunks(rows * size).zip(dst.chunks_mut(rows * size)).collect();
    workers.each(&mut blocks, |_, (a, dst)| {
        matmul(dst, false, View::new(a, a.len() / size, size), View::new(b, size, size));
    });
}

/// GFLOP/s of a 1024-cubed f32 product on `threads` threads; `elapsed` runs its argument and gives the seconds it took.
#[must_use]
pub fn gemm_ceiling(threads: usize, mut elapsed: impl FnMut(&mut dyn FnMut()) -> f64) -> f64 {
    const SIZE: usize = 1024;
    let workers = Workers::new(threads);
    let a: Vec<f32> = (0..SIZE * SIZE).map(|i| (i % 13) as f32 - 6.0).collect();
    let mut dst = vec![0.0; SIZE * SIZE];
    let fastest = (0..20)
        .map(|_| elapsed(&mut || square_product(&workers, SIZE, &a, &a, &mut dst)))
        .fold(f64::INFINITY, f64::min);
    2.0 * (SIZE as f64).powi(3) / fastest / 1e9
}
