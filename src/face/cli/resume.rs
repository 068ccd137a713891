//! `skewfit resume`: resumes a run.

use super::{output, serve::Served, supervised::Supervised};
use crate::config::Config;
use crate::error::Result;
use crate::keep::store::Store;
use crate::keep::store::fs::DiskFs;
use crate::run::progress::Progress;
use std::path::PathBuf;

/// Resume a run, to the steps of its configuration or more
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit resume results/door/RUN                 to the end of its own configuration
  skewfit resume results/door/RUN --steps 95000   further than that
  skewfit resume results/door/RUN --supervised    restart it after a crash or stall

A finished run is not changed.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Exploration steps of the whole run, including the warm-up
    #[arg(long, value_parser = super::steps)]
    steps: Option<u64>,
    /// Resume from an older checkpoint: the N newest ones are renamed to .aside and not used again
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "supervised")]
    pass_over: usize,
    /// First rebuild a damaged or missing episodes.jsonl from the episode files
    #[arg(long)]
    rebuild_journal: bool,
    #[command(flatten)]
    supervised: Supervised,
    /// Serve a page for a browser on this machine at this port of 127.0.0.1; 0 = any free port [default without a value: 8377]
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "8377")]
    serve: Option<u16>,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<u8> {
    if args.rebuild_journal {
        let episodes = Store::rebuild_journal(&DiskFs, &args.run)?;
        super::say(&format!("{}: the journal has {episodes} episodes", args.run.display()));
    }
    if args.supervised.wanted() {
        return args.supervised.resume(&args.run, args.steps, args.serve, args.json);
    }
    let mut progress = Served::new(args.serve, &args.run)?;
    let summary = crate::run::explore::resume(&args.run, args.steps, args.pass_over, &mut progress);
    progress.done();
    let summary = summary?;
    say_if_fewer(args, summary.env_steps)?;
    output::summary(&summary, args.json).map(|()| 0)
}

/// Says so if `--steps` asked for fewer steps than the run has; they are rounded up to whole epochs.
fn say_if_fewer(args: &Args, done: u64) -> Result<()> {
    let Some(asked) = args.steps else { return Ok(()) };
    if asked + Config::of_run(&args.run, vec![])?.run.epoch_steps <= done {
        super::say(&format!(
            "--steps {asked}: the run has {done} steps already, and ends with them; give more to go on"
        ));
    }
    Ok(())
}
