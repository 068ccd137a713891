//! Evaluation pictures from a folder of the user. They are read once and copied into the run, which then does not need
//! the folder.

use std::path::Path;

use crate::config::Config;
use crate::error::Result;
use crate::keep::store::fs::{Fs, disk_error, temporary_of};
use crate::show::pictures::{load_goal, pictures_in, png};
use crate::task::attempt::EvaluationGoal;

/// Name of the folder in a run directory.
const FOLDER: &str = "goals";

/// Reads the first `evaluate.pictures` pictures of `evaluate.folder`, sorted by name, at the camera's size. Returns an
/// empty list if no folder is configured.
///
/// # Errors
/// `Usage` if the folder has no pictures or is not a folder.
pub fn requested(cfg: &Config) -> Result<Vec<EvaluationGoal>> {
    match cfg.evaluate.folder.as_str() {
        "" => Ok(Vec::new()),
        folder => read(Path::new(folder), cfg, |i, stem| format!("{i:03}-{stem}")),
    }
}

/// Copies the pictures into the run, all or none. Pictures that are there already stay.
///
/// # Errors
/// `Disk` if they cannot be written.
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

/// Reads the pictures in the run; those of the user's folder if the run ended before it had copied them.
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
