//! `table.md`: the results of each run, and what is needed to repeat it: command, commit, machine, wall time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::inputs::ReportInputs;
use super::labels::{format_value, metric_label};
use super::provenance::ProvenanceSummary;
use super::runs::{RunData, groups};
use crate::format::{duration, grouped};
use crate::show::metrics::coverage;

/// One run's line of the table.
struct ComparedRun<'a> {
    run: &'a RunData,
    /// Name -> value, as in `summary.json` and `metrics.csv`.
    figures: BTreeMap<String, f64>,
    wall_s: Option<f64>,
    /// `skewfit explore ...`, commit, machine.
    provenance: String,
}

/// Markdown: a line per run, the mean of each group of seeds, then the provenance of each run.
pub(super) fn table(drawn: &[(PathBuf, ReportInputs)], runs: &[RunData]) -> String {
    let rows: Vec<ComparedRun<'_>> = drawn.iter().zip(runs).map(|((dir, drawn), run)| row(dir, run, drawn)).collect();
    let columns: Vec<(String, String)> = columns(runs, &rows)
        .into_iter()
        .filter(|(name, _)| rows.iter().any(|r| r.figures.contains_key(name)))
        .collect();
    let head: String = columns.iter().map(|(_, heading)| format!(" {heading} |")).collect();
    let rule = "---:|".repeat(columns.len());
    let mut text = format!("| Experiment | Seed | Steps |{head} Wall time |\n|:---|---:|---:|{rule}---:|\n");
    let cells = |of: &dyn Fn(&str) -> Option<f64>| -> String {
        columns
            .iter()
            .map(|(name, _)| of(name).map_or(" |".to_owned(), |v| format!(" {} |", format_value(v))))
            .collect()
    };
    for r in &rows {
        let own = cells(&|name| r.figures.get(name).copied());
        let wall = r.wall_s.map_or(String::new(), duration);
        text += &format!("| {} | {} | {} |{own} {wall} |\n", r.run.cfg.name, r.run.cfg.seed, grouped(r.run.steps()));
    }
    for group in groups(runs).iter().filter(|group| group.runs.len() > 1) {
        let members = || rows.iter().filter(|row| group.runs.iter().any(|run| std::ptr::eq(*run, row.run)));
        let mean = cells(&|name| {
            let values: Vec<f64> = members().filter_map(|r| r.figures.get(name).copied()).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        });
        text += &format!("| **{}, mean** | | |{mean} |\n", group.label);
    }
    text + "\n" + &rows.iter().map(|r| format!("- {}\n", r.provenance)).collect::<String>()
}

/// (name, heading): the scene's leading metric, the best constant answer's score and the rank correlations of the
/// coordinates that the metrics measure; then the other columns.
fn columns(runs: &[RunData], rows: &[ComparedRun<'_>]) -> Vec<(String, String)> {
    let mut metrics: Vec<&str> = Vec::new();
    for (name, _) in runs.iter().flat_map(|run| &run.table.columns) {
        if let Some(metric) = name.strip_prefix("eval/final_").filter(|metric| !metrics.contains(metric)) {
            metrics.push(metric);
        }
    }
    let names: BTreeSet<&str> = rows.iter().flat_map(|r| r.figures.keys().map(String::as_str)).collect();
    let coordinates: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("rank_correlation_")).collect();
    let measured = |coordinate: &&str| metrics.iter().any(|metric| metric.starts_with(&format!("{coordinate}_error")));
    let shown: Vec<&str> = match coordinates.iter().copied().filter(measured).collect::<Vec<_>>() {
        none if none.is_empty() => coordinates,
        some => some,
    };
    let metric = |name: &&str| ((*name).to_owned(), metric_label(name));
    let constant = |name: &&str| (format!("best_constant_{name}"), "The best constant answer's".to_owned());
    let rank =
        |name: &&str| (format!("rank_correlation_{name}"), format!("Rank correlation of {}", name.replace('_', " ")));
    let leading = metrics.iter().take(1).flat_map(|name| [metric(name), constant(name)]);
    let last = ["success_rate"].into_iter().chain(coverage(runs.iter().map(|run| &run.table)));
    let last = last.map(|name| (name.to_owned(), metric_label(&name.replace("coverage/", "coverage_"))));
    leading.chain(shown.iter().map(rank)).chain(metrics.iter().skip(1).map(metric)).chain(last).collect()
}

fn row<'a>(dir: &Path, run: &'a RunData, drawn: &ReportInputs) -> ComparedRun<'a> {
    let coverage = coverage([&run.table]).into_iter();
    let coverage = coverage.filter_map(|name| Some((name.to_owned(), run.table.last(name)?)));
    let figures = drawn.final_metrics.iter().cloned().chain(coverage).collect();
    let provenance = ProvenanceSummary::of(dir);
    let resumed = match provenance.resumed {
        0 => String::new(),
        times => format!(", {times} x `skewfit resume`, up to {} steps", grouped(run.steps())),
    };
    ComparedRun {
        run,
        figures,
        wall_s: drawn.wall_s,
        provenance: format!(
            "`{}`{resumed}: commit {}; {}; {}",
            provenance.command, provenance.commit, provenance.machine, provenance.started_at
        ),
    }
}
