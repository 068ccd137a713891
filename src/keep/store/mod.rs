//! The episodes of a run directory: one immutable shard file per episode, and a journal with one line per episode. A
//! commit writes the shard (temporary file, fsync, rename, fsync of the directory), then appends the journal line
//! (fsync). An episode is committed once its line is on the disk, so a crash leaves it committed whole or not at all.

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
pub use open::has_no_writer;
use run_lock::{GuardedFs, RunLock};
pub(crate) use seal::{seal, unseal_versioned};
pub use shard::ShardRoot;

/// The file that makes a directory a run: the run's identity, with a check sum.
pub const RUN_FILE: &str = "run.json";
/// The file that the writing process locks; the system releases the lock when that process ends, in any way.
const LOCK_FILE: &str = "lock";
const FORMAT_VERSION: u64 = 1;
/// Files that are written before `run.json`.
pub const BEGINNING: [&str; 5] = ["config.toml", "provenance.json", "metrics.csv", "env.json", "serve.token"];

/// A file whose content is not what was written.
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

/// Result of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// A shard of this episode existed from before a [`Store::cut_back`], with other bytes: the run did not repeat
    /// exactly.
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
    /// The lock, if the run is open for writing.
    lock: Option<Arc<RunLock>>,
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

    /// The identity of this run.
    #[must_use]
    pub fn root(&self) -> &ShardRoot {
        &self.root
    }

    /// The committed episodes, in order; line `i` is episode `i` unless the journal is [`damaged`](Self::damaged).
    #[must_use]
    pub fn lines(&self) -> &[JournalLine] {
        &self.lines
    }

    /// Damaged journal lines found when the run was opened; always empty in a store open for writing.
    #[must_use]
    pub fn damaged(&self) -> &[Damage] {
        &self.damage
    }

    /// The file system for every file of the run. If the run is open for writing, it refuses changes once the directory
    /// was moved or belongs to another run.
    #[must_use]
    pub fn fs(&self) -> Arc<dyn Fs> {
        Arc::clone(&self.fs)
    }

    /// Checks that this process still owns the directory; always `Ok` in a store open for reading.
    ///
    /// # Errors
    /// [`Error::Lost`](crate::error::Error::Lost) where it is gone or was moved;
    /// [`Error::Busy`](crate::error::Error::Busy) where another run has its place.
    pub fn still_ours(&self) -> Result<()> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.still_ours())
    }

    /// The directory's present path, also after it was moved; `None` if it was removed.
    #[must_use]
    pub fn current_dir(&self) -> Option<PathBuf> {
        self.lock.as_ref().map_or_else(|| Some(self.dir.clone()), |lock| lock.current_dir())
    }

    /// Uses the directory's present path from now on, to write the last events of a run that was moved. `false` if the
    /// directory no longer exists.
    pub fn follow(&mut self) -> bool {
        let Some((dir, lock)) = self.current_dir().zip(self.lock.as_ref()) else { return false };
        let Ok(lock) = lock.moved_to(dir.clone()).map(Arc::new) else { return false };
        self.fs = GuardedFs::over(Arc::new(fs::DiskFs), &lock);
        (self.dir, self.lock) = (dir, Some(lock));
        true
    }
}
