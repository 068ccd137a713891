//! Results after given numbers of steps, to compare with published results.

use super::labels::{format_value, metric_label};
use super::runs::{RunData, groups};
use crate::error::{Error, Result};
use crate::format::grouped;
use crate::statistics::mean;

/// Markdown: a line per number of steps, a column per group of seeds. A cell is the leading metric's mean over the seeds
/// and over the last pass through all evaluation pictures. It is empty if a seed did not get so far, or had not
/// completed a pass.
///
/// # Errors
/// `Usage` if nothing was evaluated.
pub(super) fn progress_table(runs: &[RunData], steps: &[u64]) -> Result<String> {
    let leading = runs.iter().find_map(RunData::leading_metric);
    let leading =
        leading.ok_or_else(|| Error::Usage("these runs have no evaluation yet; let them run longer".into()))?;
    let (column, groups) = (format!("eval/final_{leading}"), groups(runs));
    let head: String = groups.iter().map(|group| format!(" {}, {} |", metric_label(leading), group.label)).collect();
    let mut text = format!("| Steps |{head}\n|---:|{}\n", "---:|".repeat(groups.len()));
    for &steps in steps {
        let by_then = |run: &RunData| {
            let row = run.table.env_steps.iter().rposition(|at| *at <= steps).filter(|_| run.steps() >= steps)?;
            let tried = run.table.column(&column)?[..=row].iter().flatten().count();
            run.mean_over_pass(&column, row).filter(|_| tried >= run.evaluations_per_pass())
        };
        let cells = groups.iter().map(|group| {
            let reached: Option<Vec<f64>> = group.runs.iter().map(|run| by_then(run)).collect();
            reached.map_or(" |".to_owned(), |all| format!(" {} |", format_value(mean(&all))))
        });
        text += &format!("| {} |{}\n", grouped(steps), cells.collect::<String>());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::metrics::MetricsTable;
    use crate::show::report::runs::tests::run as run_of;

    fn run(seed: u64, errors: &[f64]) -> RunData {
        let errors = errors.iter().map(|e| Some(*e)).collect::<Vec<_>>();
        let env_steps = (1..).take(errors.len()).map(|i| i * 500).collect();
        let table = MetricsTable { env_steps, columns: vec![("eval/final_angle_error_rad".into(), errors)] };
        run_of(&[&format!("seed={seed}"), "evaluate.pictures=4", "evaluate.pictures_each_time=2"], table)
    }

    #[test]
    fn a_cell_is_a_mean_over_a_pass_and_over_seeds_if_all_got_so_far() {
        let runs = [run(1, &[0.4, 0.2, 0.2]), run(2, &[0.8, 0.4]), run(1, &[0.1])];
        let text = progress_table(&runs, &[400, 600, 1000, 1500]).unwrap();
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let lines: Vec<_> = text.lines().map(cells).collect();
        assert_eq!(lines[0][2], "Angle error (rad), door, 1,500 steps (2 seeds)");
        assert_eq!(lines[2][1..4], ["400", "", ""], "before the first row");
        assert_eq!(lines[3][1..4], ["600", "", ""], "half a pass");
        assert_eq!(lines[4][1..4], ["1,000", "0.450", ""], "(.4 + .2) / 2 and (.8 + .4) / 2");
        assert_eq!(lines[5][1..4], ["1,500", "", ""], "the second seed ended before");
        assert!(progress_table(&[run_of(&[], MetricsTable::default())], &[1]).is_err());
    }
}
