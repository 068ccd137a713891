//! `skewfit resume`: go on where a run was stopped.

use super::{output, progress::Shown};
use crate::error::Result;
use crate::progress::Progress;
use std::path::PathBuf;

/// Go on where a run was stopped, to the steps of its configuration or more
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit resume results/door/RUN                 to the end of its own configuration
  skewfit resume results/door/RUN --steps 95000   further than that

A finished run is left alone.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Exploration steps in all, warm-up included
    #[arg(long)]
    steps: Option<u64>,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let mut progress = Shown::new();
    let summary = crate::explore::resume(&args.run, args.steps, &mut progress);
    progress.done();
    output::summary(&summary?, args.json)
}
