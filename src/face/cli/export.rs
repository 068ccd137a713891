//! `skewfit export`: all episodes of a run in one file, for other programs.

use super::output;
use crate::error::Result;
use crate::format::{bytes, grouped};
use crate::show::export;
use std::path::PathBuf;

/// Put all episodes of a run into one file, for other programs
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit export results/door/RUN --hdf5 door.h5            groups as in a Minari dataset; h5py reads them
  skewfit export results/door/RUN --hdf5 door.h5 --json     what was written, as JSON

/episode_<k>/observations/{image, proprio, desired_goal}, actions, rewards (NaN: the data hold none), terminations,
truncations, infos/{state, goal_latent}. The run may be live. A damaged episode is left out and named.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// The new file
    #[arg(long, value_name = "FILE", value_parser = super::path::new_path())]
    hdf5: PathBuf,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let told = export::hdf5(&args.run, &args.hdf5)?;
    if args.json {
        return output::json(&told);
    }
    let (episodes, steps) = (grouped(told.episodes), grouped(told.steps));
    output::line(&format!("{}: {episodes} episodes, {steps} steps, {}", told.file, bytes(told.bytes as f64)))?;
    told.damaged.iter().try_for_each(|damage| output::line(&format!("left out    {damage}")))
}
