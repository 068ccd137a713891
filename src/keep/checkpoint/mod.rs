//! Everything the next update depends on, one directory an update: built under a temporary name, manifest last, renamed.
//! Every file is checked by length and BLAKE3 before it is parsed; a damaged checkpoint is passed over for an older one.

mod load;
mod retention;
mod save;
mod tensors;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::keep::store::Damage;
use crate::keep::store::fs::{DiskFs, names_in};
use crate::learn::nn::ModelState;
pub use load::{load, newest_sound, sound_after, verify};
pub use retention::{Retention, set_aside};
pub use save::{Saved, save};
pub use tensors::params_blake3;

const FORMAT_VERSION: u64 = 1;
const FILES: [&str; 4] = ["params.safetensors", "optimizer.safetensors", "state.json", "env.bin"];
const MANIFEST: &str = "MANIFEST.json";
/// Marks the former checkpoint of an update while the new one takes its name.
const FORMER: &str = ".old";
/// A learner at rest after `update` updates.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// SAC gradient steps so far.
    pub update: u64,
    /// Parameters and moments, loaded in order of name.
    pub models: ModelState,
    /// Counters and schedules; `wall_s` in it are the seconds that the run has taken.
    pub state: serde_json::Value,
    /// The environment's snapshot; empty where it cannot be frozen.
    pub env: Vec<u8>,
}

/// A snapshot that was found sound.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// As it was saved.
    pub snapshot: Snapshot,
    /// Newer checkpoints that are damaged.
    pub passed_over: Vec<Damage>,
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

/// Updates of the checkpoints in place, newest first, sound or not.
///
/// # Errors
/// `Disk` where the directory cannot be listed.
pub fn updates(run_dir: &Path) -> Result<Vec<u64>> {
    Ok(candidates(run_dir)?.iter().filter_map(|name| key(name)).filter(|k| k.1).map(|k| k.0).collect())
}

/// (update, whether it is the one in place) of a checkpoint's directory name.
fn key(name: &str) -> Option<(u64, bool)> {
    let digits = name.strip_suffix(FORMER).unwrap_or(name);
    let well_formed = digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit());
    well_formed.then(|| digits.parse().ok()).flatten().map(|update| (update, digits == name))
}

/// Checkpoints of a run by directory name, newest first, each before its former self.
fn candidates(run_dir: &Path) -> Result<Vec<String>> {
    let mut names = names_in(&DiskFs, &run_dir.join("checkpoints"))?;
    names.retain(|name| key(name).is_some());
    names.sort_by_key(|name| std::cmp::Reverse(key(name)));
    Ok(names)
}

impl FileRecord {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, blake3: blake3::hash(bytes).to_string() }
    }
}
