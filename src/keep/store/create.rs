//! Makes a directory a run. The order of its files ensures that a crash leaves either a run, or a directory in which
//! the run can be created again.

use std::path::Path;
use std::sync::Arc;

use super::fs::{self, DiskFs, Fs, disk_error, names_in, write_atomic};
use super::run_lock::{GuardedFs, RunLock};
use super::{BEGINNING, FORMAT_VERSION, LOCK_FILE, RUN_FILE, RunFile, ShardRoot, Store, journal, seal};
use crate::error::{Error, Result};

impl Store {
    /// Makes `dir` a run and opens it for writing. An existing `dir` must be empty.
    ///
    /// # Errors
    /// [`Error::Usage`] where `dir` is not empty; [`Error::Busy`], [`Error::Disk`].
    pub fn create(dir: &Path, root: ShardRoot) -> Result<Self> {
        Self::create_in(Arc::new(DiskFs), dir, root, &[])
    }

    /// As [`create`](Self::create), on the file system `fs`, and writes `files`, (name, text), out of [`BEGINNING`].
    /// `run.json` is written last: a directory with it is complete, and in one without it the run can be created again.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_in(fs: Arc<dyn Fs>, dir: &Path, root: ShardRoot, files: &[(&str, &str)]) -> Result<Self> {
        let episodes = dir.join("episodes");
        refuse_if_used(&*fs, dir)?;
        fs.create_dir(&episodes).map_err(|e| disk_error("create", &episodes, &e))?;
        let lock = Arc::new(RunLock::acquire(dir)?);
        let fs = GuardedFs::over(fs, &lock);
        refuse_if_used(&*fs, dir)?;
        write_atomic(&*fs, &dir.join(journal::FILE), b"")?;
        for (name, text) in files {
            write_atomic(&*fs, &dir.join(name), text.as_bytes())?;
        }
        let run = seal(&RunFile { format_version: FORMAT_VERSION, root: root.clone() })?;
        write_atomic(&*fs, &dir.join(RUN_FILE), run.as_bytes())?;
        Ok(Self { fs, dir: dir.to_owned(), root, lines: Vec::new(), damage: Vec::new(), torn: false, lock: Some(lock) })
    }
}

/// Refuses a directory that holds more than an interrupted `create` leaves: a lock, an empty journal, files of
/// [`BEGINNING`], no episodes.
///
/// # Errors
/// [`Error::Usage`], naming a file that is there; [`Error::Disk`].
pub fn refuse_if_used(fs: &dyn Fs, dir: &Path) -> Result<()> {
    if dir.is_symlink() && !dir.exists() {
        let way = "make what it links to, or give another directory";
        return Err(Error::Usage(format!("{} is a link to nothing: {way}", dir.display())));
    }
    if dir.exists() && !dir.is_dir() {
        return Err(Error::Usage(format!("{} is not a directory: give a new or empty one", dir.display())));
    }
    let begun = [LOCK_FILE, "episodes", journal::FILE];
    let own = |name: &&String| begun.iter().chain(&BEGINNING).any(|own| own == name) || fs::is_temporary(name);
    let names = names_in(fs, dir)?;
    let foreign = names.iter().find(|name| !own(name)).cloned();
    let episode = names_in(fs, &dir.join("episodes"))?.into_iter().next();
    foreign.or(episode).map_or(Ok(()), |name| {
        let (what, way) = match names.iter().any(|name| name == RUN_FILE) {
            true => ("", "give another directory, or `skewfit resume` this one"),
            false => (" and is no run", "give another directory"),
        };
        Err(Error::Usage(format!("{} is not empty ({name} is there){what}: {way}", dir.display())))
    })
}
