//! Everything the next update depends on, one directory an update: built under a temporary name, manifest last, renamed.
//! Every file is checked by length and BLAKE3 before it is parsed; a damaged checkpoint is passed over for an older one.

mod tensors;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, Fs, disk_error, names_in, parent_of, temporary_of, write_atomic};
use crate::keep::store::{Damage, seal, unseal_versioned};
pub use tensors::{NamedTensor, pack_step, params_blake3, unpack_step};

const FORMAT_VERSION: u64 = 1;
const FILES: [&str; 4] = ["params.safetensors", "optimizer.safetensors", "state.json", "env.bin"];
const MANIFEST: &str = "MANIFEST.json";
/// Times a reader lists a live run's checkpoints, should all that were there be superseded before they are read.
const LISTINGS: usize = 10;
/// Marks the former checkpoint of an update while the new one takes its name.
const FORMER: &str = ".old";
/// Ends the name of one that the run went on without.
const ASIDE: &str = ".aside";

/// A learner at rest after `update` updates.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// SAC gradient steps so far.
    pub update: u64,
    /// Every network parameter, targets and log-temperature included; loaded in order of name.
    pub params: Vec<NamedTensor>,
    /// Adam's moments, and step counts as [`pack_step`] gives them; loaded in order of name.
    pub optimizer: Vec<NamedTensor>,
    /// Counters and schedules; `wall_s` in it are the seconds that the run has taken.
    pub state: serde_json::Value,
    /// The scene's snapshot; empty on hardware.
    pub env: Vec<u8>,
}

/// Where a snapshot went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its directory.
    pub dir: PathBuf,
    /// Identity of its numbers, see [`params_blake3`].
    pub params_blake3: String,
}

/// A snapshot that was found sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// As it was saved.
    pub snapshot: Snapshot,
    /// Newer checkpoints that are damaged.
    pub passed_over: Vec<Damage>,
}

/// Which checkpoints stay when another one is saved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Keep<'a> {
    /// The newest so many, at least the one that is saved.
    pub newest: usize,
    /// Also the first of every so many seconds of the run; 0 = none.
    pub every_s: f64,
    /// Also those of these updates.
    pub spared: &'a [u64],
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Manifest {
    format_version: u64,
    update: u64,
    /// Seconds that the run had taken.
    #[serde(default)]
    wall_s: f64,
    params_blake3: String,
    files: BTreeMap<String, FileRecord>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FileRecord {
    bytes: u64,
    blake3: String,
}

/// Saves `snapshot` under `run_dir`, durable on return, and removes the older ones that `keep` lets go.
/// After a crash or an error at any instant the checkpoints that were there before are still there, or this one is.
///
/// # Errors
/// [`Error::Disk`]; [`Error::NotFinite`] or [`Error::Usage`] for tensors that cannot be saved.
pub fn save(fs: &dyn Fs, run_dir: &Path, snapshot: &Snapshot, keep: Keep) -> Result<Saved> {
    let update = snapshot.update;
    let params_blake3 = params_blake3(&snapshot.params, &snapshot.optimizer);
    let contents = [
        tensors::encode(&snapshot.params)?,
        tensors::encode(&snapshot.optimizer)?,
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
        if key(name).is_none_or(|k| !k.1 || !(landmarks.contains(&k.0) || keep.spared.contains(&k.0))) {
            discard(fs, &parent.join(name))?;
        }
    }
    Ok(Saved { dir, params_blake3 })
}

/// The newest sound checkpoint of a run; `None` where none was ever saved.
///
/// # Errors
/// [`Error::Damaged`] naming them where there are checkpoints but none is sound; [`Error::Usage`] where one that comes
/// first is of a newer format: nothing newer than it may be lost by going on without it.
pub fn newest_sound(run_dir: &Path) -> Result<Option<Loaded>> {
    sound_after(run_dir, 0)
}

/// [`newest_sound`], not looking at the `passed` newest ones; the oldest is looked at in any case.
///
/// # Errors
/// As there.
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

/// Gives those newer than `update` names that nothing reads; which ones. For a run that goes on from there: its journal
/// is about to be cut back to that checkpoint, and none of the newer ones could be gone on from.
///
/// # Errors
/// [`Error::Disk`].
pub fn set_aside(fs: &dyn Fs, run_dir: &Path, update: u64) -> Result<Vec<String>> {
    let parent = run_dir.join("checkpoints");
    let mut newer = names_in(fs, &parent)?;
    newer.retain(|name| key(name).is_some_and(|k| k.0 > update));
    for name in &newer {
        let aside = parent.join(format!("{name}{ASIDE}"));
        let moved = fs.remove(&aside).and_then(|()| fs.rename(&parent.join(name), &aside));
        moved.map_err(|e| disk_error("set aside", &parent.join(name), &e))?;
    }
    if !newer.is_empty() {
        fs.sync_dir(&parent).map_err(|e| disk_error("set aside in", &parent, &e))?;
        write_atomic(fs, &parent.join("last"), format!("{update:08}\n").as_bytes())?;
    }
    Ok(newer)
}

/// Updates of the checkpoints in place, newest first, sound or not.
///
/// # Errors
/// [`Error::Disk`] where the directory cannot be listed.
pub fn updates(run_dir: &Path) -> Result<Vec<u64>> {
    Ok(candidates(run_dir)?.iter().filter_map(|name| key(name)).filter(|k| k.1).map(|k| k.0).collect())
}

/// The checkpoint of one update.
///
/// # Errors
/// [`Error::Damaged`]; [`Error::Usage`] for a newer format.
pub fn load(run_dir: &Path, update: u64) -> Result<Snapshot> {
    let name = format!("{update:08}");
    match read_live(run_dir, &name)? {
        Some(Ok(snapshot)) => Ok(snapshot),
        Some(Err(damage)) => Err(Error::Damaged(format!("{}: {damage}", run_dir.display()))),
        None => Err(Error::Damaged(format!("{}: there is no checkpoint {name}", run_dir.display()))),
    }
}

/// Reads every checkpoint; what is damaged, newest first.
///
/// # Errors
/// [`Error::Disk`] where the directory cannot be listed; [`Error::Usage`] for a newer format.
pub fn verify(run_dir: &Path) -> Result<Vec<Damage>> {
    let mut damage = Vec::new();
    for name in candidates(run_dir)? {
        damage.extend(read_live(run_dir, &name)?.and_then(Result::err));
    }
    Ok(damage)
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

/// (update, whether it is the one in place) of a checkpoint's directory name.
fn key(name: &str) -> Option<(u64, bool)> {
    let digits = name.strip_suffix(FORMER).unwrap_or(name);
    let well_formed = digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit());
    well_formed.then(|| digits.parse().ok()).flatten().map(|update| (update, digits == name))
}

/// What goes once `update` is saved: its former self, and older ones beyond `keep`. Newer ones, which a run that fell
/// back will meet again, stay.
fn superseded(names: &[String], update: u64, keep: usize) -> Vec<&str> {
    let mut older = names.iter().filter_map(|n| key(n)).map(|k| k.0).filter(|&u| u < update).collect::<Vec<_>>();
    older.sort_unstable();
    older.dedup();
    let drop = &older[..older.len().saturating_sub(keep.saturating_sub(1))];
    let goes = |name: &&str| key(name).is_some_and(|k| k == (update, false) || drop.contains(&k.0));
    names.iter().map(String::as_str).filter(goes).collect()
}

/// The first checkpoint of every `every_s` seconds of the run, of those that tell.
fn landmarks(fs: &dyn Fs, parent: &Path, names: &[String], every_s: f64) -> Vec<u64> {
    if every_s <= 0.0 {
        return Vec::new();
    }
    let wall_s = |name: &String| {
        let update = key(name).filter(|k| k.1)?.0;
        let manifest = fs.read(&parent.join(name).join(MANIFEST)).ok()?;
        let manifest: Manifest = unseal_versioned(name, &manifest, FORMAT_VERSION).ok()?;
        Some(((manifest.wall_s / every_s) as u64, update))
    };
    let mut told: Vec<(u64, u64)> = names.iter().filter_map(wall_s).collect();
    told.sort_unstable();
    told.dedup_by_key(|(bucket, _)| *bucket);
    told.into_iter().map(|(_, update)| update).collect()
}

/// Checkpoints of a run by directory name, newest first, each before its former self.
fn candidates(run_dir: &Path) -> Result<Vec<String>> {
    let mut names = names_in(&DiskFs, &run_dir.join("checkpoints"))?;
    names.retain(|name| key(name).is_some());
    names.sort_by_key(|name| std::cmp::Reverse(key(name)));
    Ok(names)
}

fn first_sound(run_dir: &Path, names: &[String]) -> Result<Option<Loaded>> {
    let mut passed_over = Vec::new();
    for name in names {
        match read_live(run_dir, name)? {
            Some(Ok(snapshot)) => return Ok(Some(Loaded { snapshot, passed_over })),
            Some(Err(damage)) => passed_over.push(damage),
            None => {}
        }
    }
    let Some(first) = passed_over.first() else { return Ok(None) };
    let (dir, n) = (run_dir.display(), passed_over.len());
    Err(Error::Damaged(format!("{dir}: none of {n} checkpoints is sound ({first}); put one back")))
}

/// [`read`], where a live run may replace or remove the checkpoint meanwhile: what looks damaged is read once more, and
/// is `None` where it is no longer there.
///
/// # Errors
/// [`Error::Usage`] where only a newer program can read it.
fn read_live(run_dir: &Path, name: &str) -> Result<Option<Result<Snapshot, Damage>>> {
    let outcome = match read(run_dir, name) {
        Err(Unread::Damaged(_)) => read(run_dir, name),
        first => first,
    };
    let still_there = || run_dir.join("checkpoints").join(name).symlink_metadata().is_ok();
    match outcome {
        Ok(snapshot) => Ok(Some(Ok(snapshot))),
        Err(Unread::Newer(error)) => Err(error),
        Err(Unread::Damaged(damage)) => Ok(still_there().then_some(Err(damage))),
    }
}

/// Why a checkpoint was not read.
enum Unread {
    Damaged(Damage),
    Newer(Error),
}

impl From<Damage> for Unread {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

/// One checkpoint, or the file of it that is damaged and why.
fn read(run_dir: &Path, name: &str) -> Result<Snapshot, Unread> {
    let damage = |file: &str, why: String| Damage { file: format!("checkpoints/{name}/{file}"), why };
    let bytes_of = |file: &str| {
        DiskFs.read(&run_dir.join("checkpoints").join(name).join(file)).map_err(|e| damage(file, e.to_string()))
    };
    let manifest = unseal_versioned("the checkpoint", &bytes_of(MANIFEST)?, FORMAT_VERSION);
    let manifest: Manifest = manifest.map_err(|e| match e {
        Error::Usage(why) => Unread::Newer(Error::Usage(format!("{}, {name}: {why}", run_dir.display()))),
        other => damage(MANIFEST, other.to_string()).into(),
    })?;
    if Some(manifest.update) != key(name).map(|k| k.0) {
        return Err(damage(MANIFEST, format!("is of update {}", manifest.update)).into());
    }
    let checked = |file: &str| {
        let bytes = bytes_of(file)?;
        let sound = manifest.files.get(file).is_some_and(|record| *record == FileRecord::of(&bytes));
        if sound { Ok(bytes) } else { Err(damage(file, "its bytes are not those that were saved (BLAKE3)".into())) }
    };
    let [params_file, optimizer_file, state_file, env_file] = FILES;
    let tensors_of = |file: &str| tensors::decode(&checked(file)?).map_err(|why| damage(file, why));
    let (params, optimizer) = (tensors_of(params_file)?, tensors_of(optimizer_file)?);
    if params_blake3(&params, &optimizer) != manifest.params_blake3 {
        return Err(damage(MANIFEST, "its params_blake3 is not that of the tensors".into()).into());
    }
    let state = serde_json::from_slice(&checked(state_file)?).map_err(|e| damage(state_file, e.to_string()))?;
    Ok(Snapshot { update: manifest.update, params, optimizer, state, env: checked(env_file)? })
}

impl FileRecord {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, blake3: blake3::hash(bytes).to_string() }
    }
}
