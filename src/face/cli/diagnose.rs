//! `skewfit diagnose`: checks what a run has learned and finds its faults.

use super::output;
use crate::error::{Error, Result};
use crate::show::diagnose::Diagnosis;
use std::path::PathBuf;

/// Find a run's faults: one verdict on each line, and a page with pictures
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit diagnose results/door/RUN              verdicts, and a page in the run's diagnose/; the run may be live
  skewfit diagnose results/door/RUN --out here   the page in another folder
  skewfit diagnose results/door/RUN --json       verdicts as JSON

Each verdict is ok, warn or FAULT, with the measured and the expected value. The exit code is 0 even with faults.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Folder for the page and its pictures [default: diagnose/ in the run]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let diagnosis = crate::show::diagnose::run(&args.run, args.out.as_deref())?;
    if args.json { output::json(&diagnosis) } else { show(&diagnosis) }?;
    match diagnosis.unsaved {
        // A run that may only be read is diagnosed all the same.
        Some(Error::Usage(why)) if args.out.is_none() => super::say(&format!("{why}; --out DIR saves it elsewhere")),
        Some(e) => return Err(e),
        None => {}
    }
    Ok(())
}

/// A line a verdict, a line a file that was not read, then where the page is.
fn show(diagnosis: &Diagnosis) -> Result<()> {
    diagnosis.verdicts.iter().try_for_each(|verdict| output::line(&verdict.line()))?;
    diagnosis.damaged.iter().try_for_each(|damage| output::line(&format!("not read: {damage}")))?;
    diagnosis.page.as_ref().map_or(Ok(()), |page| output::line(&page.display().to_string()))
}
