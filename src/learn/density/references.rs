//! Distances from latents to a random subset of them, the references.
//!
//! The subset is drawn without replacement from all frames, so it depends on the stream and on the number of frames. A frame
//! is not among its own references. Each frame's distances are computed alone: the number of threads changes no value.

use crate::learn::nn::Workers;
use crate::learn::rng::Rng;

/// Most frames that a frame is compared with.
pub const REFERENCES: usize = 4096;
/// References whose distances are computed together, in registers.
const LANES: usize = 32;

/// Latents (n, Z) and the references among them.
pub struct References<'a> {
    means: &'a [f32],
    dim: usize,
    workers: &'a Workers,
    /// Frames that are references, ascending.
    pub frames: Vec<usize>,
    /// (blocks, Z, LANES): the references' latents, infinite after the last one.
    points: Vec<f32>,
}

impl<'a> References<'a> {
    /// Draws at most [`REFERENCES`] of the frames with latents `means` (n, Z).
    pub fn draw(means: &'a [f32], dim: usize, workers: &'a Workers, draws: &mut Rng) -> Self {
        let n = means.len() / dim;
        let mut frames = rand::seq::index::sample(draws, n, n.min(REFERENCES)).into_vec();
        frames.sort_unstable();
        let mut points = vec![f32::INFINITY; frames.len().div_ceil(LANES) * LANES * dim];
        for (i, frame) in frames.iter().enumerate() {
            for d in 0..dim {
                points[(i / LANES * dim + d) * LANES + i % LANES] = means[frame * dim + d];
            }
        }
        Self { means, dim, workers, frames, points }
    }

    /// `value` of the squared distances from each of `frames` to the references. There are infinite ones among them: from
    /// a frame to itself, and after the last.
    pub fn each(&self, frames: &[usize], value: impl Fn(&[f32]) -> f64 + Sync) -> Vec<f64> {
        let mut values = vec![0.0; frames.len()];
        let size = frames.len().div_ceil(self.workers.count()).max(1);
        let mut shares: Vec<_> = frames.chunks(size).zip(values.chunks_mut(size)).collect();
        self.workers.each(&mut shares, |_, (frames, values)| {
            let mut squared = vec![0.0; self.points.len() / self.dim];
            for (frame, out) in frames.iter().zip(values.iter_mut()) {
                self.squared_distances(*frame, &mut squared);
                *out = value(&squared);
            }
        });
        values
    }

    /// [`each`](Self::each) of all n frames.
    pub fn all(&self, value: impl Fn(&[f32]) -> f64 + Sync) -> Vec<f64> {
        self.each(&(0..self.means.len() / self.dim).collect::<Vec<_>>(), value)
    }

    fn squared_distances(&self, frame: usize, out: &mut [f32]) {
        let z = &self.means[frame * self.dim..][..self.dim];
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (block, out) in self.points.chunks_exact(LANES * self.dim).zip(out.chunks_exact_mut(LANES)) {
                    let mut sums = [0.0; LANES];
                    for (axis, z) in block.chunks_exact(LANES).zip(z) {
                        sums.iter_mut().zip(axis).for_each(|(sum, x)| *sum += (x - z) * (x - z));
                    }
                    out.copy_from_slice(&sums);
                }
            },
        );
        if let Ok(own) = self.frames.binary_search(&frame) {
            out[own] = f32::INFINITY;
        }
    }
}

/// Distance to the k-th nearest of the `squared` distances; with fewer than k finite ones, to the farthest of them; 0
/// without any.
pub fn kth_distance(squared: &[f32], k: usize) -> f64 {
    let mut nearest = vec![f32::INFINITY; k];
    let mut kth = f32::INFINITY;
    for distance in squared {
        if *distance < kth {
            let at = nearest.partition_point(|d| d <= distance);
            nearest[at..].rotate_right(1);
            nearest[at] = *distance;
            kth = nearest[k - 1];
        }
    }
    nearest.into_iter().rfind(|d| d.is_finite()).map_or(0.0, |d| f64::from(d).sqrt())
}
