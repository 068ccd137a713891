//! Columns of `metrics.csv` as curves, and the estimated time left.

use crate::show::metrics::MetricsTable;

/// Most points of a curve.
const POINTS: usize = 400;
/// The time left is estimated from this many last epochs.
const EPOCHS_AVERAGED: usize = 3;

/// (steps, value) of each finite measured value.
pub fn measured(table: &MetricsTable, name: &str) -> Vec<(u64, f64)> {
    let values = table.column(name).unwrap_or_default();
    let both = table.env_steps.iter().zip(values);
    both.filter_map(|(steps, value)| Some((*steps, (*value)?))).filter(|(_, value)| value.is_finite()).collect()
}

/// Running means over `over` points, from the `over`-th point on; a single mean if there are fewer points.
pub fn means(points: &[(u64, f64)], over: usize) -> Vec<(u64, f64)> {
    let over = over.min(points.len()).max(1);
    let mean = |window: &[(u64, f64)]| {
        let sum: f64 = window.iter().map(|(_, value)| value).sum();
        (window[over - 1].0, sum / over as f64)
    };
    points.windows(over).map(mean).collect()
}

/// At most [`POINTS`] of the points, evenly spaced, including the last.
pub fn thinned(points: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    let every = points.len().div_ceil(POINTS).max(1);
    let last = points.len().saturating_sub(1) % every;
    points.into_iter().enumerate().filter(|(i, _)| i % every == last).map(|(_, point)| point).collect()
}

/// Estimated seconds until `total` steps, at the speed of the last epochs; `None` if it cannot be estimated.
pub fn left_s(table: &MetricsTable, total: u64) -> Option<f64> {
    let walls = measured(table, "time/wall_s");
    let [(from, began), .., (to, ended)] = walls[walls.len().saturating_sub(EPOCHS_AVERAGED + 1)..] else {
        return None;
    };
    let left = total.checked_sub(to).filter(|left| *left > 0)?;
    Some((ended - began) / to.checked_sub(from).filter(|steps| *steps > 0)? as f64 * left as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(values: &[f64]) -> Vec<(u64, f64)> {
        (1..).zip(values).map(|(i, v)| (i * 10, *v)).collect()
    }

    #[test]
    fn a_curve_is_a_running_mean_and_keeps_its_last_point() {
        let four = points(&[1.0, 3.0, 8.0, 1.0]);
        assert_eq!(means(&four, 2), [(20, 2.0), (30, 5.5), (40, 4.5)]);
        assert_eq!(means(&four, 1), four);
        assert_eq!(means(&four, 9), [(40, 3.25)], "fewer points than the window");
        assert_eq!(means(&[], 5), []);
        for n in [0, 1, POINTS - 1, POINTS, POINTS + 1, 2 * POINTS, 7 * POINTS + 3] {
            let all = points(&vec![0.5; n]);
            let some = thinned(all.clone());
            assert!(some.len() <= POINTS && some.len() >= n.min(POINTS / 2) && some.last() == all.last(), "{n}");
        }
    }

    #[test]
    fn the_time_left_is_estimated_from_the_last_epochs() {
        let table = |walls: &[f64]| MetricsTable {
            env_steps: (1..=walls.len() as u64).map(|i| i * 100).collect(),
            columns: vec![("time/wall_s".into(), walls.iter().map(|w| Some(*w)).collect())],
        };
        assert_eq!([left_s(&table(&[]), 900), left_s(&table(&[5.0]), 900)], [None; 2]);
        assert_eq!(left_s(&table(&[5.0, 15.0]), 900), Some(70.0));
        assert_eq!(left_s(&table(&[500.0, 520.0, 530.0, 540.0, 550.0]), 800), Some(30.0));
        assert_eq!(left_s(&table(&[5.0, 15.0]), 200), None, "nothing is left");
    }

    #[test]
    fn missing_and_non_finite_values_are_left_out() {
        let table = MetricsTable {
            env_steps: vec![1, 2, 3, 4],
            columns: vec![("a".into(), vec![Some(1.0), None, Some(f64::NAN), Some(4.0)])],
        };
        assert_eq!(measured(&table, "a"), [(1, 1.0), (4, 4.0)]);
        assert_eq!(measured(&table, "b"), []);
    }
}
