//! `skewfit diagnose`: what a run has learned and what ails it, asked of its episodes and its newest sound checkpoint.
//!
//! Read-only but for its own page: a bounded sample of frames, every figure beside its threshold, a picture for each
//! question. True states measure here, as in evaluation; nothing learns from them.

mod figures;
mod findings;
mod judge;
mod page;
mod practice;
mod probe;
mod rarity;
mod returns;
mod sample;
mod sheets;
pub mod verdicts;
mod view;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::Result;
use crate::keep::store::fs::{DiskFs, Fs, disk_error, write_atomic};
use crate::show::report::diagnosis::save;
use findings::Findings;
pub use verdicts::{Level, Verdict};

/// The page's name, beside its pictures.
const PAGE: &str = "DIAGNOSE.md";

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Its directory.
    pub run: String,
    /// SAC updates of the checkpoint that was looked at.
    pub checkpoint: u64,
    /// Exploration steps of the episodes committed so far.
    pub env_steps: u64,
    /// The page.
    pub page: PathBuf,
    /// Files that could not be read, and why.
    pub damaged: Vec<String>,
    /// A verdict a question.
    pub verdicts: Vec<Verdict>,
}

/// Looks at a run, live or not, and writes `DIAGNOSE.md` with its pictures into `out`, else into the run's `diagnose/`.
///
/// # Errors
/// `Usage` for what is not a run or has no checkpoint yet; `Damaged` where none is sound; `Disk` or `Io` where the page
/// cannot be written.
pub fn run(dir: &Path, out: Option<&Path>) -> Result<Diagnosis> {
    let (found, mut learner) = Findings::of(dir)?;
    let out = out.map_or_else(|| dir.join("diagnose"), Path::to_owned);
    DiskFs.create_dir(&out).map_err(|e| disk_error("create", &out, &e))?;
    let mut drawn = Vec::new();
    for (name, figure) in figures::figures(&found, &mut learner)? {
        let path = out.join(format!("{name}.png"));
        DiskFs.remove(&path).map_err(|e| disk_error("replace", &path, &e))?; // of an earlier look, should there be none now
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
