//! Saves a checkpoint: builds it under a temporary name, manifest last, renames it, then removes old ones.

use std::path::{Path, PathBuf};

use super::retention::{first_of_every, superseded};
use super::{
    CheckpointContent, FILES, FORMAT_VERSION, FORMER, FileRecord, MANIFEST, Manifest, Retention, params_blake3,
    parse_name, tensors,
};
use crate::error::Result;
use crate::keep::store::fs::{Fs, disk_error, names_in, parent_of, temporary_of, write_atomic};
use crate::keep::store::seal;

/// A saved checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its directory.
    pub dir: PathBuf,
    /// Hash of its tensors, see [`params_blake3`].
    pub params_blake3: String,
}

/// Saves `snapshot` under `run_dir`, then removes older checkpoints that `keep` does not keep. On return it is on the
/// disk. After a crash or an error at any moment, either the earlier checkpoints or the new one are there.
///
/// # Errors
/// As [`disk_error`](crate::keep::store::fs::disk_error); `NotFinite` or `Usage` for tensors that cannot be saved.
pub fn save(fs: &dyn Fs, run_dir: &Path, snapshot: &CheckpointContent, keep: Retention) -> Result<Saved> {
    let update = snapshot.update;
    let params_blake3 = params_blake3(&snapshot.models);
    let contents = [
        tensors::encode(&snapshot.models.params)?,
        tensors::encode(&snapshot.models.optimizer)?,
        snapshot.state.to_string().into_bytes(),
        snapshot.env.clone(),
    ];
    let files = FILES.iter().zip(&contents).map(|(&name, bytes)| (name.to_owned(), FileRecord::of(bytes))).collect();
    let wall_s = snapshot.state["wall_s"].as_f64().unwrap_or(0.0);
    let manifest =
        Manifest { format_version: FORMAT_VERSION, update, wall_s, params_blake3: params_blake3.clone(), files };
    let manifest = seal(&manifest)?;

    let parent = run_dir.join("checkpoints");
    let dir = parent.join(format!("{update:08}"));
    let entries = FILES.iter().zip(contents.iter().map(Vec::as_slice)).chain([(&MANIFEST, manifest.as_bytes())]);
    install(fs, &dir, entries.map(|(&name, bytes)| (name, bytes)))?;
    write_atomic(fs, &parent.join("last"), format!("{update:08}\n").as_bytes())?;
    let names = names_in(fs, &parent)?;
    let first = first_of_every(fs, &parent, &names, keep.every_s);
    for name in superseded(&names, update, keep.newest) {
        let is_kept = |update| first.contains(&update) || keep.protected.contains(&update);
        if parse_name(name).is_none_or(|n| !n.in_place || !is_kept(n.update)) {
            discard(fs, &parent.join(name))?;
        }
    }
    Ok(Saved { dir, params_blake3 })
}

/// Builds `dir` under a temporary name and renames it. An earlier version is first renamed to a name that is still
/// read.
fn install<'a>(fs: &dyn Fs, dir: &Path, entries: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<()> {
    let temporary = temporary_of(dir)?;
    let former = dir.with_added_extension(&FORMER[1..]);
    let build = || {
        fs.remove(&temporary)?;
        fs.create_dir(&temporary)?;
        for (name, bytes) in entries {
            fs.write_new_synced(&temporary.join(name), bytes)?;
        }
        fs.sync_dir(&temporary)?;
        let parent = parent_of(dir);
        if fs.list(dir).is_ok() {
            fs.remove(&former)?;
            fs.rename(dir, &former)?;
            fs.sync_dir(parent)?;
        }
        fs.rename(&temporary, dir)?;
        fs.sync_dir(parent)
    };
    build().map_err(|e| {
        let _ = fs.remove(&temporary); // frees the space; a leftover is removed when the run is opened next
        disk_error("save", dir, &e)
    })
}

/// Removes a checkpoint under a temporary name, so a crash halfway leaves no damaged checkpoint.
fn discard(fs: &dyn Fs, dir: &Path) -> Result<()> {
    let temporary = temporary_of(dir)?;
    let remove = || {
        fs.remove(&temporary)?;
        fs.rename(dir, &temporary)?;
        fs.remove(&temporary)
    };
    remove().map_err(|e| disk_error("remove", dir, &e))
}
