//! `skewfit diagnose`: checks what a run has learned, from its episodes and its newest undamaged checkpoint.
//!
//! It writes only its own page: verdicts with values and thresholds, and a figure for each question, measured on a bounded
//! sample of frames. True states are used for measurement only, as in evaluation.

mod densities;
mod encoded;
mod figures;
mod findings;
mod goal_distances;
mod judge;
mod judge_agent;
mod page;
mod practice;
mod probe;
mod rarity;
mod returns;
mod sample;
mod sheets;
pub mod verdicts;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, Fs, disk_error, lock_exclusively, may_write, write_atomic};
use crate::learn::learner::Learner;
use crate::show::report::diagnosis::save;
use findings::Findings;
pub use verdicts::{Level, Verdict};

/// File name of the page.
const PAGE: &str = "DIAGNOSE.md";

/// The result of a diagnosis.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    /// Run directory.
    pub run: String,
    /// SAC updates of the checkpoint that was examined.
    pub checkpoint: u64,
    /// Exploration steps of the episodes committed so far.
    pub env_steps: u64,
    /// Path of the page; `None` if it was not saved.
    pub page: Option<PathBuf>,
    /// The error if it was not saved.
    #[serde(skip)]
    pub unsaved: Option<Error>,
    /// Files that could not be read, and why.
    pub damaged: Vec<String>,
    /// The verdicts, in the page's order.
    pub verdicts: Vec<Verdict>,
}

/// Diagnoses a run, live or finished, and writes `DIAGNOSE.md` with its pictures into `out` (default: the run's `diagnose/`).
/// If the page cannot be written there by default, the verdicts are returned all the same: see [`Diagnosis::unsaved`].
///
/// # Errors
/// `Usage` if `dir` is not a run or has no checkpoint yet, or if `out` cannot be written; `Damaged` if all checkpoints are
/// damaged.
pub fn run(dir: &Path, out: Option<&Path>) -> Result<Diagnosis> {
    let place = out.map_or_else(|| dir.join("diagnose"), Path::to_owned);
    let refused = |e| Error::Usage(format!("{}: the page cannot be saved there: {e}", place.display()));
    let refusal = may_write(&place).map_err(refused);
    if let (Some(_), Err(e)) = (out, &refusal) {
        return Err(Error::Usage(format!("--out {e}; give another directory")));
    }
    let (found, mut learner) = Findings::of(dir)?;
    let verdicts = judge::verdicts(&found);
    let page = refusal.and_then(|()| save_page(dir, &place, &found, &verdicts, &mut learner));
    let (page, unsaved) = page.map_or_else(|e| (None, Some(e)), |page| (Some(page), None));
    Ok(Diagnosis {
        run: dir.display().to_string(),
        checkpoint: found.counts.updates,
        env_steps: found.env_steps,
        page,
        unsaved,
        damaged: found.damaged,
        verdicts,
    })
}

/// Draws the pictures into `out`, then the page that shows them.
fn save_page(dir: &Path, out: &Path, found: &Findings, verdicts: &[Verdict], learner: &mut Learner) -> Result<PathBuf> {
    DiskFs.create_dir(out).map_err(|e| disk_error("create", out, &e))?;
    let _alone = lock_exclusively(out); // two diagnoses of one run write the same names
    let mut drawn = Vec::new();
    for (name, figure) in figures::figures(found, learner)? {
        let path = out.join(format!("{name}.png"));
        DiskFs.remove(&path).map_err(|e| disk_error("replace", &path, &e))?; // a figure of an earlier diagnosis
        if save(&figure, &path)? {
            drawn.push(name);
        }
    }
    let page = out.join(PAGE);
    write_atomic(&DiskFs, &page, page::page(dir, found, verdicts, &drawn).as_bytes())?;
    Ok(page)
}
