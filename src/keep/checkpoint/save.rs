//! A checkpoint is saved: built under a temporary name, manifest last, renamed; then the older ones go that may.

use std::path::{Path, PathBuf};

use super::retention::{landmarks, superseded};
use super::{
    FILES, FORMAT_VERSION, FORMER, FileRecord, MANIFEST, Manifest, Retention, Snapshot, key, params_blake3, tensors,
};
use crate::error::Result;
use crate::keep::store::fs::{Fs, disk_error, names_in, parent_of, temporary_of, write_atomic};
use crate::keep::store::seal;

/// Where a snapshot went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its directory.
    pub dir: PathBuf,
    /// Identity of its numbers, see [`params_blake3`].
    pub params_blake3: String,
}

/// Saves `snapshot` under `run_dir`, durable on return, and removes the older ones that `keep` lets go.
/// After a crash or an error at any instant the checkpoints that were there before are still there, or this one is.
///
/// # Errors
/// As [`disk_error`](crate::keep::store::fs::disk_error); `NotFinite` or `Usage` for tensors that cannot be saved.
pub fn save(fs: &dyn Fs, run_dir: &Path, snapshot: &Snapshot, keep: Retention) -> Result<Saved> {
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
    place(fs, &dir, entries.map(|(&name, bytes)| (name, bytes)))?;
    write_atomic(fs, &parent.join("last"), format!("{update:08}\n").as_bytes())?;
    let names = names_in(fs, &parent)?;
    let landmarks = landmarks(fs, &parent, &names, keep.every_s);
    for name in superseded(&names, update, keep.newest) {
        if key(name).is_none_or(|k| !k.1 || !(landmarks.contains(&k.0) || keep.protected.contains(&k.0))) {
            discard(fs, &parent.join(name))?;
        }
    }
    Ok(Saved { dir, params_blake3 })
}

/// Builds `dir` aside and moves it into place; a former one steps aside under a name that is still read.
fn place<'a>(fs: &dyn Fs, dir: &Path, entries: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<()> {
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
        let _ = fs.remove(&temporary); // gives the space back; a leftover is swept when the run is opened next
        disk_error("save", dir, &e)
    })
}

/// Removes a checkpoint so that a crash halfway leaves a temporary name, never a damaged checkpoint.
fn discard(fs: &dyn Fs, dir: &Path) -> Result<()> {
    let temporary = temporary_of(dir)?;
    let remove = || {
        fs.remove(&temporary)?;
        fs.rename(dir, &temporary)?;
        fs.remove(&temporary)
    };
    remove().map_err(|e| disk_error("remove", dir, &e))
}
