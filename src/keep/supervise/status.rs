//! `STATUS.json`: the present state of a run, rewritten while it runs. An old `updated_at` means a hung or dead
//! process.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::keep::store::fs::{Fs, from_json, write_atomic};

/// The file's name in a run directory.
pub const FILE: &str = "STATUS.json";

/// What a run is doing, or did last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunPhase {
    /// It explores or is starting.
    #[default]
    Exploring,
    /// It is paused, or was stopped before its end.
    Paused,
    /// It finished all its steps.
    Done,
    /// It ended with an error.
    Failed,
}

impl RunPhase {
    /// Whether the run has ended; a process works on it again only after `resume`.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// The content of the file. In the file of an older program, newer fields are missing and have their default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// What the run is doing.
    pub state: RunPhase,
    /// Why it is not exploring.
    pub why: Option<String>,
    /// Exploration steps done.
    pub env_steps: u64,
    /// SAC updates done.
    pub updates: u64,
    /// Updates and episodes skipped because of non-finite values.
    pub skipped: u64,
    /// Rollbacks of the models to a checkpoint.
    pub rolled_back: u32,
    /// Id of the process that works on it, or did last.
    pub process: u32,
    /// UTC, `2026-11-20T03:04:05Z`.
    pub updated_at: String,
}

impl Status {
    /// Reads the status of the run in `dir`.
    ///
    /// # Errors
    /// An error of the operating system: `NotFound` before the first write, `InvalidData` for a file that cannot be
    /// parsed.
    pub fn read(fs: &dyn Fs, dir: &Path) -> std::io::Result<Self> {
        Ok(from_json(&fs.read(&dir.join(FILE))?)?)
    }

    /// Replaces the status of the run in `dir`; it is on the disk when this returns.
    ///
    /// # Errors
    /// `Disk`.
    pub fn write(&self, fs: &dyn Fs, dir: &Path) -> Result<()> {
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default(); // numbers and texts have a JSON form
        json.push(b'\n');
        write_atomic(fs, &dir.join(FILE), &json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::store::fs::DiskFs;

    #[test]
    fn a_status_is_read_back_and_an_older_one_too() {
        let dir = tempfile::tempdir().unwrap();
        let of = || Status::read(&DiskFs, dir.path());
        assert_eq!(of().unwrap_err().kind(), std::io::ErrorKind::NotFound);
        let status = Status { state: RunPhase::Paused, why: Some("full".into()), updates: 3, ..Status::default() };
        status.write(&DiskFs, dir.path()).unwrap();
        assert_eq!(of().unwrap(), status);
        let old = Status { state: RunPhase::Done, updates: 7, ..Status::default() };
        write_atomic(&DiskFs, &dir.path().join(FILE), br#"{ "state": "done", "updates": 7 }"#).unwrap();
        assert_eq!(of().unwrap(), old);
        for broken in [&b"broken"[..], br#"{ "state": "asleep" }"#] {
            write_atomic(&DiskFs, &dir.path().join(FILE), broken).unwrap();
            assert_eq!(of().unwrap_err().kind(), std::io::ErrorKind::InvalidData);
        }
    }
}
