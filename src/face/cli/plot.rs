//! `skewfit plot`: the pictures of a run anew, or curves, maps and a table of several against each other.

use super::output;
use crate::error::Result;
use std::path::PathBuf;

/// Draw a run, or several against each other
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit plot results/door/RUN                                                     all it shows, into its own plots/
  skewfit plot results/corridor/*-s*/ results/corridor-rig/*-s*/ --out results/ab   curves against each other
  skewfit plot results/door/*-s*/ --at 20000,30000                                  a table: what they had reached by then")]
pub struct Args {
    /// Run directories
    #[arg(required = true)]
    run: Vec<PathBuf>,
    /// Where the pictures go [default: plots/ of the run]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Draw nothing, print a Markdown table: what the runs had reached after so many steps
    #[arg(long, value_name = "STEPS", value_delimiter = ',', conflicts_with = "out")]
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
