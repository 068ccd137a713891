//! What runs had reached after so many steps, to lay beside figures that were published elsewhere.

use super::runs::{Run, groups};
use super::words::{figure, words};
use crate::error::{Error, Result};
use crate::format::grouped;
use crate::statistics::mean;

/// Markdown: a line a number of steps, a column a group of seeds. A cell is the mean, over the seeds, of the leading
/// metric's mean over the last turn through all evaluation pictures; empty where a run had not come so far, or had not
/// tried all of them yet.
///
/// # Errors
/// `Usage` where nothing was evaluated.
pub(super) fn progress_table(runs: &[Run], steps: &[u64]) -> Result<String> {
    let leading = runs.iter().find_map(Run::leading);
    let leading = leading.ok_or_else(|| Error::Usage("nothing was evaluated in these runs yet".into()))?;
    let (column, groups) = (format!("eval/final_{leading}"), groups(runs));
    let head: String = groups.iter().map(|group| format!(" {}, {} |", words(leading), group.label)).collect();
    let mut text = format!("| Steps |{head}\n|---:|{}\n", "---:|".repeat(groups.len()));
    for &steps in steps {
        let by_then = |run: &Run| {
            let row = run.table.env_steps.iter().rposition(|at| *at <= steps).filter(|_| run.steps() >= steps)?;
            let tried = run.table.column(&column)?[..=row].iter().flatten().count();
            run.turned(&column, row).filter(|_| tried >= run.turn())
        };
        let cells = groups.iter().map(|group| {
            let reached: Option<Vec<f64>> = group.runs.iter().map(|run| by_then(run)).collect();
            reached.map_or(" |".to_owned(), |all| format!(" {} |", figure(mean(&all))))
        });
        text += &format!("| {} |{}\n", grouped(steps), cells.collect::<String>());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::show::metrics::Table;
    use crate::show::report::runs::tests::run as run_of;

    fn run(seed: u64, errors: &[f64]) -> Run {
        let errors = errors.iter().map(|e| Some(*e)).collect::<Vec<_>>();
        let env_steps = (1..).take(errors.len()).map(|i| i * 500).collect();
        let table = Table { env_steps, columns: vec![("eval/final_angle_error_rad".into(), errors)] };
        run_of(&[&format!("seed={seed}"), "evaluate.pictures=4", "evaluate.pictures_each_time=2"], table)
    }

    #[test]
    fn a_mean_over_a_turn_and_over_seeds_of_those_that_came_so_far() {
        let runs = [run(1, &[0.4, 0.2, 0.2]), run(2, &[0.8, 0.4]), run(1, &[0.1])];
        let text = progress_table(&runs, &[400, 600, 1000, 1500]).unwrap();
        let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        let lines: Vec<_> = text.lines().map(cells).collect();
        assert_eq!(lines[0][2], "Angle error (rad), door, 1,500 steps (2 seeds)");
        assert_eq!(lines[2][1..4], ["400", "", ""], "before the first row");
        assert_eq!(lines[3][1..4], ["600", "", ""], "half a turn");
        assert_eq!(lines[4][1..4], ["1,000", "0.450", ""], "(.4 + .2) / 2 and (.8 + .4) / 2");
        assert_eq!(lines[5][1..4], ["1,500", "", ""], "the second seed ended before");
        assert!(progress_table(&[run_of(&[], Table::default())], &[1]).is_err());
    }
}
