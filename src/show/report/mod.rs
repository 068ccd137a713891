//! What a run looks like: curves, maps of visited states, contact sheets, and the report that shows them.
//!
//! Nothing is measured here, and the same input gives the same bytes. The font is embedded; none of the system is used.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::error::Result;
use crate::keep::store::fs::{alone_in, disk_error};
use crate::show::clip;

mod advice;
mod canvas;
mod curves;
mod dashes;
pub mod diagnosis;
mod diagram;
mod drawn;
mod events;
mod growth;
mod heat_map;
mod html;
mod matrix;
mod page;
mod panel;
mod progress_table;
mod provenance;
mod report_page;
mod runs;
mod sheet;
mod story;
mod table;
mod timeline;
mod viridis;
mod words;

pub use drawn::{Drawn, Reached};
pub use growth::{Curve, growth};
pub use heat_map::{States, axis_name};
pub(crate) use words::words as metric_words;

use canvas::Canvas;
use runs::Run;
use story::Story;

/// Attempts among the best, and among the worst.
const EXTREMES: usize = 6;

/// Draws a run into its `plots/` and writes its report, as `REPORT.md` and as `REPORT.html`, which holds its pictures;
/// pictures of before are shown as well. Returns the files.
///
/// # Errors
/// `Usage` when it is not a run, `Damaged` for a damaged `config.toml` or `metrics.csv`, `Io` when it cannot be written.
pub fn draw(run_dir: &Path, inputs: &Drawn) -> Result<Vec<PathBuf>> {
    let run = Run::read(run_dir)?;
    let plots = run_dir.join("plots");
    let _alone = alone_in(run_dir); // two that draw one run write the same names
    let mut files = draw_curves(std::slice::from_ref(&run), &[inputs], &plots)?;
    files.extend(draw_pictures(inputs, &plots)?);
    let over_time = runs::groups(std::slice::from_ref(&run)).first().and_then(curves::coverage_over_time);
    files.extend(over_time.map_or(Ok(vec![]), |canvas| canvas.save(&plots.join("coverage_over_time"), false))?);
    let page = Story::of(run_dir, &run, inputs).page();
    let html = html::html(&page, |picture| fs::read(run_dir.join(picture)).ok());
    for (name, text) in [("REPORT.md", page::markdown(&page)), ("REPORT.html", html)] {
        canvas::write(&run_dir.join(name), text.as_bytes())?;
        files.push(run_dir.join(name));
    }
    Ok(files)
}

/// Draws runs against each other into `out`: a colour each experiment, its seeds together as a mean with its band; maps of
/// visited states on one scale; `table.md`, a line a run with what makes it repeatable. Of one run, all that `inputs` holds.
///
/// # Errors
/// As [`draw`].
pub fn compare(runs: &[(PathBuf, Drawn)], out: &Path) -> Result<Vec<PathBuf>> {
    let read = runs.iter().map(|(dir, _)| Run::read(dir)).collect::<Result<Vec<_>>>()?;
    let inputs: Vec<&Drawn> = runs.iter().map(|(_, drawn)| drawn).collect();
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

/// Markdown: what runs had reached after each of `steps`; see the columns' headings.
///
/// # Errors
/// `Usage` for what is not a run, and where nothing was evaluated.
pub fn at(runs: &[PathBuf], steps: &[u64]) -> Result<String> {
    progress_table::progress_table(&runs.iter().map(|dir| Run::read(dir)).collect::<Result<Vec<_>>>()?, steps)
}

/// A contact sheet of goal | reached pairs at `path`.
///
/// # Errors
/// `Io` when it cannot be written.
pub fn sheet_of_attempts(attempts: &[Reached], path: &Path) -> Result<()> {
    let pairs: Vec<_> = attempts.iter().map(|r| (&r.goal, &r.reached, r.caption.as_str())).collect();
    match sheet::pairs("Pictures to reach, and where it ended", ["goal", "reached"], &pairs) {
        Some(canvas) => canvas.save(path, false).map(|_| ()),
        None => Ok(()),
    }
}

fn draw_curves(runs: &[Run], inputs: &[&Drawn], out: &Path) -> Result<Vec<PathBuf>> {
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

/// Metric -> what the best constant answer scores, where all runs that tell agree.
fn constants(inputs: &[&Drawn]) -> BTreeMap<String, f64> {
    let told = inputs.iter().flat_map(|drawn| &drawn.final_metrics);
    let told = told.filter_map(|(name, v)| Some((name.strip_prefix("best_constant_")?.to_owned(), *v)));
    let mut constants = BTreeMap::new();
    for (metric, value) in told {
        let first = *constants.entry(metric).or_insert(value);
        if (first - value).abs() > 1e-9 {
            return BTreeMap::new();
        }
    }
    constants
}

fn draw_pictures(inputs: &Drawn, out: &Path) -> Result<Vec<PathBuf>> {
    let drawn = pictures(inputs).into_iter().filter_map(|(name, canvas)| Some(canvas?.save(&out.join(name), false)));
    let mut files = drawn.collect::<Result<Vec<_>>>()?.concat();
    if let Some(episode) = &inputs.last_episode {
        files.push(out.join("last_episode.gif"));
        clip::save(&out.join("last_episode.gif"), std::slice::from_ref(episode), 1)?;
    }
    Ok(files)
}

/// A few of the least and of the greatest error, the extreme ones first; none is in both.
fn extremes(reached: &[Reached]) -> [Vec<&Reached>; 2] {
    let mut ranked: Vec<&Reached> = reached.iter().filter(|r| r.error.is_finite()).collect();
    ranked.sort_by(|a, b| a.error.total_cmp(&b.error));
    let few = EXTREMES.min(ranked.len() / 2);
    [ranked[..few].to_vec(), ranked.into_iter().rev().take(few).collect()]
}

fn pictures(inputs: &Drawn) -> [(&'static str, Option<Canvas>); 9] {
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
        ("reached", attempts("Pictures to reach, and where it ended", &inputs.reached.iter().collect::<Vec<_>>())),
        ("best", attempts("The best", &best)),
        ("worst", attempts("The worst", &worst)),
        ("rarest", sheet::pairs("The least likely pictures", ["seen", "its goal"], &rarest)),
        (
            "goals",
            sheet::gallery(&[
                ("Its own goals, the first after the warm-up", &inputs.goals_early),
                ("Its own goals, the last", &inputs.goals_late),
            ]),
        ),
        ("reconstructions", sheet::pairs("What the VAE keeps", ["camera", "rebuilt"], &rebuilt)),
        ("prior_samples", sheet::gallery(&[("Draws from the VAE's prior", &inputs.prior_samples)])),
    ]
}

#[cfg(test)]
mod tests;
