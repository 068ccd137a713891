//! Coverage and evaluation against a run's running time, summed over all its processes.

use super::labels::{format_value, metric_label};
use super::page::PageTable;
use super::runs::RunData;
use crate::format::{duration, grouped};
use crate::show::metrics;

/// Seconds between rows: the first that gives [`MOST`] rows or fewer.
const INTERVALS: [f64; 14] =
    [1.0, 5.0, 15.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 86_400.0, 604_800.0];
const MOST: f64 = 12.0;

/// Running time at each row, seconds; `None` without such a column.
pub(super) fn running_s(run: &RunData) -> Option<&[Option<f64>]> {
    run.table.column("time/wall_s")
}

/// Results after each hour (or another interval, by the run's length) and at the end; `None` without rows.
pub(super) fn table(run: &RunData) -> Option<PageTable> {
    let seconds = running_s(run)?;
    let total = run.table.last("time/wall_s")?;
    let interval = INTERVALS.into_iter().find(|interval| total / interval <= MOST).unwrap_or(total / MOST);
    let marks = (1..).map(|k| f64::from(k) * interval).take_while(|at| *at < total).chain([total]);
    let row_at = |at: f64| seconds.iter().rposition(|t| t.is_some_and(|t| t <= at)).map(|row| (at, row));
    let mut reached: Vec<(f64, usize)> = marks.filter_map(row_at).collect();
    reached.dedup_by_key(|(_, row)| *row); // an epoch longer than the interval
    let metric = run.leading_metric().map(|metric| format!("eval/final_{metric}"));
    let coverage = metrics::coverage([&run.table]);
    let cell = |name: &str, row: usize| run.table.column(name).and_then(|c| c[row]).map_or(String::new(), format_value);
    let rows = reached.into_iter().map(|(at, row)| {
        let mut cells = vec![duration(at), grouped(run.table.env_steps[row])];
        cells.extend(coverage.iter().map(|name| cell(name, row)));
        cells.extend(metric.as_ref().map(|name| run.mean_over_pass(name, row).map_or(String::new(), format_value)));
        cells
    });
    let mut head = ["After", "Steps"].map(String::from).to_vec();
    head.extend(coverage.iter().map(|name| metric_label(name)));
    head.extend(metric.as_ref().map(|name| metric_label(name)));
    Some(PageTable { head, rows: rows.collect(), numbers: true })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::report::runs::tests::run;

    #[test]
    fn each_row_holds_the_results_of_an_interval() {
        let column = |name: &str, of: &dyn Fn(usize) -> Option<f64>| (name.to_owned(), (0..100).map(of).collect());
        let table_of = |seconds: f64| {
            let table = metrics::MetricsTable {
                env_steps: (1..=100).map(|k| 500 * k).collect(),
                columns: vec![
                    column("eval/final_x_m", &|k| (k % 2 == 0).then_some(k as f64 / 100.0)),
                    column("coverage/cells", &|k| Some(k as f64)),
                    column("time/wall_s", &|k| Some(seconds * (k + 1) as f64)),
                ],
            };
            run(&["evaluate.pictures=4", "evaluate.pictures_each_time=2"], table)
        };
        let hourly = table(&table_of(300.0)).unwrap();
        assert_eq!(hourly.head, ["After", "Steps", "Cells", "Entropy (nats)", "Final x (m)"]);
        assert_eq!(hourly.rows.len(), 9);
        assert_eq!(hourly.rows[0], ["1 h 00 min", "6,000", "11", "", "0.090"], "the mean of the last two evaluations");
        assert_eq!(hourly.rows[8], ["8 h 20 min", "50,000", "99", "", "0.970"]);
        assert_eq!(table(&table_of(0.05)).unwrap().rows.len(), 5);
        let slow = table(&table_of(1e6)).unwrap().rows;
        assert!(slow.len() <= 13, "{}", slow.len());
    }
}
