//! Evaluation pictures from a folder of the user's: read once, kept in the run, which then needs the folder no more.

use std::path::Path;

use crate::config::Config;
use crate::error::Result;
use crate::keep::store::fs::{Fs, disk_error, temporary_of};
use crate::show::pictures::{load_goal, pictures_in, png};
use crate::task::attempt::EvaluationGoal;

/// Where a run keeps them.
const FOLDER: &str = "goals";

/// The first `evaluate.pictures` pictures of `evaluate.folder` by name, at the camera's size; none where no folder is asked
/// for.
///
/// # Errors
/// `Usage` for a folder without pictures, and for one that is none.
pub fn requested(cfg: &Config) -> Result<Vec<EvaluationGoal>> {
    match cfg.evaluate.folder.as_str() {
        "" => Ok(Vec::new()),
        folder => read(Path::new(folder), cfg, |i, stem| format!("{i:03}-{stem}")),
    }
}

/// Puts them into the run, all or none; those that are there stay.
///
/// # Errors
/// `Disk`.
pub fn save(fs: &dyn Fs, run: &Path, goals: &[EvaluationGoal]) -> Result<()> {
    let folder = run.join(FOLDER);
    if goals.is_empty() || folder.is_dir() {
        return Ok(());
    }
    let half = temporary_of(&folder)?;
    let failed = |e| disk_error("write", &folder, &e);
    fs.remove(&half).and_then(|()| fs.create_dir(&half)).map_err(failed)?;
    for goal in goals {
        fs.write_new_synced(&half.join(format!("{}.png", goal.name)), &png(&goal.image)?).map_err(failed)?;
    }
    fs.sync_dir(&half).and_then(|()| fs.rename(&half, &folder)).and_then(|()| fs.sync_dir(run)).map_err(failed)
}

/// Those that a run keeps; of a run that ended before it kept them, those of the folder.
///
/// # Errors
/// As [`requested`].
pub fn load(run: &Path, cfg: &Config) -> Result<Vec<EvaluationGoal>> {
    let folder = run.join(FOLDER);
    if folder.is_dir() { read(&folder, cfg, |_, stem| stem.to_owned()) } else { requested(cfg) }
}

fn read(folder: &Path, cfg: &Config, name: impl Fn(usize, &str) -> String) -> Result<Vec<EvaluationGoal>> {
    let goal = |(i, path): (usize, std::path::PathBuf)| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        Ok(EvaluationGoal { name: name(i, &stem), image: load_goal(&path, cfg.env.image_size)?, state: None })
    };
    pictures_in(folder)?.into_iter().take(cfg.evaluate.pictures).enumerate().map(goal).collect()
}
