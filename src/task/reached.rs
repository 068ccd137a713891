//! Visits of the n cells that can be reached, against uniform ones, and against densities of stored frames:
//!
//! reached share = visited cells / n,   gap = ln n - H(counts of the last `window` visits),   H the plug-in entropy, nats;
//! rank correlation = Spearman's, over frames, of log p with the count of the frame's cell among all stored frames;
//! entropy gain = H(sum of the skewed weights of each cell) - H(counts of all stored frames).
//!
//! True states only measure exploration; nothing is learned from them.

use skewfit_envs::ReachableCells;

use crate::learn::skew::SkewedDistribution;
use crate::statistics::{entropy_nats, spearman};

/// Frames whose log p is compared with visits, evenly spaced over the stored ones.
const COMPARED: usize = 2000;

/// The reachable cells, and the visits of them.
#[derive(Clone, Debug)]
pub struct ReachedCells {
    cells: ReachableCells,
    window: usize,
    /// Cell of every visited state, oldest first.
    visits: Vec<usize>,
}

impl ReachedCells {
    /// Starts with no visits; the gap covers the last `window` states.
    #[must_use]
    pub fn new(cells: ReachableCells, window: usize) -> Self {
        Self { cells, window, visits: Vec::new() }
    }

    /// Counts one true state (S); ignores a state that lacks an axis of the grid.
    pub fn observe(&mut self, state: &[f64]) {
        self.visits.extend(self.cells.cell(state));
    }

    /// `coverage/reached_share` and `coverage/gap_nats`; empty before the first visit.
    #[must_use]
    pub fn coverage(&self) -> Vec<(&'static str, f64)> {
        if self.visits.is_empty() {
            return Vec::new();
        }
        let n = self.cells.count() as f64;
        let reached = self.per_cell(&self.visits, |_| 1.0).iter().filter(|visits| **visits > 0.0).count();
        let recent = self.newest(self.window.min(self.visits.len())).unwrap_or_default();
        let gap = n.ln() - entropy_nats(&self.per_cell(recent, |_| 1.0));
        vec![("coverage/reached_share", reached as f64 / n), ("coverage/gap_nats", gap)]
    }

    /// `skew/rank_corr` of the densities, which are those of the newest visits, oldest first; `skew/entropy_gain` of the
    /// weights, if there are any. A frame whose log p is not finite is not compared. A correlation that is not defined,
    /// because one side does not vary, is left out.
    #[must_use]
    pub fn densities(&self, skewed: &SkewedDistribution) -> Vec<(&'static str, f64)> {
        let log_density = skewed.log_density();
        let n = log_density.len();
        let Some(stored) = self.newest(n).filter(|stored| !stored.is_empty()) else { return Vec::new() };
        let counts = self.per_cell(stored, |_| 1.0);
        let compared = n.min(COMPARED);
        let frames = (0..compared).map(|k| k * n / compared).filter(|i| log_density[*i].is_finite());
        let (log_p, visits): (Vec<f64>, Vec<f64>) = frames.map(|i| (log_density[i], counts[stored[i]])).unzip();
        let rank_corr = spearman(&log_p, &visits).map(|rank| ("skew/rank_corr", rank));
        let gain = skewed.weights().map(|weights| {
            let weighted = self.per_cell(stored, |i| weights.p[i]);
            ("skew/entropy_gain", entropy_nats(&weighted) - entropy_nats(&counts))
        });
        rank_corr.into_iter().chain(gain).collect()
    }

    /// The cells of the newest `n` visits, oldest first; `None` if there are fewer.
    fn newest(&self, n: usize) -> Option<&[usize]> {
        self.visits.get(self.visits.len().checked_sub(n)?..)
    }

    /// Sum of the weights of the `visits` of each cell; visit i has the weight `weight(i)`.
    fn per_cell(&self, visits: &[usize], weight: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.cells.count()];
        visits.iter().enumerate().for_each(|(i, cell)| sums[*cell] += weight(i));
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use skewfit_envs::{CoverageGrid, GridAxis};

    /// Cells 0 to n - 1 of a state with one entry; cell c holds c + .5.
    fn line(n: usize, window: usize, visits: &[usize]) -> ReachedCells {
        let axis = GridAxis { state: 0, low: 0.0, high: n as f64 + 1.0, cells: n + 1 };
        let grid = CoverageGrid { axes: vec![axis.clone()], heat_map: [axis.clone(), axis] };
        let mut reached = ReachedCells::new(ReachableCells::new(grid, |centre| centre[0] < n as f64), window);
        visits.iter().for_each(|cell| reached.observe(&[*cell as f64 + 0.5]));
        reached
    }

    fn columns(facts: Vec<(&str, f64)>, names: [&str; 2]) -> [Option<f64>; 2] {
        names.map(|name| facts.iter().find(|(column, _)| *column == name).map(|(_, value)| *value))
    }

    fn coverage(reached: &ReachedCells) -> [Option<f64>; 2] {
        columns(reached.coverage(), ["coverage/reached_share", "coverage/gap_nats"])
    }

    fn densities(reached: &ReachedCells, skewed: &SkewedDistribution) -> [Option<f64>; 2] {
        columns(reached.densities(skewed), ["skew/rank_corr", "skew/entropy_gain"])
    }

    fn near(got: Option<f64>, want: f64) -> bool {
        got.is_some_and(|got| (got - want).abs() < 1e-12)
    }

    #[test]
    fn oracle_61_uniform_visits_have_no_gap_and_a_single_cell_has_the_whole() {
        let uniform = coverage(&line(4, 100, &[0, 1, 2, 3, 3, 2, 1, 0]));
        assert!(uniform[0] == Some(1.0) && near(uniform[1], 0.0), "{uniform:?}");
        assert_eq!(coverage(&line(4, 100, &[2; 7])), [Some(0.25), Some(4f64.ln())]);
        let half = coverage(&line(4, 2, &[3, 3, 3, 0, 1])); // the window has two cells, once each
        assert!(half[0] == Some(0.75) && near(half[1], 2f64.ln()), "{half:?}");
        assert_eq!(coverage(&line(4, 100, &[])), [None, None]);
        assert_eq!(
            coverage(&line(4, 100, &[4])),
            [Some(0.25), Some(4f64.ln())],
            "an unreachable cell counts beside it"
        );
        let mut odd = line(4, 100, &[]);
        odd.observe(&[]);
        assert_eq!(coverage(&odd), [None, None], "a state without the entry is ignored");
    }

    #[test]
    fn oracle_62_densities_against_known_visits() {
        let visits = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3];
        let reached = line(4, 1, &[&[3; 9][..], &visits].concat()); // those before the ten stored frames do not count
        let log_p = visits.map(|cell| [0.4_f64, 0.3, 0.2, 0.1][cell].ln());
        let entropy = -[0.4_f64, 0.3, 0.2, 0.1].map(|p| p * p.ln()).iter().sum::<f64>();
        let skewed = |log_p: &[f64], power| SkewedDistribution::new(log_p.to_vec(), power, 0.0).0;
        let right = densities(&reached, &skewed(&log_p, -1.0)); // weights 1/p: every cell has the same
        assert!(near(right[0], 1.0) && near(right[1], 4f64.ln() - entropy), "{right:?}");
        let reversed = densities(&reached, &skewed(&log_p.map(|p| -p), -1.0));
        let squares = [0.16_f64, 0.09, 0.04, 0.01].map(|w| w / 0.3);
        let lost = -squares.map(|p| p * p.ln()).iter().sum::<f64>() - entropy; // weights p: cells have p^2
        assert!(near(reversed[0], -1.0) && near(reversed[1], lost) && lost < 0.0, "{reversed:?}");
        let unskewed = densities(&reached, &SkewedDistribution::unskewed(log_p.to_vec()));
        assert!(near(unskewed[0], 1.0) && unskewed[1].is_none(), "{unskewed:?}");
        assert_eq!(densities(&reached, &skewed(&[-3.0; 10], -1.0))[0], None, "log p does not vary");
        assert_eq!(densities(&reached, &SkewedDistribution::default()), [None, None], "no densities");
        assert_eq!(densities(&reached, &skewed(&[-3.0; 20], -1.0)), [None, None], "more densities than visits");
        let mut holed = log_p;
        (holed[0], holed[9]) = (f64::NEG_INFINITY, f64::NAN);
        assert!(near(densities(&reached, &skewed(&holed, -1.0))[0], 1.0), "those that are finite are compared");
    }

    #[test]
    fn two_thousand_frames_are_compared_evenly_spaced() {
        let cell = |i: usize| [0, 0, 0, 0, 1, 1, 1, 2, 2, 3][i / 2 % 10];
        let reached = line(4, 1, &(0..2 * COMPARED).map(cell).collect::<Vec<_>>());
        let every_second_is_right = |i: usize| if i.is_multiple_of(2) { -(cell(i) as f64) } else { cell(i) as f64 };
        let log_p = (0..2 * COMPARED).map(every_second_is_right).collect();
        assert!(near(densities(&reached, &SkewedDistribution::unskewed(log_p))[0], 1.0));
    }
}
