//! `skewfit plot`: redraws a run's pictures, or compares several runs in curves, maps and a table.

use super::output;
use crate::error::Result;
use std::path::PathBuf;

/// Draw the plots of a run, or compare several runs
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit plot results/door/RUN                                                     all plots, into the run's plots/
  skewfit plot results/door/RUN --out here                                          elsewhere, for a run that is read-only
  skewfit plot results/corridor/*-s*/ results/corridor-rig/*-s*/ --out results/ab   compare two groups of runs
  skewfit plot results/door/*-s*/ --at 20000,30000                                  a table of the results at these steps")]
pub struct Args {
    /// Run directories
    #[arg(required = true)]
    run: Vec<PathBuf>,
    /// Folder for the pictures [default: plots/ in the run]
    #[arg(long, value_name = "DIR", value_parser = super::path::new_path())]
    out: Option<PathBuf>,
    /// Draw nothing; print a Markdown table of the runs' results at these steps
    #[arg(long, value_name = "STEPS", value_delimiter = ',', value_parser = super::steps, conflicts_with = "out")]
    at: Vec<u64>,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    if !args.at.is_empty() {
        return output::line(crate::show::report::progress_table(&args.run, &args.at)?.trim_end());
    }
    let files = crate::show::redraw::plot(&args.run, args.out.as_deref())?;
    files.iter().try_for_each(|file| output::line(&file.display().to_string()))
}
