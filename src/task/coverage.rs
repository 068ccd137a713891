//! How much of the state space was visited: the number of cells visited so far, that in the last 1,000 states, and the plug-in
//! entropy H = -sum_c (n_c / n) ln(n_c / n) over the last `window` states (nats; at most ln of the number of cells).
//!
//! States, or joint readings, only measure exploration; nothing is learned from them.

use std::collections::VecDeque;

use skewfit_envs::{CoverageGrid, GridAxis};

use crate::statistics::entropy_nats;

/// States among which [`Coverage::recent_cells`] counts cells.
const RECENT: usize = 1000;

/// Visit counts over the cells of a grid.
#[derive(Clone, Debug)]
pub struct Coverage {
    grid: CoverageGrid,
    window: usize,
    visited: Vec<bool>,
    recent: VecDeque<usize>,
    recent_counts: Vec<usize>,
}

impl Coverage {
    /// Starts with no visits; the entropy covers the last `window` states.
    #[must_use]
    pub fn new(grid: CoverageGrid, window: usize) -> Self {
        let cells = grid.cells();
        Self { grid, window, visited: vec![false; cells], recent: VecDeque::new(), recent_counts: vec![0; cells] }
    }

    /// Counts one state (S); ignores a state that lacks an axis of the grid.
    pub fn observe(&mut self, state: &[f64]) {
        if self.grid.axes.iter().any(|axis| axis.state >= state.len()) {
            return;
        }
        let cell = self.grid.cell(state);
        self.visited[cell] = true;
        self.recent_counts[cell] += 1;
        self.recent.push_back(cell);
        if self.recent.len() > self.window
            && let Some(oldest) = self.recent.pop_front()
        {
            self.recent_counts[oldest] -= 1;
        }
    }

    /// Number of cells visited so far.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.visited.iter().filter(|&&v| v).count()
    }

    /// Number of different cells among the last 1,000 states, or among the window if it is shorter.
    #[must_use]
    pub fn recent_cells(&self) -> usize {
        let mut seen = vec![false; self.visited.len()];
        self.recent.iter().rev().take(RECENT).for_each(|cell| seen[*cell] = true);
        seen.iter().filter(|&&v| v).count()
    }

    /// Number of cells of the grid.
    #[must_use]
    pub fn cells_total(&self) -> usize {
        self.visited.len()
    }

    /// Plug-in entropy of the window, nats; 0 without any state.
    #[must_use]
    pub fn entropy_nats(&self) -> f64 {
        entropy_nats(&self.recent_counts.iter().map(|count| *count as f64).collect::<Vec<_>>())
    }
}

/// The values of a state (S) along two axes of a map; NaN for an axis that the state lacks.
#[must_use]
pub fn along(axes: &[GridAxis; 2], state: &[f64]) -> [f64; 2] {
    [&axes[0], &axes[1]].map(|axis| state.get(axis.state).copied().unwrap_or(f64::NAN))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(cells: usize) -> CoverageGrid {
        let axis = |state| GridAxis { state, low: 0.0, high: 1.0, cells };
        CoverageGrid { axes: vec![axis(0), axis(1)], heat_map: [axis(0), axis(1)] }
    }

    fn seen(window: usize, states: &[[f64; 2]]) -> Coverage {
        let mut coverage = Coverage::new(grid(2), window);
        states.iter().for_each(|s| coverage.observe(s));
        coverage
    }

    #[test]
    fn entropy_of_known_counts() {
        let [a, b, c, d] = [[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [7.0, 7.0]];
        let cases: [(usize, &[[f64; 2]], usize, f64); 6] = [
            (10, &[], 0, 0.0),
            (10, &[a, a, a], 1, 0.0),
            (10, &[a, b, c, d], 4, 4f64.ln()),
            (10, &[a, a, b, c], 3, 1.5 * 2f64.ln()),
            (2, &[a, b, c, c], 3, 0.0), // a and b left the window, but stay visited
            (3, &[d, a, a, b], 3, 3f64.ln() - 2.0 / 3.0 * 2f64.ln()),
        ];
        for (window, states, cells, entropy) in cases {
            let coverage = seen(window, states);
            assert_eq!((coverage.cells(), coverage.cells_total()), (cells, 4));
            assert!((coverage.entropy_nats() - entropy).abs() < 1e-12, "{states:?}");
        }
    }

    #[test]
    fn recent_cells_are_those_of_the_last_1000_states() {
        let (left, right) = ([0.1, 0.1], [0.9, 0.1]);
        let walk = |n: usize| [vec![left], vec![right; n]].concat();
        for (window, after, cells) in [(5000, 0, 1), (5000, 999, 2), (5000, 1000, 1), (10, 9, 2), (10, 10, 1)] {
            assert_eq!(seen(window, &walk(after)).recent_cells(), cells, "{window}, {after}");
        }
    }

    #[test]
    fn states_without_the_axes_are_ignored() {
        let mut coverage = Coverage::new(grid(2), 10);
        coverage.observe(&[0.5]);
        coverage.observe(&[]);
        assert_eq!((coverage.cells(), coverage.entropy_nats()), (0, 0.0));
    }
}
