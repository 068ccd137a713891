//! A run directory's episodes: one immutable shard each, and a journal line that makes it count.
//! Commit = shard (temporary, fsync, rename, fsync of the directory), then journal line (append, fsync): whole or absent.

mod commit;
mod create;
#[cfg(test)]
pub(crate) mod faulty;
pub mod fs;
pub mod journal;
mod open;
mod read;
mod rebuild;
mod run_lock;
mod seal;
pub mod shard;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Result;
pub use create::refuse_if_used;
use fs::Fs;
pub use journal::{CommitCounters, JournalLine};
pub use open::is_free;
use run_lock::{GuardedFs, RunLock};
pub(crate) use seal::{seal, unseal_versioned};
pub use shard::ShardRoot;

/// What makes a directory a run: which one it is, sealed.
pub const RUN_FILE: &str = "run.json";
/// Held by the process that writes to the run; the system frees it when that process ends, however it ends.
const LOCK_FILE: &str = "lock";
const FORMAT_VERSION: u64 = 1;
/// Files that may be there before `run.json` is.
pub const BEGINNING: [&str; 5] = ["config.toml", "provenance.json", "metrics.csv", "env.json", "serve.token"];

/// A file that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Relative to the run directory.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file, self.why)
    }
}

/// What a commit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// A shard of this episode was there from before a [`Store::cut_back`], with other bytes: the run did not repeat itself.
    pub diverged: bool,
}

/// An open run directory.
pub struct Store {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    root: ShardRoot,
    lines: Vec<JournalLine>,
    damage: Vec<Damage>,
    torn: bool,
    /// Of one that is open for writing.
    home: Option<Arc<RunLock>>,
}

#[derive(Serialize, Deserialize)]
struct RunFile {
    format_version: u64,
    #[serde(flatten)]
    root: ShardRoot,
}

impl Store {
    /// The run directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Which run this is.
    #[must_use]
    pub fn root(&self) -> &ShardRoot {
        &self.root
    }

    /// The committed episodes, in order; line `i` is episode `i` unless the journal is [`damaged`](Self::damaged).
    #[must_use]
    pub fn lines(&self) -> &[JournalLine] {
        &self.lines
    }

    /// Damaged journal lines, found when the run was opened; always empty in a store open for writing.
    #[must_use]
    pub fn damaged(&self) -> &[Damage] {
        &self.damage
    }

    /// The disk for every file of the run: guarded, where it is open for writing, against another run in its place.
    #[must_use]
    pub fn fs(&self) -> Arc<dyn Fs> {
        Arc::clone(&self.fs)
    }

    /// Refuses where the directory is not this process's any more; of one open for reading, nothing.
    ///
    /// # Errors
    /// [`Error::Lost`](crate::error::Error::Lost) where it is gone or was moved;
    /// [`Error::Busy`](crate::error::Error::Busy) where another run has its place.
    pub fn still_ours(&self) -> Result<()> {
        self.home.as_ref().map_or(Ok(()), |home| home.still_ours())
    }

    /// Where the directory is now, however it got there; `None` where it was removed.
    #[must_use]
    pub fn home(&self) -> Option<PathBuf> {
        self.home.as_ref().map_or_else(|| Some(self.dir.clone()), |home| home.place())
    }

    /// Goes on in the directory where it is now, for the last words of a run that was moved. Whether it is anywhere.
    pub fn follow(&mut self) -> bool {
        let Some((place, home)) = self.home().zip(self.home.as_ref()) else { return false };
        let Ok(home) = home.moved_to(place.clone()).map(Arc::new) else { return false };
        self.fs = GuardedFs::over(Arc::new(fs::DiskFs), &home);
        (self.dir, self.home) = (place, Some(home));
        true
    }
}
