//! Columns of `metrics.csv` as lines to draw, and the time that is left.

use crate::show::metrics::Table;

/// Points of a drawn line.
const POINTS: usize = 400;
/// The time left goes by the last so many epochs.
const EPOCHS_AVERAGED: usize = 3;

/// (steps, value) where a value was measured and is finite.
pub fn measured(table: &Table, name: &str) -> Vec<(u64, f64)> {
    let values = table.column(name).unwrap_or_default();
    let both = table.env_steps.iter().zip(values);
    both.filter_map(|(steps, value)| Some((*steps, (*value)?))).filter(|(_, value)| value.is_finite()).collect()
}

/// Each point from the `over`-th on as the mean of the last `over` ones; all of them where there are fewer.
pub fn means(points: &[(u64, f64)], over: usize) -> Vec<(u64, f64)> {
    let over = over.min(points.len()).max(1);
    let mean = |window: &[(u64, f64)]| {
        let sum: f64 = window.iter().map(|(_, value)| value).sum();
        (window[over - 1].0, sum / over as f64)
    };
    points.windows(over).map(mean).collect()
}

/// At most [`POINTS`] of them, evenly, the last one among them.
pub fn thinned(points: Vec<(u64, f64)>) -> Vec<(u64, f64)> {
    let every = points.len().div_ceil(POINTS).max(1);
    let last = points.len().saturating_sub(1) % every;
    points.into_iter().enumerate().filter(|(i, _)| i % every == last).map(|(_, point)| point).collect()
}

/// Seconds to `total` steps at the pace of the last epochs.
pub fn left_s(table: &Table, total: u64) -> Option<f64> {
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
    fn a_line_is_the_mean_over_a_turn_and_keeps_its_end() {
        let four = points(&[1.0, 3.0, 8.0, 1.0]);
        assert_eq!(means(&four, 2), [(20, 2.0), (30, 5.5), (40, 4.5)]);
        assert_eq!(means(&four, 1), four);
        assert_eq!(means(&four, 9), [(40, 3.25)], "fewer than a turn");
        assert_eq!(means(&[], 5), []);
        for n in [0, 1, POINTS - 1, POINTS, POINTS + 1, 2 * POINTS, 7 * POINTS + 3] {
            let all = points(&vec![0.5; n]);
            let some = thinned(all.clone());
            assert!(some.len() <= POINTS && some.len() >= n.min(POINTS / 2) && some.last() == all.last(), "{n}");
        }
    }

    #[test]
    fn the_time_left_is_that_of_the_last_epochs() {
        let table = |walls: &[f64]| Table {
            env_steps: (1..=walls.len() as u64).map(|i| i * 100).collect(),
            columns: vec![("time/wall_s".into(), walls.iter().map(|w| Some(*w)).collect())],
        };
        assert_eq!([left_s(&table(&[]), 900), left_s(&table(&[5.0]), 900)], [None; 2]);
        assert_eq!(left_s(&table(&[5.0, 15.0]), 900), Some(70.0));
        assert_eq!(left_s(&table(&[500.0, 520.0, 530.0, 540.0, 550.0]), 800), Some(30.0));
        assert_eq!(left_s(&table(&[5.0, 15.0]), 200), None, "nothing is left");
    }

    #[test]
    fn what_was_not_measured_or_is_not_finite_is_no_point() {
        let table = Table {
            env_steps: vec![1, 2, 3, 4],
            columns: vec![("a".into(), vec![Some(1.0), None, Some(f64::NAN), Some(4.0)])],
        };
        assert_eq!(measured(&table, "a"), [(1, 1.0), (4, 4.0)]);
        assert_eq!(measured(&table, "b"), []);
    }
}
