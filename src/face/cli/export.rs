//! `skewfit export`: all episodes of a run in one file, for other programs.

use super::output;
use crate::error::{Error, Result};
use crate::format::{bytes, grouped};
use crate::show::export;
use std::path::PathBuf;

/// Put all episodes of a run into one file, for other programs
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("to").required(true).args(["hdf5", "minari"])))]
#[command(after_help = "Examples:
  skewfit export results/door/RUN --hdf5 door.h5                  groups as in a Minari dataset; h5py reads them
  skewfit export results/door/RUN --hdf5 door.h5 --json           what was written, as JSON
  skewfit export results/door/RUN --minari ~/.minari/datasets     for minari.load_dataset(\"door/skewfit-<run>-v0\")

/episode_<k>/observations/{image, proprio, desired_goal}, actions, rewards (NaN: the data hold none), terminations,
truncations, infos/{state, goal_latent}. The run may be live. A damaged episode is left out and named.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// The new file
    #[arg(long, value_name = "FILE", value_parser = super::path::new_path())]
    hdf5: Option<PathBuf>,
    /// A folder of Minari datasets: the new one is <DIR>/<scene>/skewfit-<run>-v0/data/{main_data.hdf5, metadata.json}
    #[arg(long, value_name = "DIR", value_parser = super::path::new_path())]
    minari: Option<PathBuf>,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let told = match (&args.hdf5, &args.minari) {
        (Some(file), _) => export::hdf5(&args.run, file)?,
        (None, Some(datasets)) => export::minari(&args.run, datasets)?,
        (None, None) => return Err(Error::Usage("give --hdf5 FILE or --minari DIR".into())),
    };
    if args.json {
        return output::json(&told);
    }
    let (episodes, steps) = (grouped(told.episodes), grouped(told.steps));
    output::line(&format!("{}: {episodes} episodes, {steps} steps, {}", told.file, bytes(told.bytes as f64)))?;
    told.damaged.iter().try_for_each(|damage| output::line(&format!("left out    {damage}")))?;
    let load = |id: &String| output::line(&format!("minari.load_dataset(\"{id}\")"));
    told.dataset_id.as_ref().map_or(Ok(()), load)
}
