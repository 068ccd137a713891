//! `night.jsonl`: what happened to a run, a line an event, in the order of this machine's clock; never cut back, and no
//! part of what is learned. The report's account of the night is read from it.

use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::keep::store::fs::{Fs, disk_error, write_atomic};

/// The file's name in a run directory.
pub const FILE: &str = "night.jsonl";

/// What may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A process began the run.
    Began,
    /// A process took it up from a checkpoint.
    Resumed,
    /// It stands still, and why.
    Paused,
    /// The cause is gone.
    WentOn,
    /// An update or an episode that was not finite was left out.
    Skipped,
    /// The models went back to a checkpoint, at half the learning rate.
    RolledBack,
    /// A file was found damaged and left out or passed over.
    Damaged,
    /// The process was restarted after a crash or a stall.
    Restarted,
    /// It was not restarted any more.
    GaveUp,
    /// Asked to stop, it ended in order.
    Stopped,
    /// All its steps are behind it.
    Done,
    /// It ended with an error.
    Failed,
}

/// Why a run stood still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The disk took nothing.
    Disk,
    /// It was asked to.
    Asked,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// UTC, `2026-11-20T03:04:05Z`.
    pub at: String,
    /// Exploration steps of the run then.
    pub env_steps: u64,
    /// SAC updates then.
    pub updates: u64,
    /// What.
    pub event: Kind,
    /// Of a pause; `None` where it is not known, as in a file of an older program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// A few words more: the cause, the file, the checkpoint.
    pub why: String,
}

/// Adds `event`, on the disk when this returns.
///
/// # Errors
/// `Disk`; `Usage` for a text without a JSON form.
pub fn record(fs: &dyn Fs, dir: &Path, event: &Event) -> Result<()> {
    let path = dir.join(FILE);
    let json = serde_json::to_string(event).map_err(|e| Error::Usage(format!("an event has no JSON form: {e}")))?;
    let line = format!("\n{json}\n"); // the first newline ends a line that a crash has torn
    match fs.append_synced(&path, line.as_bytes()) {
        Err(e) if e.kind() == ErrorKind::NotFound => write_atomic(fs, &path, line.trim_start().as_bytes()),
        told => told.map_err(|e| disk_error("extend", &path, &e)),
    }
}

/// All that happened; a torn line is left out, and a file that is not there is an empty one.
#[must_use]
pub fn read(fs: &dyn Fs, dir: &Path) -> Vec<Event> {
    let bytes = fs.read(&dir.join(FILE)).unwrap_or_default();
    bytes.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::store::fs::DiskFs;

    #[test]
    fn a_torn_line_costs_itself_alone() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(&DiskFs, dir.path()), []);
        let event =
            |event, why: &str| Event { at: "t".into(), env_steps: 3, updates: 4, event, cause: None, why: why.into() };
        let [first, second] = [
            Event { cause: Some(Cause::Disk), ..event(Kind::Paused, "disk: \"full\"\n") },
            event(Kind::WentOn, "room again"),
        ];
        record(&DiskFs, dir.path(), &first).unwrap();
        DiskFs.append_synced(&dir.path().join(FILE), b"{\"at\":\"t\",\"env_").unwrap();
        record(&DiskFs, dir.path(), &second).unwrap();
        assert_eq!(read(&DiskFs, dir.path()), [first, second]);
        let text = String::from_utf8(DiskFs.read(&dir.path().join(FILE)).unwrap()).unwrap();
        assert!(text.starts_with("{\"at\"") && text.contains("\"went-on\""), "{text}");
        assert_eq!(text.matches("\"cause\":\"disk\"").count(), 1, "{text}");
    }
}
