//! Coverage and evaluation against the time a run has worked, over all its processes.

use super::page::Table;
use super::runs::Run;
use super::words::{figure, words};
use crate::format::{duration, grouped};
use crate::show::metrics;

/// Seconds between rows: the first that makes [`MOST`] rows or fewer.
const PACES: [f64; 14] =
    [1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0, 604_800.0];
const MOST: f64 = 12.0;

/// Seconds that the run had worked at each row; `None` without such a column.
pub(super) fn clock(run: &Run) -> Option<&[Option<f64>]> {
    run.table.column("time/wall_s")
}

/// What had been reached after each hour (or shorter, for a shorter run), and at the end; `None` without rows.
pub(super) fn table(run: &Run) -> Option<Table> {
    let clock = clock(run)?;
    let worked = run.table.last("time/wall_s")?;
    let pace = PACES.into_iter().find(|pace| worked / pace <= MOST).unwrap_or(worked / MOST);
    let marks = (1..).map(|k| f64::from(k) * pace).take_while(|at| *at < worked).chain([worked]);
    let behind = |at: f64| clock.iter().rposition(|t| t.is_some_and(|t| t <= at)).map(|row| (at, row));
    let mut reached: Vec<(f64, usize)> = marks.filter_map(behind).collect();
    reached.dedup_by_key(|(_, row)| *row); // an epoch longer than the pace
    let metric = run.leading().map(|metric| format!("eval/final_{metric}"));
    let coverage = metrics::coverage([&run.table]);
    let cell = |name: &str, row: usize| run.table.column(name).and_then(|c| c[row]).map_or(String::new(), figure);
    let rows = reached.into_iter().map(|(at, row)| {
        let mut cells = vec![duration(at), grouped(run.table.env_steps[row])];
        cells.extend(coverage.iter().map(|name| cell(name, row)));
        cells.extend(metric.as_ref().map(|name| run.turned(name, row).map_or(String::new(), figure)));
        cells
    });
    let mut head = ["After", "Steps"].map(String::from).to_vec();
    head.extend(coverage.iter().map(|name| words(name)));
    head.extend(metric.as_ref().map(|name| words(name)));
    Some(Table { head, rows: rows.collect(), numbers: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::report::runs::tests::run;

    #[test]
    fn rows_are_what_was_reached_by_the_hour() {
        let column = |name: &str, of: &dyn Fn(usize) -> Option<f64>| (name.to_owned(), (0..100).map(of).collect());
        let table_of = |seconds: f64| {
            let table = metrics::Table {
                env_steps: (1..=100).map(|k| 500 * k).collect(),
                columns: vec![
                    column("eval/final_x_m", &|k| (k % 2 == 0).then_some(k as f64 / 100.0)),
                    column("coverage/cells", &|k| Some(k as f64)),
                    column("time/wall_s", &|k| Some(seconds * (k + 1) as f64)),
                ],
            };
            run(&["evaluate.pictures=4", "evaluate.pictures_each_time=2"], table)
        };
        let told = table(&table_of(300.0)).unwrap();
        assert_eq!(told.head, ["After", "Steps", "Cells", "Entropy (nats)", "Final x (m)"]);
        assert_eq!(told.rows.len(), 9);
        assert_eq!(told.rows[0], ["1 h 00 min", "6,000", "11", "", "0.090"], "the mean of the last two evaluations");
        assert_eq!(told.rows[8], ["8 h 20 min", "50,000", "99", "", "0.970"]);
        assert_eq!(table(&table_of(0.05)).unwrap().rows.len(), 5);
        let slow = table(&table_of(1e6)).unwrap().rows;
        assert!(slow.len() <= 13, "{}", slow.len());
    }
}
