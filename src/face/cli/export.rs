//! `skewfit export`: writes all episodes of a run into one file, for other programs.

use super::output;
use crate::error::{Error, Result};
use crate::format::{bytes, grouped};
use crate::show::export;
use std::path::PathBuf;

/// Write all episodes of a run into one file, for other programs
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("to").required(true).args(["hdf5", "minari"])))]
#[command(after_help = "Examples:
  skewfit export results/door/RUN --hdf5 door.h5            groups as in a Minari dataset, readable with h5py
  skewfit export results/door/RUN --hdf5 door.h5 --json     print a summary as JSON
  skewfit export results/door/RUN --minari ~/.minari/datasets   for minari.load_dataset(\"door/skewfit-<run>-v0\")

/episode_<k>/observations/{image, proprio, desired_goal}, actions, rewards (NaN: there are no rewards), terminations,
truncations, infos/{state, goal_latent}. The run may be live. Damaged episodes are left out and named.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// File to create
    #[arg(long, value_name = "FILE", value_parser = super::path::new_path())]
    hdf5: Option<PathBuf>,
    /// Folder of Minari datasets; creates <DIR>/<scene>/skewfit-<run>-v0/data/{main_data.hdf5, metadata.json}
    #[arg(long, value_name = "DIR", value_parser = super::path::new_path())]
    minari: Option<PathBuf>,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let exported = match (&args.hdf5, &args.minari) {
        (Some(file), _) => export::hdf5(&args.run, file)?,
        (None, Some(datasets)) => export::minari(&args.run, datasets)?,
        (None, None) => return Err(Error::Usage("give --hdf5 FILE or --minari DIR".into())),
    };
    if args.json {
        return output::json(&exported);
    }
    let (episodes, steps) = (grouped(exported.episodes), grouped(exported.steps));
    output::line(&format!("{}: {episodes} episodes, {steps} steps, {}", exported.file, bytes(exported.bytes as f64)))?;
    exported.damaged.iter().try_for_each(|damage| output::line(&format!("left out    {damage}")))?;
    let load = |id: &String| output::line(&format!("minari.load_dataset(\"{id}\")"));
    exported.dataset_id.as_ref().map_or(Ok(()), load)
}
