//! Checkpoints: all that the next update depends on, in one directory per saved update. It is built under a temporary
//! name, manifest last, then renamed. Every file is checked by length and BLAKE3 before it is parsed; a damaged
//! checkpoint is passed over for an older one.

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
/// Suffix of the former checkpoint of an update while a new one replaces it.
const FORMER: &str = ".old";

/// The content of a checkpoint: the learner after `update` updates, the loop's state and the environment.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointContent {
    /// SAC gradient steps so far.
    pub update: u64,
    /// Parameters and Adam moments; loading sorts them by name.
    pub models: ModelState,
    /// Counters and schedules; its `wall_s` is the wall time of the run, seconds.
    pub state: serde_json::Value,
    /// The environment's snapshot; empty where the environment gives none.
    pub env: Vec<u8>,
}

/// A checkpoint that was loaded.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// Its content.
    pub content: CheckpointContent,
    /// Damage found in newer checkpoints.
    pub passed_over: Vec<Damage>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Manifest {
    format_version: u64,
    update: u64,
    /// Wall time of the run at the checkpoint, seconds.
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

/// Updates of the checkpoints, newest first, damaged ones included; without former versions (`.old`).
///
/// # Errors
/// `Disk` where the directory cannot be listed.
pub fn updates(run_dir: &Path) -> Result<Vec<u64>> {
    Ok(candidates(run_dir)?.iter().filter_map(|n| parse_name(n)).filter(|n| n.in_place).map(|n| n.update).collect())
}

/// The parsed directory name of a checkpoint. A former version sorts before the one in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DirName {
    update: u64,
    /// Whether the name has no suffix [`FORMER`].
    in_place: bool,
}

/// Parses a checkpoint's directory name; `None` for another name.
fn parse_name(name: &str) -> Option<DirName> {
    let digits = name.strip_suffix(FORMER).unwrap_or(name);
    let well_formed = digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit());
    let update = well_formed.then(|| digits.parse().ok()).flatten()?;
    Some(DirName { update, in_place: digits == name })
}

/// Directory names of a run's checkpoints, newest first, each before its former version.
fn candidates(run_dir: &Path) -> Result<Vec<String>> {
    let mut names = names_in(&DiskFs, &run_dir.join("checkpoints"))?;
    names.retain(|name| parse_name(name).is_some());
    names.sort_by_key(|name| std::cmp::Reverse(parse_name(name)));
    Ok(names)
}

impl FileRecord {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, blake3: blake3::hash(bytes).to_string() }
    }
}
