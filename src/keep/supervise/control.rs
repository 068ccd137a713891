//! What is asked of a run from outside: pause, go on, stop, and nothing else. One word in the run's file `control`,
//! looked at between two episodes or updates; so whoever may write to the run's directory may ask, and nobody can steer.

use std::path::Path;

use crate::error::Result;
use crate::keep::store::fs::{Fs, write_atomic};

/// The request's name in a run directory; absent = [`Request::Run`].
pub const FILE: &str = "control";

/// What a run is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Request {
    /// Explore.
    #[default]
    Run,
    /// Stand still, with all it has in memory, until asked otherwise.
    Pause,
    /// End in order, as after SIGTERM: checkpoint, evaluation, pictures.
    Stop,
}

impl Request {
    /// The word in the file.
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

/// Asks the run in `dir`, live or not; the latest request counts.
///
/// # Errors
/// `Disk`.
pub fn write_request(fs: &dyn Fs, dir: &Path, request: Request) -> Result<()> {
    write_atomic(fs, &dir.join(FILE), format!("{}\n", request.word()).as_bytes())
}

/// Forgets what was asked of an earlier process.
pub fn clear_request(fs: &dyn Fs, dir: &Path) {
    let _ = fs.remove(&dir.join(FILE)); // it is looked at again
}

/// What is asked now; `Run` where nothing is, or nothing that is known.
#[must_use]
pub fn read_request(fs: &dyn Fs, dir: &Path) -> Request {
    let word = fs.read(&dir.join(FILE)).unwrap_or_default();
    Request::of(String::from_utf8_lossy(&word).trim()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::store::fs::DiskFs;

    #[test]
    fn the_latest_request_counts_and_noise_asks_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_request(&DiskFs, dir.path()), Request::Run);
        for request in [Request::Pause, Request::Stop, Request::Run] {
            write_request(&DiskFs, dir.path(), request).unwrap();
            assert_eq!(read_request(&DiskFs, dir.path()), request);
        }
        for noise in ["Stop", "stop now", "\u{ff}", ""] {
            write_atomic(&DiskFs, &dir.path().join(FILE), noise.as_bytes()).unwrap();
            assert_eq!(read_request(&DiskFs, dir.path()), Request::Run, "{noise:?}");
        }
    }
}
