//! `night.jsonl`: the events of a run, one line each, in the order in which they were written. It is only appended to,
//! and nothing is learned from it. The report's section about events is made from it.

use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::keep::store::fs::{Fs, disk_error, from_json, write_atomic};

/// The file's name in a run directory.
pub const FILE: &str = "night.jsonl";

/// Kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A process began the run.
    Began,
    /// A process resumed it from a checkpoint.
    Resumed,
    /// The run paused; [`Event::cause`] says why.
    Paused,
    /// The run continued after a pause.
    WentOn,
    /// An update or an episode with a non-finite value was skipped.
    Skipped,
    /// The models went back to a checkpoint, at half the learning rate.
    RolledBack,
    /// A file was found damaged and was not used.
    Damaged,
    /// The supervisor restarts the process after a crash or a stall.
    Restarted,
    /// The supervisor stopped restarting it.
    GaveUp,
    /// It was stopped on request.
    Stopped,
    /// It finished all its steps.
    Done,
    /// It ended with an error.
    Failed,
}

/// Why a run paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The disk refused a write, or had too little room.
    Disk,
    /// A request.
    Asked,
}

/// One event: a line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// UTC, `2026-11-20T03:04:05Z`.
    pub at: String,
    /// Exploration steps of the run at that time.
    pub env_steps: u64,
    /// SAC updates at that time.
    pub updates: u64,
    /// What happened.
    pub event: Kind,
    /// Cause of a pause; `None` if it is not known, as in the file of an older program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Details in words: the cause, the file, the checkpoint.
    pub why: String,
}

/// Appends `event`; it is on the disk when this returns.
///
/// # Errors
/// As [`disk_error`]; `Usage` for an event without a JSON form.
pub fn record(fs: &dyn Fs, dir: &Path, event: &Event) -> Result<()> {
    let path = dir.join(FILE);
    let json = serde_json::to_string(event).map_err(|e| Error::Usage(format!("an event has no JSON form: {e}")))?;
    let line = format!("\n{json}\n"); // the first newline ends a line that a crash left incomplete
    match fs.append_synced(&path, line.as_bytes()) {
        Err(e) if e.kind() == ErrorKind::NotFound => write_atomic(fs, &path, line.trim_start().as_bytes()),
        done => done.map_err(|e| disk_error("extend", &path, &e)),
    }
}

/// All events; incomplete lines are left out, and a missing file has no events.
#[must_use]
pub fn read(fs: &dyn Fs, dir: &Path) -> Vec<Event> {
    let bytes = fs.read(&dir.join(FILE)).unwrap_or_default();
    bytes.split(|b| *b == b'\n').filter_map(|line| from_json(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::store::fs::DiskFs;

    #[test]
    fn only_the_incomplete_line_is_lost() {
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
