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

use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, Fs, alone_in, disk_error, may_write, write_atomic};
use crate::learn::learner::Learner;
use crate::show::report::diagnosis::save;
use findings::Findings;
pub use verdicts::{Level, Verdict};

/// The page's name, beside its pictures.
const PAGE: &str = "DIAGNOSE.md";

/// What was found.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    /// Its directory.
    pub run: String,
    /// SAC updates of the checkpoint that was looked at.
    pub checkpoint: u64,
    /// Exploration steps of the episodes committed so far.
    pub env_steps: u64,
    /// The page; `None` where it was not saved.
    pub page: Option<PathBuf>,
    /// Why it was not saved.
    #[serde(skip)]
    pub unsaved: Option<Error>,
    /// Files that could not be read, and why.
    pub damaged: Vec<String>,
    /// A verdict a question.
    pub verdicts: Vec<Verdict>,
}

/// Looks at a run, live or not, and writes `DIAGNOSE.md` with its pictures into `out`, else into the run's `diagnose/`.
/// Verdicts do not need the page: see [`Diagnosis::unsaved`].
///
/// # Errors
/// `Usage` for what is not a run or has no checkpoint yet, and for an `out` that may not be written; `Damaged` where no
/// checkpoint is sound.
pub fn run(dir: &Path, out: Option<&Path>) -> Result<Diagnosis> {
    let place = out.map_or_else(|| dir.join("diagnose"), Path::to_owned);
    let refused = |e| Error::Usage(format!("{}: the page cannot be saved there: {e}", place.display()));
    let refusal = may_write(&place).map_err(refused);
    if let (Some(_), Err(e)) = (out, &refusal) {
        return Err(Error::Usage(format!("--out {e}; name another directory")));
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
    let _alone = alone_in(out); // two diagnoses of one run write the same names
    let mut drawn = Vec::new();
    for (name, figure) in figures::figures(found, learner)? {
        let path = out.join(format!("{name}.png"));
        DiskFs.remove(&path).map_err(|e| disk_error("replace", &path, &e))?; // of an earlier look, should there be none now
        if save(&figure, &path)? {
            drawn.push(name);
        }
    }
    let page = out.join(PAGE);
    write_atomic(&DiskFs, &page, page::page(dir, found, verdicts, &drawn).as_bytes())?;
    Ok(page)
}
