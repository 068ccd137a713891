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
