//! Density against true rarity: do rarely visited states have a lower density, and does Skew-Fit favour them?

use skewfit_envs::CoverageGrid;

use super::encoded::EncodedFrames;
use super::sample::Sample;
use crate::learn::skew::skew_weights;
use crate::statistics::mean;

/// Parts that the range of a mapped state is divided into; for a door: closed, half-open, open.
const PARTS: usize = 3;

/// Visits of each cell in the episodes that were read.
#[derive(Clone, Debug)]
pub struct CellVisits {
    grid: CoverageGrid,
    counts: Vec<u32>,
}

impl CellVisits {
    /// Counts every state of the sample; `None` if the states lack an axis of the grid.
    #[must_use]
    pub fn count(grid: &CoverageGrid, sample: &Sample) -> Option<Self> {
        let dim = sample.state_names.len();
        if dim == 0 || grid.axes.iter().chain(&grid.heat_map).any(|axis| axis.state >= dim) {
            return None;
        }
        let mut counts = vec![0; grid.cells()];
        sample.states.chunks_exact(dim).for_each(|state| counts[grid.cell(state)] += 1);
        Some(Self { grid: grid.clone(), counts })
    }

    /// The cell of `state` (S).
    #[must_use]
    pub fn cell(&self, state: &[f64]) -> usize {
        self.grid.cell(state)
    }

    /// How often the cell of `state` (S) was visited.
    #[must_use]
    pub fn of(&self, state: &[f64]) -> f64 {
        f64::from(self.counts[self.grid.cell(state)])
    }
}

/// The skewed distribution, restricted to the sampled frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Skewed {
    /// The power in use, after tempering.
    pub power: f64,
    /// Indices of the frames that it covers.
    pub frames: Vec<usize>,
    /// Their weights relative to uniform sampling (mean 1).
    pub weights: Vec<f64>,
    /// Effective sample size over the number of frames.
    pub ess: f64,
}

impl Skewed {
    /// Weights p^`power` over the frames of episodes with id < `refreshed`.
    #[must_use]
    pub fn of(power: f64, refreshed: u64, sample: &Sample, encoded: &EncodedFrames) -> Self {
        let frames: Vec<usize> = (0..sample.frames.len()).filter(|i| sample.frames[*i].episode < refreshed).collect();
        let densities: Vec<f64> = frames.iter().map(|i| encoded.log_density[*i]).collect();
        let weights = skew_weights(&densities, power);
        let n = frames.len() as f64;
        Self { power, ess: weights.ess() / n.max(1.0), weights: weights.p.iter().map(|p| p * n).collect(), frames }
    }
}

/// Frames whose mapped state lies in one part of the visited range.
#[derive(Clone, Debug, PartialEq)]
pub struct StateRange {
    /// Name of the state, with its unit.
    pub axis: String,
    /// (lower end, upper end).
    pub range: (f64, f64),
    /// (number of frames, their share of all frames).
    pub frames: (usize, f64),
    /// Mean log p(x), nats.
    pub log_density: f64,
    /// Variance explained by the reconstructions.
    pub explained: f64,
    /// Mean weight relative to uniform sampling; `None` without skewing.
    pub weight: Option<f64>,
}

/// Divides the range of state `axis` in the sample into equal parts, lowest first; empty parts are left out.
#[must_use]
pub fn state_ranges(
    sample: &Sample,
    axis: usize,
    name: &str,
    encoded: &EncodedFrames,
    skewed: Option<&Skewed>,
) -> Vec<StateRange> {
    let values: Vec<f64> = sample.frames.iter().map(|f| f.state[axis]).collect();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    let width = (high - low) / PARTS as f64;
    let part_of = |v: f64| if width > 0.0 { (((v - low) / width) as usize).min(PARTS - 1) } else { 0 };
    let of = |k: usize| {
        let inside: Vec<usize> = (0..values.len()).filter(|i| part_of(values[*i]) == k).collect();
        let weights: Vec<f64> = skewed.map_or_else(Vec::new, |s| {
            s.frames.iter().zip(&s.weights).filter(|(i, _)| part_of(values[**i]) == k).map(|(_, w)| *w).collect()
        });
        (!inside.is_empty()).then(|| StateRange {
            axis: name.to_owned(),
            range: (low + k as f64 * width, low + (k + 1) as f64 * width),
            frames: (inside.len(), inside.len() as f64 / values.len() as f64),
            log_density: mean(&inside.iter().map(|i| encoded.log_density[*i]).collect::<Vec<_>>()),
            explained: encoded.explained(inside.into_iter()),
            weight: (!weights.is_empty()).then(|| mean(&weights)),
        })
    };
    (0..PARTS).filter_map(of).collect()
}
