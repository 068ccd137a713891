//! `skewfit diagnose`: checks what a run has learned, from its episodes and its newest undamaged checkpoint.
//!
//! It writes only its own page: verdicts with values and thresholds, and a figure for each question, measured on a bounded
//! sample of frames. True states are used for measurement only, as in evaluation.

mod encoded;
mod figures;
mod findings;
mod goal_distances;
mod judge;
mod judge_agent;
mod page;
mod probe;
mod rarity;
mod returns;
mod sample;
mod sheets;
pub mod verdicts;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Result;
use crate::keep::store::fs::{DiskFs, Fs, disk_error, write_atomic};
use crate::show::report::diagnosis::save;
use findings::Findings;
pub use verdicts::{Level, Verdict};

/// File name of the page.
const PAGE: &str = "DIAGNOSE.md";

/// The result of a diagnosis.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Run directory.
    pub run: String,
    /// SAC updates of the checkpoint that was examined.
    pub checkpoint: u64,
    /// Exploration steps of the episodes committed so far.
    pub env_steps: u64,
    /// Path of the page.
    pub page: PathBuf,
    /// Files that could not be read, and why.
    pub damaged: Vec<String>,
    /// The verdicts, in the page's order.
    pub verdicts: Vec<Verdict>,
}

/// Diagnoses a run, live or finished, and writes `DIAGNOSE.md` with its pictures into `out` (default: the run's `diagnose/`).
///
/// # Errors
/// `Usage` if `dir` is not a run or has no checkpoint yet; `Damaged` if all checkpoints are damaged; `Disk` or `Io` if the
/// page cannot be written.
pub fn run(dir: &Path, out: Option<&Path>) -> Result<Diagnosis> {
    let (found, mut learner) = Findings::of(dir)?;
    let out = out.map_or_else(|| dir.join("diagnose"), Path::to_owned);
    DiskFs.create_dir(&out).map_err(|e| disk_error("create", &out, &e))?;
    let mut drawn = Vec::new();
    for (name, figure) in figures::figures(&found, &mut learner)? {
        let path = out.join(format!("{name}.png"));
        DiskFs.remove(&path).map_err(|e| disk_error("replace", &path, &e))?; // a figure of an earlier diagnosis
        if save(&figure, &path)? {
            drawn.push(name);
        }
    }
    let verdicts = judge::verdicts(&found);
    let page = out.join(PAGE);
    write_atomic(&DiskFs, &page, page::page(dir, &found, &verdicts, &drawn).as_bytes())?;
    Ok(Diagnosis {
        run: dir.display().to_string(),
        checkpoint: found.counts.updates,
        env_steps: found.env_steps,
        page,
        damaged: found.damaged,
        verdicts,
    })
}
