//! Figures of a run (curves, maps of visited states, contact sheets) and the report that shows them.
//!
//! Nothing is measured here, and the same input gives the same bytes. The font is embedded; system fonts are not used.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::error::Result;
use crate::keep::store::fs::{disk_error, lock_exclusively};
use crate::show::clip;

mod advice;
mod canvas;
mod curves;
mod dashes;
mod data;
pub mod diagnosis;
mod diagram;
mod events;
mod geometry;
mod growth;
mod heat_map;
mod html;
mod inputs;
mod labels;
mod matrix;
mod page;
mod panel;
mod progress_table;
mod provenance;
mod report_page;
mod runs;
mod sheet;
mod table;
mod timeline;
mod viridis;

pub use growth::{Curve, growth};
pub use heat_map::{States, axis_name};
pub use inputs::{Reached, ReportInputs};
pub(crate) use labels::metric_label;

use canvas::Canvas;
use data::ReportData;
use runs::RunData;

/// Attempts shown as the best, and as the worst.
const EXTREMES: usize = 6;

/// Draws a run into its `plots/` and writes `REPORT.md` and the self-contained `REPORT.html`. The report also shows
/// pictures that an earlier call left in `plots/`. Returns the files.
///
/// # Errors
/// `Usage` if `run_dir` is not a run, `Damaged` for a damaged `config.toml` or `metrics.csv`, `Io` if a file cannot be
/// written.
pub fn draw(run_dir: &Path, inputs: &ReportInputs) -> Result<Vec<PathBuf>> {
    let run = RunData::read(run_dir)?;
    let plots = run_dir.join("plots");
    let _alone = lock_exclusively(run_dir); // two that draw one run write the same names
    let mut files = draw_curves(std::slice::from_ref(&run), &[inputs], &plots)?;
    files.extend(draw_pictures(inputs, &plots)?);
    let over_time = runs::groups(std::slice::from_ref(&run)).first().and_then(curves::coverage_over_time);
    files.extend(over_time.map_or(Ok(vec![]), |canvas| canvas.save(&plots.join("coverage_over_time"), false))?);
    let page = ReportData::of(run_dir, &run, inputs).page();
    let html = html::html(&page, |picture| fs::read(run_dir.join(picture)).ok());
    for (name, text) in [("REPORT.md", page::markdown(&page)), ("REPORT.html", html)] {
        canvas::write(&run_dir.join(name), text.as_bytes())?;
        files.push(run_dir.join(name));
    }
    Ok(files)
}

/// Draws a comparison of runs into `out`: curves with a colour per experiment (mean and band over its seeds), maps of
/// visited states on one scale, and `table.md` with results and commands, a line per run. A single run is drawn in full.
///
/// # Errors
/// As [`draw`].
pub fn compare(runs: &[(PathBuf, ReportInputs)], out: &Path) -> Result<Vec<PathBuf>> {
    let read = runs.iter().map(|(dir, _)| RunData::read(dir)).collect::<Result<Vec<_>>>()?;
    let inputs: Vec<&ReportInputs> = runs.iter().map(|(_, drawn)| drawn).collect();
    let mut files = draw_curves(&read, &inputs, out)?;
    match inputs.as_slice() {
        [one] => files.extend(draw_pictures(one, out)?),
        several => {
            let labelled = read.iter().zip(several).filter_map(|(run, drawn)| Some((run, drawn.states.as_ref()?)));
            let maps: Vec<_> =
                labelled.map(|(run, states)| (format!("{}, seed {}", run.cfg.name, run.cfg.seed), states)).collect();
            if let Some(canvas) = heat_map::side_by_side(&maps) {
                files.extend(canvas.save(&out.join("states_over_time"), false)?);
            }
        }
    }
    files.push(out.join("table.md"));
    canvas::write(&out.join("table.md"), table::table(runs, &read).as_bytes())?;
    Ok(files)
}

/// Markdown table of the leading metric after each number of `steps`.
///
/// # Errors
/// `Usage` if a directory is not a run, and if nothing was evaluated.
pub fn progress_table(runs: &[PathBuf], steps: &[u64]) -> Result<String> {
    progress_table::progress_table(&runs.iter().map(|dir| RunData::read(dir)).collect::<Result<Vec<_>>>()?, steps)
}

/// Draws a contact sheet of goal | reached pairs to `path`.
///
/// # Errors
/// `Io` if the file cannot be written.
pub fn sheet_of_attempts(attempts: &[Reached], path: &Path) -> Result<()> {
    let pairs: Vec<_> = attempts.iter().map(|r| (&r.goal, &r.reached, r.caption.as_str())).collect();
    match sheet::pairs("Goal pictures and final pictures", ["goal", "reached"], &pairs) {
        Some(canvas) => canvas.save(path, false).map(|_| ()),
        None => Ok(()),
    }
}

fn draw_curves(runs: &[RunData], inputs: &[&ReportInputs], out: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(out).map_err(|e| disk_error("make the directory", out, &e))?;
    let groups = runs::groups(runs);
    let figures = [
        ("coverage", curves::coverage(&groups)),
        ("evaluation", curves::evaluation(&groups, &constants(inputs))),
        ("learning", curves::learning(&groups)),
    ];
    let drawn = figures.into_iter().filter_map(|(name, canvas)| Some(canvas?.save(&out.join(name), true)));
    Ok(drawn.collect::<Result<Vec<_>>>()?.concat())
}

/// Metric -> the best constant answer's score; empty if runs that report it disagree.
fn constants(inputs: &[&ReportInputs]) -> BTreeMap<String, f64> {
    let all = inputs.iter().flat_map(|inputs| &inputs.final_metrics);
    let all = all.filter_map(|(name, v)| Some((name.strip_prefix("best_constant_")?.to_owned(), *v)));
    let mut constants = BTreeMap::new();
    for (metric, value) in all {
        let first = *constants.entry(metric).or_insert(value);
        if (first - value).abs() > 1e-9 {
            return BTreeMap::new();
        }
    }
    constants
}

fn draw_pictures(inputs: &ReportInputs, out: &Path) -> Result<Vec<PathBuf>> {
    let drawn = pictures(inputs).into_iter().filter_map(|(name, canvas)| Some(canvas?.save(&out.join(name), false)));
    let mut files = drawn.collect::<Result<Vec<_>>>()?.concat();
    if let Some(episode) = &inputs.last_episode {
        files.push(out.join("last_episode.gif"));
        clip::save(&out.join("last_episode.gif"), std::slice::from_ref(episode), 1)?;
    }
    Ok(files)
}

/// Attempts with the smallest and with the largest error, the extreme ones first; no attempt is in both lists.
fn extremes(reached: &[Reached]) -> [Vec<&Reached>; 2] {
    let mut ranked: Vec<&Reached> = reached.iter().filter(|r| r.error.is_finite()).collect();
    ranked.sort_by(|a, b| a.error.total_cmp(&b.error));
    let few = EXTREMES.min(ranked.len() / 2);
    [ranked[..few].to_vec(), ranked.into_iter().rev().take(few).collect()]
}

fn pictures(inputs: &ReportInputs) -> [(&'static str, Option<Canvas>); 9] {
    let states = inputs.states.as_ref();
    let attempts = |heading: &str, attempts: &[&Reached]| {
        let pairs: Vec<_> = attempts.iter().map(|r| (&r.goal, &r.reached, r.caption.as_str())).collect();
        sheet::pairs(heading, ["goal", "reached"], &pairs)
    };
    let [best, worst] = extremes(&inputs.reached);
    let rarest: Vec<_> = inputs.rarest.iter().map(|r| (&r.reached, &r.goal, r.caption.as_str())).collect();
    let rebuilt: Vec<_> = inputs.reconstructions.iter().map(|(camera, vae)| (camera, vae, "")).collect();
    [
        ("states", states.and_then(heat_map::whole)),
        ("states_over_time", states.and_then(heat_map::over_time)),
        ("reached", attempts("Goal pictures and final pictures", &inputs.reached.iter().collect::<Vec<_>>())),
        ("best", attempts("Best attempts", &best)),
        ("worst", attempts("Worst attempts", &worst)),
        ("rarest", sheet::pairs("Least likely pictures", ["camera", "goal"], &rarest)),
        (
            "goals",
            sheet::gallery(&[
                ("Exploration goals: the first after the warm-up", &inputs.goals_early),
                ("Exploration goals: the last", &inputs.goals_late),
            ]),
        ),
        ("reconstructions", sheet::pairs("VAE reconstructions", ["camera", "reconstruction"], &rebuilt)),
        ("prior_samples", sheet::gallery(&[("Samples from the VAE prior", &inputs.prior_samples)])),
    ]
}

#[cfg(test)]
mod tests;
