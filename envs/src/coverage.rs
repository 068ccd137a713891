//! How visits are counted: a grid over entries of the state, or of proprioception where there is no state.

use serde::{Deserialize, Serialize};

/// One axis of a coverage grid: `cells` equal bins over [low, high] of a state entry. Values outside count in the
/// border bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GridAxis {
    /// Index into the counted entries: the state, or proprioception where there is no state.
    pub state: usize,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Number of bins.
    pub cells: usize,
}

/// How visited states are counted, and which two axes a heat map shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CoverageGrid {
    /// The grid is the product of these axes, first axis slowest.
    pub axes: Vec<GridAxis>,
    /// (horizontal, vertical) axes of the heat map, each with its own finer binning.
    pub heat_map: [GridAxis; 2],
}

impl GridAxis {
    /// Bin of `value`, in `0..cells`; a NaN counts in bin 0.
    #[must_use]
    pub fn bin(&self, value: f64) -> usize {
        (self.position(value) as usize).min(self.cells - 1)
    }

    /// Where `value` is, in bins from the lower end, in [0, cells]; 0 for a NaN.
    pub(crate) fn position(&self, value: f64) -> f64 {
        let unit = (value - self.low) / (self.high - self.low);
        (unit * self.cells as f64).max(0.0).min(self.cells as f64)
    }

    /// The value in the middle of a bin.
    pub(crate) fn centre(&self, bin: usize) -> f64 {
        self.low + (bin as f64 + 0.5) * (self.high - self.low) / self.cells as f64
    }
}

impl CoverageGrid {
    /// Number of cells.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.axes.iter().map(|a| a.cells).product()
    }

    /// Cell of a state, in `0..cells()`.
    #[must_use]
    pub fn cell(&self, state: &[f64]) -> usize {
        self.axes.iter().fold(0, |cell, axis| cell * axis.cells + axis.bin(state[axis.state]))
    }
}
