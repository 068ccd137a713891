//! Requests to a run from outside: run, pause or stop, and nothing else. The request is one word in the run's file
//! `control`, which the run reads between two episodes or updates. Anyone who may write to the run's directory can send
//! one.

use std::path::Path;

use crate::error::Result;
use crate::keep::store::fs::{Fs, trimmed, write_atomic};

/// Name of the request's file in a run directory; without it the request is [`Request::Run`].
pub const FILE: &str = "control";

/// What a run should do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// Explore.
    #[default]
    Run,
    /// Wait, with everything kept in memory, until another request.
    Pause,
    /// End as after SIGTERM: checkpoint, evaluation, pictures.
    Stop,
}

impl Request {
    /// The word for the file.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Stop => "stop",
        }
    }

    /// The inverse of [`word`](Self::word).
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Run, Self::Pause, Self::Stop].into_iter().find(|request| request.word() == word)
    }
}

/// Sends a request to the run in `dir`, live or not; the latest request counts.
///
/// # Errors
/// `Disk`.
pub fn write_request(fs: &dyn Fs, dir: &Path, request: Request) -> Result<()> {
    write_atomic(fs, &dir.join(FILE), format!("{}\n", request.word()).as_bytes())
}

/// Removes a request that was meant for an earlier process.
pub fn clear_request(fs: &dyn Fs, dir: &Path) {
    let _ = fs.remove(&dir.join(FILE)); // best effort
}

/// The present request; `Run` where there is none, or the word is unknown.
#[must_use]
pub fn read_request(fs: &dyn Fs, dir: &Path) -> Request {
    let word = fs.read(&dir.join(FILE)).unwrap_or_default();
    Request::of(String::from_utf8_lossy(trimmed(&word)).trim()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::store::fs::DiskFs;

    #[test]
    fn the_latest_request_counts_and_unknown_words_do_not() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_request(&DiskFs, dir.path()), Request::Run);
        for request in [Request::Pause, Request::Stop, Request::Run] {
            write_request(&DiskFs, dir.path(), request).unwrap();
            assert_eq!(read_request(&DiskFs, dir.path()), request);
        }
        for (saved, request) in
            [("stop\r\n", Request::Stop), ("\u{feff}pause", Request::Pause), (" run \n\n", Request::Run)]
        {
            write_atomic(&DiskFs, &dir.path().join(FILE), saved.as_bytes()).unwrap();
            assert_eq!(read_request(&DiskFs, dir.path()), request, "{saved:?}");
        }
        for noise in ["Stop", "stop now", "\u{ff}", ""] {
            write_atomic(&DiskFs, &dir.path().join(FILE), noise.as_bytes()).unwrap();
            assert_eq!(read_request(&DiskFs, dir.path()), Request::Run, "{noise:?}");
        }
    }
}
