//! |x - clamp(y + b)|^2 of decoded pictures, summed in the last layer's registers: no decoded picture is stored.

use pulp::Simd;

use super::architecture::{Architecture, BLOCK};
use super::packed::PackedWeights;
use super::picture::cells_of_picture;
use crate::learn::nn::direct::{Epilogue, OutputPosition, load, store};

/// Floats of a cell: 27 (9 pixels x 3 colours), padded to whole vectors.
const CELL: usize = 32;

/// Squared errors of one block of decoded pictures against target pictures, which may repeat.
pub struct SquaredErrors {
    /// (32), zero past the pixels.
    bias: Vec<f32>,
    /// (different targets, lattice, 32), values in [0, 1], zero past the pixels.
    targets: Vec<f32>,
    /// For each picture of the block, the distance in positions from its target back to its own position.
    back: Vec<usize>,
    /// (BLOCK, 32): one sum per vector lane.
    sums: Vec<f32>,
    /// Cells per line of a picture, and per line of the lattice.
    cells: usize,
    pitch: usize,
}

impl SquaredErrors {
    pub fn new(a: &Architecture, packed: &PackedWeights) -> Self {
        let mut bias = packed.last_bias.clone();
        bias.resize(CELL, 0.0);
        let (cells, pitch) = (a.cells(), a.cell_grid().pitch);
        Self {
            bias,
            targets: vec![0.0; pitch * pitch * CELL],
            back: (0..BLOCK).map(|i| i * pitch * pitch).collect(),
            sums: vec![0.0; BLOCK * CELL],
            cells,
            pitch,
        }
    }

    /// Starts a block whose i-th picture is compared with the i-th of `pictures` (H, W, 3); equal neighbours share a target.
    pub fn begin<'p>(&mut self, pictures: impl Iterator<Item = &'p [u8]>) {
        self.sums.fill(0.0);
        let positions = self.pitch * self.pitch;
        let (mut last, mut count): (Option<&[u8]>, usize) = (None, 0);
        for (i, picture) in pictures.enumerate() {
            if last.is_none_or(|last| !std::ptr::eq(last, picture)) {
                count += 1;
                self.targets.resize(self.targets.len().max(count * positions * CELL), 0.0);
                let targets = &mut self.targets[(count - 1) * positions * CELL..];
                cells_of_picture(picture, self.cells, self.pitch, CELL, targets);
                last = Some(picture);
            }
            self.back[i] = (i + 1 - count) * positions;
        }
    }

    /// Squared error of picture `image` of the block.
    pub fn of(&self, image: usize) -> f64 {
        self.sums[image * CELL..(image + 1) * CELL].iter().map(|sum| f64::from(*sum)).sum()
    }
}

impl Epilogue for SquaredErrors {
    #[inline(always)]
    fn put<S: Simd, const P: usize>(&mut self, simd: S, places: &[OutputPosition], column: usize, y: [S::f32s; P]) {
        let (zero, one, bias) = (simd.splat_f32s(0.0), simd.splat_f32s(1.0), load::<S>(&self.bias[column..]));
        let mut image = places[0].image as usize;
        let mut sum = load::<S>(&self.sums[image * CELL + column..]);
        for p in 0..P.min(places.len()) {
            let place = places[p];
            if place.image as usize != image {
                store::<S>(&mut self.sums[image * CELL + column..], sum);
                image = place.image as usize;
                sum = load::<S>(&self.sums[image * CELL + column..]);
            }
            let target = (place.to as usize - self.back[image]) * CELL + column;
            let mean = simd.add_f32s(y[p], bias);
            // Not min and max, because a NaN must stay NaN.
            let mean = simd.select_f32s(simd.less_than_f32s(mean, zero), zero, mean);
            let mean = simd.select_f32s(simd.less_than_f32s(one, mean), one, mean);
            let error = simd.sub_f32s(mean, load::<S>(&self.targets[target..]));
            sum = simd.mul_add_e_f32s(error, error, sum);
        }
        store::<S>(&mut self.sums[image * CELL + column..], sum);
    }
}
