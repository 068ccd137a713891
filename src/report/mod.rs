//! What a run looks like: curves, maps of visited states, contact sheets, and the `REPORT.md` that shows them.
//!
//! Nothing is measured here, and the same input gives the same bytes. The font is embedded; none of the system is used.

use std::{
    fs,
    path::{Path, PathBuf},
};

use skewfit_envs::Image;

use crate::error::{Error, Result};

mod canvas;
mod curves;
pub mod diagnosis;
mod diagram;
mod heat_map;
mod matrix;
mod page;
mod panel;
mod runs;
mod sheet;
mod table;

pub use heat_map::{States, axis_name};

use canvas::Canvas;
use runs::Run;

/// What `config.toml` and `metrics.csv` do not hold; what is empty is left out of the report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    /// Wall time of the exploration, seconds.
    pub wall_s: Option<f64>,
    /// (name, value) of the final evaluation; empty = the last measured row.
    pub final_metrics: Vec<(String, f64)>,
    /// Visited states; `None` on hardware.
    pub states: Option<States>,
    /// Goals of the first episodes.
    pub goals_early: Vec<Image>,
    /// Goals of the last episodes.
    pub goals_late: Vec<Image>,
    /// Attempts at the evaluation goals.
    pub reached: Vec<Reached>,
    /// (camera picture, its reconstruction).
    pub reconstructions: Vec<(Image, Image)>,
    /// Decoded draws from the prior.
    pub prior_samples: Vec<Image>,
}

/// An attempt at a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// The picture to reach.
    pub goal: Image,
    /// What was seen at the end.
    pub reached: Image,
    /// A few words, e.g. `0.03 rad`.
    pub caption: String,
}

/// Draws a run into its `plots/` and writes its `REPORT.md`; returns the files written.
///
/// # Errors
/// `Usage` when it is not a run, `Damaged` for a damaged `config.toml` or `metrics.csv`, `Io` when it cannot be written.
pub fn draw(run_dir: &Path, inputs: &Drawn) -> Result<Vec<PathBuf>> {
    let run = Run::read(run_dir)?;
    let plots = run_dir.join("plots");
    let mut files = draw_curves(std::slice::from_ref(&run), &plots)?;
    for (name, canvas) in pictures(inputs) {
        files.extend(canvas.map_or(Ok(vec![]), |c| c.save(&plots.join(name), false))?);
    }
    let report = run_dir.join("REPORT.md");
    canvas::write(&report, page::page(run_dir, &run, inputs, &files).as_bytes())?;
    files.push(report);
    Ok(files)
}

/// Draws the curves of several runs into `out`: a colour each, seeds of one experiment together as a mean with its band;
/// beside them `table.md`, a line a run with what makes it repeatable.
///
/// # Errors
/// As [`draw`].
pub fn compare(run_dirs: &[&Path], out: &Path) -> Result<Vec<PathBuf>> {
    let runs = run_dirs.iter().map(|dir| Run::read(dir)).collect::<Result<Vec<_>>>()?;
    let mut files = draw_curves(&runs, out)?;
    files.push(out.join("table.md"));
    canvas::write(&out.join("table.md"), table::table(run_dirs, &runs).as_bytes())?;
    Ok(files)
}

/// One run's curves into its own `plots/` or `out`, or several runs' curves against each other into `out`.
///
/// # Errors
/// `Usage` for several runs without `out`; as [`draw`].
pub fn plot(run_dirs: &[PathBuf], out: Option<&Path>) -> Result<Vec<PathBuf>> {
    let dirs: Vec<&Path> = run_dirs.iter().map(PathBuf::as_path).collect();
    match (dirs.as_slice(), out) {
        (dirs, Some(out)) => compare(dirs, out),
        ([one], None) => compare(&[one], &one.join("plots")),
        _ => Err(Error::Usage("several runs: say with --out where their curves go".into())),
    }
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

fn draw_curves(runs: &[Run], out: &Path) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(out)
        .map_err(|source| Error::Io { what: format!("{}: cannot make the directory", out.display()), source })?;
    let groups = runs::groups(runs);
    let figures = [
        ("coverage", curves::coverage(&groups)),
        ("evaluation", curves::evaluation(&groups)),
        ("learning", curves::learning(&groups)),
    ];
    let drawn = figures.into_iter().filter_map(|(name, canvas)| Some(canvas?.save(&out.join(name), true)));
    Ok(drawn.collect::<Result<Vec<_>>>()?.concat())
}

fn pictures(inputs: &Drawn) -> [(&'static str, Option<Canvas>); 6] {
    let states = inputs.states.as_ref();
    let reached: Vec<_> = inputs.reached.iter().map(|r| (&r.goal, &r.reached, r.caption.as_str())).collect();
    let rebuilt: Vec<_> = inputs.reconstructions.iter().map(|(camera, vae)| (camera, vae, "")).collect();
    [
        ("states", states.and_then(heat_map::whole)),
        ("states_over_time", states.and_then(heat_map::over_time)),
        ("reached", sheet::pairs("Pictures to reach, and where it ended", ["goal", "reached"], &reached)),
        (
            "goals",
            sheet::gallery(&[
                ("Its own goals, early", &inputs.goals_early),
                ("Its own goals, late", &inputs.goals_late),
            ]),
        ),
        ("reconstructions", sheet::pairs("What the VAE keeps", ["camera", "rebuilt"], &rebuilt)),
        ("prior_samples", sheet::gallery(&[("Draws from the VAE's prior", &inputs.prior_samples)])),
    ]
}

#[cfg(test)]
mod tests;
