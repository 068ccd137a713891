//! Metrics against environment steps or running time: one panel per metric, one colour per group of seeds. A line is the
//! mean over the seeds, its band reaches from the lowest seed to the highest.
//!
//! A group's line covers the steps that all its seeds have reached, with linear interpolation between two rows.
//! Non-finite values are left out. Each evaluation tries only some of the pictures, so a drawn evaluation value is the
//! mean of the last pass through all pictures.

use std::collections::BTreeMap;

use super::{
    canvas::{Anchor, Bounds, Canvas, INK, SOFT, WIDTH, text_width},
    labels::metric_label,
    panel::{HEADING, LINE, Panel, SMALL, Series, XAxis, series_style},
    runs::{RunData, SeedGroup},
    timeline,
};
use crate::show::metrics;

/// Larger values mean that learning diverged; they are not drawn.
const DIVERGED: f64 = 1e30;

const STEPS: XAxis = XAxis { name: "environment steps (thousands)", unit: 1000.0 };
/// Time axes for long, medium and short runs.
const CLOCKS: [XAxis; 3] = [
    XAxis { name: "running time (hours)", unit: 3600.0 },
    XAxis { name: "running time (minutes)", unit: 60.0 },
    XAxis { name: "running time (seconds)", unit: 1.0 },
];

/// Coverage: entropy and cells; `None` if nothing was measured.
pub(super) fn coverage(groups: &[SeedGroup<'_>]) -> Option<Canvas> {
    draw_panels(groups, &coverage_metrics(groups), 2, 1, STEPS)
}

/// Coverage of one run against its running time; `None` if the time was not recorded.
pub(super) fn coverage_over_time(group: &SeedGroup<'_>) -> Option<Canvas> {
    let worked = group.runs.first()?.table.last("time/wall_s")?;
    let clock = CLOCKS.into_iter().find(|clock| worked >= 2.0 * clock.unit).unwrap_or(CLOCKS[2]);
    draw_panels(std::slice::from_ref(group), &coverage_metrics(std::slice::from_ref(group)), 2, 1, clock)
}

/// Each `eval/final_*` in the order of the first run that has it, with the best constant answer's score where it is known;
/// then the success rate.
pub(super) fn evaluation(groups: &[SeedGroup<'_>], constants: &BTreeMap<String, f64>) -> Option<Canvas> {
    let columns = groups.iter().flat_map(|g| &g.runs).flat_map(|r| &r.table.columns);
    let mut metrics: Vec<Metric> = vec![];
    for (name, _) in columns {
        if let Some(short) = name.strip_prefix("eval/final_").filter(|_| metrics.iter().all(|m| m.name != *name)) {
            let constant = constants.get(short).map(|value| (*value, "best constant"));
            metrics.push(Metric { constant, ..metric(name, &metric_label(name)) });
        }
    }
    metrics.push(Metric { ends: Some((0.0, 1.0)), ..registered("eval/success_rate") });
    let columns = metrics.len().min(3);
    let turn = groups
        .iter()
        .flat_map(|g| &g.runs)
        .map(|run| run.evaluations_per_pass().min(run.table.env_steps.len()))
        .max()?;
    draw_panels(groups, &metrics, columns, turn, STEPS)
}

/// A small panel for each learning metric of SAC, the VAE and Skew-Fit.
pub(super) fn learning(groups: &[SeedGroup<'_>]) -> Option<Canvas> {
    let drawn: Vec<Metric> = metrics::drawn().map(|column| metric(column.name, &column.title())).collect();
    draw_panels(groups, &drawn, 3, 1, STEPS)
}

/// A column of `metrics.csv` and how it is shown.
struct Metric {
    name: String,
    heading: String,
    ends: Option<(f64, f64)>,
    constant: Option<(f64, &'static str)>,
}

fn metric(name: &str, heading: &str) -> Metric {
    Metric { name: name.into(), heading: heading.into(), ends: None, constant: None }
}

/// A registered column, under its title.
fn registered(name: &str) -> Metric {
    metric(name, &metrics::find(name).map_or_else(|| name.to_owned(), metrics::MetricColumn::title))
}

/// The coverage columns, entropy first.
fn coverage_metrics(groups: &[SeedGroup<'_>]) -> Vec<Metric> {
    let tables = groups.iter().flat_map(|group| &group.runs).map(|run| &run.table);
    metrics::coverage(tables).into_iter().rev().map(registered).collect()
}

/// Draws a panel per metric; each value is the mean over the last `turn` values.
fn draw_panels(
    groups: &[SeedGroup<'_>],
    metrics: &[Metric],
    columns: usize,
    turn: usize,
    x_axis: XAxis,
) -> Option<Canvas> {
    let panels = metrics.iter().map(|m| Panel {
        heading: m.heading.clone(),
        series: groups.iter().map(|group| series(group, &m.name, turn, x_axis)).collect(),
        ends: m.ends,
        constant: m.constant,
    });
    let panels: Vec<_> = panels.filter(|p| p.series.iter().any(Option::is_some)).collect();
    let xs = panels.iter().flat_map(|p| p.series.iter().flatten()).flat_map(|s| s.line.iter().map(|p| p.0));
    let end = xs.reduce(f64::max)?.max(1.0);
    let columns = columns.min(panels.len());
    let (width, height) = (WIDTH / columns as f64, if columns > 2 { 206.0 } else { 256.0 });
    let mut canvas = Canvas::new(WIDTH, 0.0);
    let top = legend(&mut canvas, groups, turn);
    for (i, panel) in panels.iter().enumerate() {
        let (x, y) = ((i % columns) as f64 * width, top + (i / columns) as f64 * height);
        panel.draw(&mut canvas, Bounds { x, y, width, height }, x_axis, end);
    }
    canvas.height = top + panels.len().div_ceil(columns) as f64 * height + 8.0;
    Some(canvas)
}

/// Draws the legend; returns the y at which the panels may begin.
fn legend(canvas: &mut Canvas, groups: &[SeedGroup<'_>], turn: usize) -> f64 {
    const SWATCH: f64 = 38.0;
    let (mut x, mut y) = (8.0, 18.0);
    for (i, group) in groups.iter().enumerate() {
        let width = SWATCH + text_width(&group.label, HEADING) + 22.0;
        if x > 8.0 && x + width > WIDTH {
            (x, y) = (8.0, y + 20.0);
        }
        let (color, dashes) = series_style(i);
        canvas.dashed(vec![(x, y - 4.5), (x + SWATCH - 7.0, y - 4.5)], LINE + 0.75, color, dashes);
        canvas.text((x + SWATCH, y), group.label.as_str(), HEADING, INK, Anchor::Left);
        x += width;
    }
    let several =
        groups.iter().any(|g| g.runs.len() > 1).then(|| "line: mean over seeds; band: lowest to highest".into());
    let turned =
        (turn > 1).then(|| format!("each value: mean of the last {turn} evaluations, one pass through all pictures"));
    for note in several.into_iter().chain(turned) {
        let note: String = note;
        if x + text_width(&note, SMALL) > WIDTH {
            (x, y) = (8.0, y + 19.0);
        }
        canvas.text((x, y), note.as_str(), SMALL, SOFT, Anchor::Left);
        x += text_width(&note, SMALL) + 22.0;
    }
    y + 8.0
}

/// The x value of each row.
fn x_values(run: &RunData, x_axis: XAxis) -> Vec<Option<f64>> {
    match timeline::running_s(run) {
        Some(seconds) if x_axis != STEPS => seconds.to_vec(),
        _ => run.table.env_steps.iter().map(|s| Some(*s as f64)).collect(),
    }
}

fn series(group: &SeedGroup<'_>, metric: &str, turn: usize, x_axis: XAxis) -> Option<Series> {
    let mut lines: Vec<_> = group
        .runs
        .iter()
        .filter_map(|run| {
            let xs = x_values(run, x_axis).into_iter();
            let points = xs.zip(run.table.column(metric)?).filter_map(|(x, y)| Some((x?, (*y)?)));
            let points: Vec<_> = points.filter(|(_, y)| y.abs() < DIVERGED).collect();
            let means: Vec<_> =
                points.windows(turn.min(points.len()).max(1)).map(|w| (w[w.len() - 1].0, mean(w))).collect();
            (!means.is_empty()).then_some(means)
        })
        .collect();
    if lines.len() < 2 {
        return lines.pop().map(|line| Series { line, band: vec![] });
    }
    let from = lines.iter().map(|l| l[0].0).fold(0.0, f64::max);
    let to = lines.iter().map(|l| l[l.len() - 1].0).fold(f64::INFINITY, f64::min);
    let mut steps: Vec<_> = lines.iter().flatten().map(|p| p.0).filter(|x| (from..=to).contains(x)).collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let mut series = Series::default();
    for x in steps {
        let values: Vec<_> = lines.iter().map(|line| interpolate(line, x)).collect();
        series.line.push((x, values.iter().sum::<f64>() / values.len() as f64));
        let ends = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
        series.band.push((x, ends.0, ends.1));
    }
    (!series.line.is_empty()).then_some(series)
}

fn mean(points: &[(f64, f64)]) -> f64 {
    points.iter().map(|p| p.1).sum::<f64>() / points.len() as f64
}

/// The line's value at `x`, which lies within the line's x values.
fn interpolate(line: &[(f64, f64)], x: f64) -> f64 {
    let after = line.partition_point(|p| p.0 < x).min(line.len() - 1);
    let ((x0, y0), (x1, y1)) = (line[after.saturating_sub(1)], line[after]);
    if x1 > x0 { y0 + (y1 - y0) * (x - x0) / (x1 - x0) } else { y1 }
}

#[cfg(test)]
mod tests {
    use super::{
        super::runs::{self, RunData, groups},
        *,
    };
    use crate::show::metrics::MetricsTable;

    fn run(seed: &str, points: &[(u64, Option<f64>)]) -> RunData {
        let (env_steps, values) = points.iter().copied().unzip();
        let table = MetricsTable { env_steps, columns: vec![("a/x".into(), values)] };
        runs::tests::run(&[&format!("seed={seed}"), "evaluate.pictures=5", "evaluate.pictures_each_time=2"], table)
    }

    #[test]
    fn seeds_give_a_mean_and_a_band_over_their_common_steps() {
        let first = run("0", &[(0, Some(0.0)), (100, None), (200, Some(4.0)), (300, Some(f64::NAN)), (400, Some(9.0))]);
        let second = run("1", &[(100, Some(0.0)), (200, Some(2.0)), (250, Some(1e31)), (300, Some(0.5))]);
        let runs = [first, second];
        let groups = groups(&runs);
        assert_eq!((groups.len(), groups[0].label.as_str()), (1, "door (2 seeds)"));
        let got = series(&groups[0], "a/x", 1, STEPS).unwrap();
        assert_eq!(got.line, [(100.0, 1.0), (200.0, 3.0), (300.0, 3.5)]);
        assert_eq!(got.band, [(100.0, 0.0, 2.0), (200.0, 2.0, 4.0), (300.0, 0.5, 6.5)]);
        assert_eq!(series(&groups[0], "b/y", 1, STEPS), None);
    }

    #[test]
    fn evaluations_are_averaged_over_a_pass_through_the_pictures() {
        let one = run("0", &[(100, Some(1.0)), (200, None), (300, Some(3.0)), (400, Some(8.0)), (500, Some(1.0))]);
        assert_eq!(one.evaluations_per_pass(), 3);
        let runs = [one];
        assert_eq!(series(&groups(&runs)[0], "a/x", 3, STEPS).unwrap().line, [(400.0, 4.0), (500.0, 4.0)]);
        assert_eq!(
            series(&groups(&runs)[0], "a/x", 9, STEPS).unwrap().line,
            [(500.0, 3.25)],
            "less than a pass: one mean"
        );
    }

    #[test]
    fn a_longer_run_of_the_same_seed_starts_a_new_group() {
        let runs = [run("1", &[(100, None)]), run("2", &[(100, None)]), run("1", &[(1000, None)])];
        let labels: Vec<String> = groups(&runs).into_iter().map(|g| g.label).collect();
        assert_eq!(labels, ["door, 100 steps (2 seeds)", "door, 1,000 steps, seed 1"]);
    }
}
