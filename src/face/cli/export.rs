//! `skewfit export`: writes all episodes of a run into one file, for other programs.

use super::output;
use crate::error::Result;
use crate::format::{bytes, grouped};
use crate::show::export;
use std::path::PathBuf;

/// Write all episodes of a run into one file, for other programs
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit export results/door/RUN --hdf5 door.h5            groups as in a Minari dataset, readable with h5py
  skewfit export results/door/RUN --hdf5 door.h5 --json     print a summary as JSON

/episode_<k>/observations/{image, proprio, desired_goal}, actions, rewards (NaN: there are no rewards), terminations,
truncations, infos/{state, goal_latent}. The run may be live. Damaged episodes are left out and named.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// File to create
    #[arg(long, value_name = "FILE")]
    hdf5: PathBuf,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let exported = export::hdf5(&args.run, &args.hdf5)?;
    if args.json {
        return output::json(&exported);
    }
    let (episodes, steps) = (grouped(exported.episodes), grouped(exported.steps));
    output::line(&format!("{}: {episodes} episodes, {steps} steps, {}", exported.file, bytes(exported.bytes as f64)))?;
    exported.damaged.iter().try_for_each(|damage| output::line(&format!("left out    {damage}")))
}
