//! The cells of a grid that a scene's state can be in, to compare visits with uniform ones.

use crate::CoverageGrid;

/// The reachable cells of a grid over entries of the true state, numbered in the grid's order.
#[derive(Clone, Debug, PartialEq)]
pub struct ReachableCells {
    grid: CoverageGrid,
    /// Number of each cell of the grid; `None` for a cell that is not reachable.
    numbers: Vec<Option<usize>>,
    count: usize,
}

impl ReachableCells {
    /// The cells of `grid` whose centre, one value for each axis, is `reachable`.
    #[must_use]
    pub fn new(grid: CoverageGrid, reachable: impl Fn(&[f64]) -> bool) -> Self {
        let mut count = 0;
        let mut number = |cell: usize| {
            let centre: Vec<f64> =
                grid.axes.iter().zip(bins(&grid, cell)).map(|(axis, bin)| axis.centre(bin)).collect();
            reachable(&centre).then(|| {
                count += 1;
                count - 1
            })
        };
        let numbers = (0..grid.cells()).map(&mut number).collect();
        Self { grid, numbers, count }
    }

    /// Number of reachable cells.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The grid, with the cells that are not reachable.
    #[must_use]
    pub fn grid(&self) -> &CoverageGrid {
        &self.grid
    }

    /// Number of a state's cell, in `0..count()`; `None` if the state lacks an axis of the grid or no cell is reachable.
    ///
    /// A state in a cell that is not reachable, as on the edge of an obstacle, counts to the reachable cell whose centre is
    /// nearest, in units of cells along each axis; of equally near ones to the first.
    #[must_use]
    pub fn cell(&self, state: &[f64]) -> Option<usize> {
        if self.grid.axes.iter().any(|axis| axis.state >= state.len()) {
            return None;
        }
        self.numbers[self.grid.cell(state)].or_else(|| self.nearest(state))
    }

    fn nearest(&self, state: &[f64]) -> Option<usize> {
        let at: Vec<f64> = self.grid.axes.iter().map(|axis| axis.position(state[axis.state])).collect();
        let squared = |cell: usize| -> f64 {
            at.iter().zip(bins(&self.grid, cell)).map(|(at, bin)| (at - bin as f64 - 0.5).powi(2)).sum()
        };
        let reachable = self.numbers.iter().enumerate().filter_map(|(cell, number)| Some((squared(cell), (*number)?)));
        reachable.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, number)| number)
    }
}

/// Bin of a cell along each axis.
fn bins(grid: &CoverageGrid, cell: usize) -> Vec<usize> {
    let mut rest = cell;
    let mut bins: Vec<usize> = Vec::with_capacity(grid.axes.len());
    for axis in grid.axes.iter().rev() {
        bins.push(rest % axis.cells);
        rest /= axis.cells;
    }
    bins.reverse();
    bins
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GridAxis;

    /// 3 x 2 cells over [0, 3] x [0, 1]; the first axis is entry 1 of the state.
    fn grid() -> CoverageGrid {
        let long = GridAxis { state: 1, low: 0.0, high: 3.0, cells: 3 };
        let short = GridAxis { state: 0, low: 0.0, high: 1.0, cells: 2 };
        CoverageGrid { axes: vec![long.clone(), short.clone()], heat_map: [long, short] }
    }

    #[test]
    fn reachable_cells_are_numbered_in_the_grids_order() {
        let cells = ReachableCells::new(grid(), |centre| *centre != [0.5, 0.75] && *centre != [1.5, 0.25]);
        assert_eq!((cells.count(), cells.grid().cells()), (4, 6));
        let own = [[0.1, 0.2], [0.9, 1.2], [0.3, 2.9], [0.9, 2.1]];
        assert_eq!(own.map(|state| cells.cell(&state)), [Some(0), Some(1), Some(2), Some(3)]);
        assert_eq!(ReachableCells::new(grid(), |_| true).cell(&[0.9, 1.2]), Some(3), "that of the grid");
    }

    #[test]
    fn a_state_elsewhere_counts_to_the_nearest_reachable_cell() {
        let cells = ReachableCells::new(grid(), |centre| *centre != [0.5, 0.75] && *centre != [1.5, 0.25]);
        for (state, number) in [
            ([0.6, 0.1], 0),   // half a cell (a quarter of a unit) below, and more than half a cell to the side
            ([0.95, 0.9], 1),  // upward in the first axis
            ([0.01, 1.9], 2),  // (2, 0)
            ([0.01, 1.1], 0),  // (0, 0)
            ([-9.0, 99.0], 2), // outside: at the border
            ([f64::NAN, 0.5], 0),
        ] {
            assert_eq!(cells.cell(&state), Some(number), "{state:?}");
        }
        assert_eq!(cells.cell(&[0.5]), None, "the state lacks an entry");
        assert_eq!(ReachableCells::new(grid(), |_| false).cell(&[0.5, 0.5]), None);
    }
}
