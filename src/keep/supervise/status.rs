//! `STATUS.json`: where a run stands, replaced as it goes; what stands there late is a sign that something is wrong.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::keep::store::fs::{Fs, write_atomic};

/// The file's name in a run directory.
pub const FILE: &str = "STATUS.json";

/// What a run does, or did last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunPhase {
    /// It explores, or begins to.
    #[default]
    Exploring,
    /// It stands still, or was stopped before its end.
    Paused,
    /// All its steps are behind it.
    Done,
    /// It ended with an error.
    Failed,
}

impl RunPhase {
    /// Whether no process works on the run any more, unless it is resumed.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// Where a run stands. A file of an older program may lack what came later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// What it does.
    pub state: RunPhase,
    /// Why it is not exploring.
    pub why: Option<String>,
    /// Exploration steps behind it.
    pub env_steps: u64,
    /// SAC updates behind it.
    pub updates: u64,
    /// Updates and episodes left out, since they were not finite.
    pub skipped: u64,
    /// Returns of the models to a checkpoint.
    pub rolled_back: u32,
    /// The process that works on it, or did last.
    pub process: u32,
    /// UTC, `2026-11-20T03:04:05Z`.
    pub updated_at: String,
}

impl Status {
    /// What the run in `dir` says.
    ///
    /// # Errors
    /// The system's, `NotFound` before it has said anything; `InvalidData` where it cannot be understood.
    pub fn read(fs: &dyn Fs, dir: &Path) -> std::io::Result<Self> {
        Ok(serde_json::from_slice(&fs.read(&dir.join(FILE))?)?)
    }

    /// Replaces what the run in `dir` says; on the disk when this returns.
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
    fn what_is_written_is_read_and_what_is_older_too() {
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
