//! Loads checkpoints. Every file is checked before it is parsed; a damaged checkpoint is passed over for an older one.
//! A checkpoint that cannot be read is not called damaged: the search ends with an error.

use std::path::Path;

use super::{CheckpointContent, FILES, FORMAT_VERSION, FileRecord, Loaded, MANIFEST, Manifest};
use super::{candidates, params_blake3, parse_name, tensors};
use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, read_if_there, trimmed};
use crate::keep::store::{Damage, unseal_versioned};
use crate::learn::nn::ModelState;

/// How often a reader lists the checkpoints of a live run, in case all are replaced before they are read.
const LISTINGS: usize = 10;

/// The newest undamaged ("sound") checkpoint of a run; `None` where none was ever saved.
///
/// # Errors
/// [`Error::Damaged`] where all checkpoints are damaged; [`Error::Usage`] where one that is newer than the first sound
/// one has a newer format or may not be read: resuming from an older one would lose it. [`Error::Disk`].
pub fn newest_sound(run_dir: &Path) -> Result<Option<Loaded>> {
    sound_after(run_dir, 0)
}

/// As [`newest_sound`], without the `passed` newest ones; the oldest is always considered.
///
/// # Errors
/// As [`newest_sound`].
pub fn sound_after(run_dir: &Path, passed: usize) -> Result<Option<Loaded>> {
    for _ in 0..LISTINGS {
        let mut names = candidates(run_dir)?;
        names.drain(..passed.min(names.len().saturating_sub(1)));
        let found = first_sound(run_dir, &names)?;
        if found.is_some() || names.is_empty() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The checkpoint of one update.
///
/// # Errors
/// [`Error::Damaged`], also where there is none; [`Error::Usage`] where it has a newer format or may not be read;
/// [`Error::Disk`].
pub fn load(run_dir: &Path, update: u64) -> Result<CheckpointContent> {
    let name = format!("{update:08}");
    match read_live(run_dir, &name)? {
        Some(Ok(snapshot)) => Ok(snapshot),
        Some(Err(damage)) => Err(Error::Damaged(format!("{}: {damage}", run_dir.display()))),
        None => Err(Error::Damaged(format!("{}: there is no checkpoint {name}", run_dir.display()))),
    }
}

/// Reads every checkpoint; returns the damage found, newest first.
///
/// # Errors
/// [`Error::Usage`] where one has a newer format or may not be read; [`Error::Disk`].
pub fn verify(run_dir: &Path) -> Result<Vec<Damage>> {
    let mut damage = Vec::new();
    for name in candidates(run_dir)? {
        damage.extend(read_live(run_dir, &name)?.and_then(Result::err));
    }
    Ok(damage)
}

fn first_sound(run_dir: &Path, names: &[String]) -> Result<Option<Loaded>> {
    let mut passed_over = Vec::new();
    for name in names {
        match read_live(run_dir, name)? {
            Some(Ok(content)) => return Ok(Some(Loaded { content, passed_over })),
            Some(Err(damage)) => passed_over.push(damage),
            None => {}
        }
    }
    let Some(first) = passed_over.first() else { return Ok(None) };
    let (dir, n) = (run_dir.display(), passed_over.len());
    Err(Error::Damaged(format!("{dir}: none of {n} checkpoints is sound ({first}); put one back")))
}

/// As [`read`], for a run that may replace or remove the checkpoint meanwhile: one that looks damaged is read once
/// more, and the result is `None` if it no longer exists.
///
/// # Errors
/// [`Error::Usage`] where only a newer program or another user can read it; [`Error::Disk`] where the disk fails.
pub(super) fn read_live(run_dir: &Path, name: &str) -> Result<Option<Result<CheckpointContent, Damage>>> {
    let outcome = match read(run_dir, name) {
        Err(LoadFailure::Damaged(_)) => read(run_dir, name),
        first => first,
    };
    let still_there = || run_dir.join("checkpoints").join(name).symlink_metadata().is_ok();
    match outcome {
        Ok(snapshot) => Ok(Some(Ok(snapshot))),
        Err(LoadFailure::Unreadable(error)) => Err(error),
        Err(LoadFailure::Damaged(damage)) => Ok(still_there().then_some(Err(damage))),
    }
}

/// Why a checkpoint was not loaded.
enum LoadFailure {
    /// Its content is wrong.
    Damaged(Damage),
    /// It may be sound: it has a newer format, or could not be read.
    Unreadable(Error),
}

impl From<Error> for LoadFailure {
    fn from(error: Error) -> Self {
        Self::Unreadable(error)
    }
}

impl From<Damage> for LoadFailure {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// Reads one checkpoint.
fn read(run_dir: &Path, name: &str) -> Result<CheckpointContent, LoadFailure> {
    let damage = |file: &str, why: String| Damage { file: format!("checkpoints/{name}/{file}"), why };
    let bytes_of = |file: &str| -> Result<Vec<u8>, LoadFailure> {
        let read = read_if_there(&DiskFs, &run_dir.join("checkpoints").join(name).join(file))?;
        Ok(read.ok_or_else(|| damage(file, "is gone".into()))?)
    };
    let manifest = unseal_versioned("the checkpoint", &bytes_of(MANIFEST)?, FORMAT_VERSION);
    let manifest: Manifest = manifest.map_err(|e| match e {
        Error::Usage(why) => LoadFailure::Unreadable(Error::Usage(format!("{}, {name}: {why}", run_dir.display()))),
        other => damage(MANIFEST, other.to_string()).into(),
    })?;
    if Some(manifest.update) != parse_name(name).map(|n| n.update) {
        return Err(damage(MANIFEST, format!("is of update {}", manifest.update)).into());
    }
    let checked = |file: &str| {
        let mut bytes = bytes_of(file)?;
        if file.ends_with(".json") {
            bytes = trimmed(&bytes).to_vec(); // one line of text: what was put around it is not looked at
        }
        let sound = manifest.files.get(file).is_some_and(|record| *record == FileRecord::of(&bytes));
        let wrong = || damage(file, "its bytes are not those that were saved (BLAKE3)".into());
        if sound { Ok(bytes) } else { Err(LoadFailure::Damaged(wrong())) }
    };
    let [params_file, optimizer_file, state_file, env_file] = FILES;
    let tensors_of =
        |file: &str| tensors::decode(&checked(file)?).map_err(|why| LoadFailure::Damaged(damage(file, why)));
    let models = ModelState { params: tensors_of(params_file)?, optimizer: tensors_of(optimizer_file)? };
    if params_blake3(&models) != manifest.params_blake3 {
        return Err(damage(MANIFEST, "its params_blake3 is not that of the tensors".into()).into());
    }
    let state = serde_json::from_slice(&checked(state_file)?).map_err(|e| damage(state_file, e.to_string()))?;
    Ok(CheckpointContent { update: manifest.update, models, state, env: checked(env_file)? })
}
