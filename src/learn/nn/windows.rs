//! Which inputs each output of a convolution or transposed convolution uses, as passes of [`direct`](super::direct).
//!
//! conv:    y(i) = sum_m x(s i + m) W(m)
//! deconv:  y(s i + a) = sum_m x(i - m) W(a + s m),   0 <= a < s:  s phases per side, each a convolution of its own.
//! Positions at the border use fewer taps and have passes of their own, so nothing is multiplied by padding.

use std::ops::Range;

use super::direct::{Epilogue, OutputPosition, Pass, run_pass};
use super::panels::Panels;

/// `side` x `side` positions of `channels` floats inside frames of `pitch` x `pitch`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Positions per side.
    pub side: usize,
    /// Positions per side of the frame.
    pub pitch: usize,
    /// First row and column of the grid in the frame.
    pub offset: usize,
    /// Floats per position.
    pub channels: usize,
}

/// Forward pass of one (transposed) convolution layer on blocks of pictures: its passes and packed weights.
pub struct Windows {
    parts: Vec<(Panels, Vec<Pass>)>,
    images: usize,
    /// Floats from one line of x to the next.
    pitch: usize,
}

/// Layout of the output of a transposed convolution with stride s, whose phases are (a, b), 0 <= a, b < s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phases {
    /// y is a picture: phase (a, b) of input (i, j) is the pixel (s i + a, s j + b).
    Pixels,
    /// Phases are channels: position (i, j) of y has (s, s, C) floats. The kernel must be a multiple of the stride.
    Channels,
}

/// Output index `at` uses the inputs from `first` on, with the kernel's taps `taps`.
#[derive(Clone, Debug)]
struct OutputTaps {
    at: usize,
    first: usize,
    taps: Range<usize>,
}

impl Grid {
    /// A grid without a frame.
    #[must_use]
    pub fn new(side: usize, channels: usize) -> Self {
        Self { side, pitch: side, offset: 0, channels }
    }

    /// Number of positions in a frame.
    #[must_use]
    pub fn positions(&self) -> usize {
        self.pitch * self.pitch
    }

    fn at(&self, image: usize, row: usize, col: usize) -> usize {
        image * self.positions() + (self.offset + row) * self.pitch + self.offset + col
    }
}

impl Windows {
    /// A convolution with weights (k, k, C_in, C_out).
    #[must_use]
    pub fn conv(kernel: usize, stride: usize, x: Grid, y: Grid, images: usize) -> Self {
        let run = kernel * x.channels;
        let panels = Panels::new(kernel, run, y.channels, |row, k, out| (row * run + k) * y.channels + out);
        let side: Vec<OutputTaps> =
            (0..y.side).map(|at| OutputTaps { at, first: at * stride, taps: 0..kernel }).collect();
        Self { parts: vec![(panels, passes(&side, &side, x, y, images))], images, pitch: x.pitch * x.channels }
    }

    /// A transposed convolution with weights (C_in, k, k, C_out) and the output layout `phases`.
    ///
    /// # Panics
    /// If `phases` is [`Phases::Channels`] and the kernel is not a multiple of the stride.
    #[must_use]
    pub fn deconv(kernel: usize, stride: usize, phases: Phases, x: Grid, y: Grid, images: usize) -> Self {
        assert!(
            phases == Phases::Pixels || kernel.is_multiple_of(stride),
            "phases of unequal kernels cannot share a pass"
        );
        let (span, step) = match phases {
            Phases::Pixels => (1, stride),
            Phases::Channels => (stride, 1),
        };
        let out = y.channels / (span * span);
        let part = |phase: usize| {
            let (a, b) = (phase / step, phase % step);
            let [m, n] = [a, b].map(|a| kernel.saturating_sub(a).div_ceil(stride));
            // Taps run backwards: the top left input is multiplied by the last tap of the kernel.
            let index = |row: usize, k: usize, output: usize| {
                let (col, input) = (k / x.channels, k % x.channels);
                let (da, db, o) = (output / out / span, output / out % span, output % out);
                let (ky, kx) = (a + da + stride * (m - 1 - row), b + db + stride * (n - 1 - col));
                ((input * kernel + ky) * kernel + kx) * out + o
            };
            let panels = Panels::new(m, n * x.channels, y.channels, index);
            (panels, passes(&seen(a, m, step, x, y), &seen(b, n, step, x, y), x, y, images))
        };
        Self { parts: (0..step * step).map(part).collect(), images, pitch: x.pitch * x.channels }
    }

    /// Number of pictures in a block.
    #[must_use]
    pub fn images(&self) -> usize {
        self.images
    }

    /// Copies the layer's weights; needed whenever they have changed.
    pub fn update(&mut self, weights: &[f32]) {
        self.parts.iter_mut().for_each(|(panels, _)| panels.update(weights));
    }

    /// Computes all sums of `images` pictures `x`, without bias, and gives them to `sink`.
    ///
    /// # Panics
    /// If there are more pictures than in a block.
    pub fn run<K: Epilogue>(&self, x: &[f32], images: usize, sink: &mut K) {
        assert!(images <= self.images, "more pictures than a block holds");
        for (panels, passes) in &self.parts {
            for pass in passes {
                let places = pass.places.len() / self.images * images;
                run_pass(panels, pass, places, x, self.pitch, sink);
            }
        }
    }
}

/// The inputs of the outputs of phase `a`, which has `m` taps, along one side of a transposed convolution.
fn seen(a: usize, m: usize, step: usize, x: Grid, y: Grid) -> Vec<OutputTaps> {
    let outputs = (0..).map(|i| (i, step * i + a)).take_while(|(_, at)| *at < y.side);
    outputs
        .map(|(i, at)| {
            let (first, last) = ((i + 1).saturating_sub(m), i.min(x.side - 1));
            if first > last {
                return OutputTaps { at, first: 0, taps: 0..0 }; // past the last window or between windows: only the bias
            }
            let skipped = first + m - 1 - i;
            OutputTaps { at, first, taps: skipped..skipped + last + 1 - first }
        })
        .collect()
}

/// Positions grouped by the taps that they use.
fn passes(rows: &[OutputTaps], cols: &[OutputTaps], x: Grid, y: Grid, images: usize) -> Vec<Pass> {
    let same = |a: &OutputTaps, b: &OutputTaps| a.taps == b.taps;
    let pass = |rows: &[OutputTaps], cols: &[OutputTaps]| {
        let place = |image: usize, row: &OutputTaps, col: &OutputTaps| OutputPosition {
            image: image as u32,
            from: (x.at(image, row.first, col.first) * x.channels) as u32,
            to: y.at(image, row.at, col.at) as u32,
        };
        let lines = (0..images).flat_map(|image| rows.iter().map(move |row| (image, row)));
        Pass {
            places: lines.flat_map(|(image, row)| cols.iter().map(move |col| place(image, row, col))).collect(),
            rows: rows[0].taps.clone(),
            run: cols[0].taps.start * x.channels..cols[0].taps.end * x.channels,
        }
    };
    rows.chunk_by(same).flat_map(|rows| cols.chunk_by(same).map(move |cols| pass(rows, cols))).collect()
}
