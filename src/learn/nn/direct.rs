//! Direct convolution:  y(p, o) = sum_{r,k} x(p)[r pitch + k] W(r, k, o),  six or eight positions p at a time in registers.
//!
//! In pictures (H, W, C) the k C inputs under one kernel row are contiguous, so a convolution needs no patches. A [`Pass`]
//! lists where each position's inputs begin, [`Panels`] hold the weights in the order in which they are read, and an
//! [`Epilogue`] takes every sum from the registers: it rectifies and stores the sum, or reduces it and stores nothing.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::dense::Nonlinearity;
use super::panels::Panels;

/// An output position: where its inputs begin, and where its output goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputPosition {
    /// Index of the picture in its block.
    pub image: u32,
    /// Index of its first input in x.
    pub from: u32,
    /// Index of the position in y, counted over all pictures.
    pub to: u32,
}

/// Positions that use the same part of a kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Picture by picture, equally many for each picture.
    pub places: Vec<OutputPosition>,
    /// Kernel rows.
    pub rows: Range<usize>,
    /// Inputs of each kernel row.
    pub run: Range<usize>,
}

/// The last step of a convolution: what is done with its sums.
pub trait Epilogue {
    /// Takes y(place, column..column + lanes) of each position; columns past the outputs are zero.
    fn put<S: Simd, const P: usize>(&mut self, simd: S, places: &[OutputPosition], column: usize, y: [S::f32s; P]);
}

/// Loads a vector from the first floats of a slice.
#[inline(always)]
pub fn load<S: Simd>(from: &[f32]) -> S::f32s {
    S::as_simd_f32s(&from[..S::F32_LANES]).0[0]
}

/// Stores a vector to the first floats of a slice.
#[inline(always)]
pub fn store<S: Simd>(to: &mut [f32], value: S::f32s) {
    S::as_mut_simd_f32s(&mut to[..S::F32_LANES]).0[0] = value;
}

/// Stores activation(y + b).
pub struct BiasActivation<'a> {
    /// (C).
    pub bias: &'a [f32],
    /// The activation after the bias.
    pub activation: Nonlinearity,
    /// (positions, C).
    pub y: &'a mut [f32],
}

impl Epilogue for BiasActivation<'_> {
    #[inline(always)]
    fn put<S: Simd, const P: usize>(&mut self, simd: S, places: &[OutputPosition], column: usize, y: [S::f32s; P]) {
        let channels = self.bias.len();
        let width = S::F32_LANES.min(channels.saturating_sub(column));
        let bias = match width == S::F32_LANES {
            true => load::<S>(&self.bias[column..]),
            false => simd.partial_load_f32s(&self.bias[channels - width..]),
        };
        let zero = simd.splat_f32s(0.0);
        for p in 0..P.min(places.len()) {
            let y = simd.add_f32s(y[p], bias);
            let y = match self.activation {
                Nonlinearity::Identity => y,
                Nonlinearity::Relu => simd.select_f32s(simd.less_than_f32s(y, zero), zero, y), // a NaN stays NaN
            };
            let to = &mut self.y[places[p].to as usize * channels..][..channels];
            match width == S::F32_LANES {
                true => store::<S>(&mut to[column..], y),
                false => simd.partial_store_f32s(&mut to[channels - width..], y),
            }
        }
    }
}

/// Computes the sums of the first `places` positions of `pass` and gives them to `sink`; rows of `x` are `pitch` floats apart.
pub fn run_pass<K: Epilogue>(panels: &Panels, pass: &Pass, places: usize, x: &[f32], pitch: usize, sink: &mut K) {
    let places = &pass.places[..places];
    pulp::Arch::new().dispatch(PassKernel { panels, pass, places, x, pitch, sink });
}

struct PassKernel<'a, K> {
    panels: &'a Panels,
    pass: &'a Pass,
    places: &'a [OutputPosition],
    x: &'a [f32],
    pitch: usize,
    sink: &'a mut K,
}

impl<K: Epilogue> WithSimd for PassKernel<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many sums as fit into the registers beside the weights; wider panels need fewer loads per product.
        match (S::REGISTER_COUNT >= 32, self.panels.width / S::F32_LANES) {
            (true, 1) => self.blocks::<S, 8, 1>(simd),
            (true, _) => self.blocks::<S, 8, 2>(simd),
            (false, _) => self.blocks::<S, 6, 2>(simd),
        }
    }
}

impl<K: Epilogue> PassKernel<'_, K> {
    #[inline(always)]
    fn blocks<S: Simd, const P: usize, const V: usize>(self, simd: S) {
        let panel = self.panels.rows * self.panels.run * self.panels.width;
        let weights = &self.panels.data[self.panels.start..][..self.panels.map.len()];
        for number in 0..self.panels.panels {
            let vectors = S::as_simd_f32s(&weights[number * panel..][..panel]).0;
            for places in self.places.chunks(P) {
                let mut from = [0; P];
                for p in 0..P {
                    from[p] = places[p.min(places.len() - 1)].from as usize;
                }
                for first in (0..self.panels.width / S::F32_LANES).step_by(V) {
                    let y = self.block::<S, P, V>(simd, &from, vectors, first);
                    for (v, y) in y.into_iter().enumerate() {
                        let column = number * self.panels.width + (first + v) * S::F32_LANES;
                        self.sink.put(simd, places, column, y);
                    }
                }
            }
        }
    }
}

impl<K> PassKernel<'_, K> {
    /// Sums of P positions and V vectors of outputs, starting at vector `first` of the panel `w`.
    #[inline(always)]
    fn block<S: Simd, const P: usize, const V: usize>(
        &self,
        simd: S,
        from: &[usize; P],
        w: &[S::f32s],
        first: usize,
    ) -> [[S::f32s; P]; V] {
        let (run, whole, vectors) = (self.pass.run.len(), self.panels.run, self.panels.width / S::F32_LANES);
        let mut y = [[simd.splat_f32s(0.0); P]; V];
        for (line, row) in self.pass.rows.clone().enumerate() {
            let mut x: [&[f32]; P] = [&[]; P];
            for p in 0..P {
                x[p] = &self.x[from[p] + line * self.pitch..][..run];
            }
            let w = &w[(row * whole + self.pass.run.start) * vectors..][..run * vectors];
            for k in 0..run {
                let w = &w[k * vectors + first..][..V];
                for p in 0..P {
                    let x = simd.splat_f32s(x[p][k]);
                    for v in 0..V {
                        y[v][p] = simd.mul_add_e_f32s(x, w[v], y[v][p]);
                    }
                }
            }
        }
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::rng::normals;
    use crate::learn::rng::stream;

    /// Sums of 13 positions over part of 2 rows of 11 inputs, with one instruction set.
    fn on<S: Simd>(simd: S, outputs: usize) -> Vec<f32> {
        let mut rng = stream(0, "direct", &[]);
        let mut panels = Panels::new(2, 11, outputs, |row, k, output| (row * 11 + k) * outputs + output);
        panels.update(&normals(22 * outputs, &mut rng));
        let x = normals(40, &mut rng);
        let places: Vec<OutputPosition> = (0..13).map(|i| OutputPosition { image: 0, from: i, to: 12 - i }).collect();
        let pass = Pass { places, rows: 0..2, run: 3..9 };
        let (bias, mut y) = (normals(outputs, &mut rng), vec![0.0; 13 * outputs]);
        let sink = &mut BiasActivation { bias: &bias, activation: Nonlinearity::Identity, y: &mut y };
        simd.vectorize(PassKernel { panels: &panels, pass: &pass, places: &pass.places, x: &x, pitch: 15, sink });
        y
    }

    #[test]
    fn every_kind_of_vectors_gives_the_same_sums() {
        for outputs in [1, 3, 16, 27, 32, 64, 70] {
            let want = on(pulp::Scalar, outputs);
            let close = |got: Vec<f32>| assert!(got.iter().zip(&want).all(|(g, w)| (g - w).abs() < 1e-5), "{outputs}");
            #[cfg(target_arch = "x86_64")]
            {
                pulp::x86::V3::try_new().into_iter().for_each(|v3| close(on(v3, outputs)));
                pulp::x86::V4::try_new().into_iter().for_each(|v4| close(on(v4, outputs)));
            }
            #[cfg(target_arch = "aarch64")]
            pulp::aarch64::Neon::try_new().into_iter().for_each(|neon| close(on(neon, outputs)));
            close(want.clone());
        }
    }
}
