//! Ownership of a run directory: the directory and its lock file are kept open. Before every change, both must still be
//! the ones at the run's path.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fs::{DurableFile, Fs, disk_error, is_same_file};
use super::{LOCK_FILE, RUN_FILE};
use crate::error::{Error, Result};

/// A directory that only this process writes to, as long as this value exists.
#[derive(Debug)]
pub struct RunLock {
    dir: PathBuf,
    handle: File,
    lock: File,
    /// Whether the lock file may be missing: to write the last events of a run whose lock file was removed.
    without_lock: bool,
}

impl RunLock {
    /// Locks `dir`, which must exist, for this process; the system releases the lock when the process ends, in any way.
    ///
    /// # Errors
    /// [`Error::Busy`] where a live process holds the lock; otherwise as [`disk_error`].
    pub fn acquire(dir: &Path) -> Result<Self> {
        let handle = File::open(dir).map_err(|e| disk_error("open", dir, &e))?;
        let path = dir.join(LOCK_FILE);
        let lock = File::options().create(true).truncate(false).write(true).open(&path);
        let lock = lock.map_err(|e| disk_error("open", &path, &e))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let way = "wait for it, stop it, or use a reading verb";
                return Err(Error::Busy(format!("another process is writing to {}: {way}", dir.display())));
            }
            Err(TryLockError::Error(e)) => {
                let way = "this file system may have no locks: give a directory on a local disk";
                return Err(Error::Disk(format!("could not lock {}: {e}; {way}", path.display())));
            }
        }
        let owned = Self { dir: dir.to_owned(), handle, lock, without_lock: false };
        owned.still_ours()?; // it may have been moved between the two calls to `open`
        Ok(owned)
    }

    /// Checks that the locked directory and its lock file are still the ones at its path.
    ///
    /// # Errors
    /// [`Error::Lost`] where it was removed or moved; [`Error::Busy`] where another run is there now.
    pub fn still_ours(&self) -> Result<()> {
        match self.check().map_err(|e| disk_error("check", &self.dir, &e)) {
            Err(lost @ (Error::Lost(_) | Error::Busy(_))) => Err(lost),
            _ => Ok(()), // it cannot be checked now: the next write reports the error
        }
    }

    /// The directory's present path; `None` if it was removed, or the system does not report it.
    #[must_use]
    pub fn current_dir(&self) -> Option<PathBuf> {
        if is_same_file(&self.handle, &self.dir).is_ok_and(|here| here) {
            return Some(self.dir.clone());
        }
        let now = fs::read_link(format!("/proc/self/fd/{}", self.handle.as_raw_fd())).ok()?;
        is_same_file(&self.handle, &now).is_ok_and(|there| there).then_some(now)
    }

    /// The same directory at its new path `dir`, to write the last events. Its lock file may be missing there, but
    /// there must be no lock file of another run.
    ///
    /// # Errors
    /// Any error of the operating system.
    pub fn moved_to(&self, dir: PathBuf) -> io::Result<Self> {
        Ok(Self { dir, handle: self.handle.try_clone()?, lock: self.lock.try_clone()?, without_lock: true })
    }

    /// As [`still_ours`](Self::still_ours), with the error inside an `io::Error`, from which [`disk_error`] takes it.
    fn check(&self) -> io::Result<()> {
        let lock = self.dir.join(LOCK_FILE);
        let here = is_same_file(&self.handle, &self.dir)?;
        if here && (is_same_file(&self.lock, &lock)? || self.without_lock && !lock.exists()) {
            return Ok(());
        }
        let taken = lock.exists() || !here && self.dir.join(RUN_FILE).exists();
        let moved = self.current_dir().filter(|dir| *dir != self.dir);
        let now = moved.map_or(String::new(), |dir| format!(" to {}", dir.display()));
        let what = if here { &lock } else { &self.dir }.display();
        let way = "nothing more is written there; resume the run where it is now";
        Err(io::Error::other(match taken {
            true => {
                Error::Busy(format!("{what} is another run's now, this run's own is gone or was moved{now}: {way}"))
            }
            false => Error::Lost(format!("{what} is gone or was moved{now}: {way}")),
        }))
    }
}

/// The file system of a run: refuses every change once this process no longer owns the directory.
pub struct GuardedFs {
    disk: Arc<dyn Fs>,
    lock: Arc<RunLock>,
}

impl GuardedFs {
    /// `disk`, guarded by `lock`.
    pub fn over(disk: Arc<dyn Fs>, lock: &Arc<RunLock>) -> Arc<dyn Fs> {
        Arc::new(Self { disk, lock: Arc::clone(lock) })
    }
}

impl Fs for GuardedFs {
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        self.disk.read(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.disk.free_bytes(dir)
    }

    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.lock.check()?;
        self.disk.make_dir(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        self.lock.check()?;
        self.disk.create(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        self.lock.check()?;
        self.disk.open_append(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.lock.check()?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.lock.check()?;
        self.disk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.lock.check()?;
        self.disk.sync_dir(dir)
    }

    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()> {
        self.lock.check()?;
        self.disk.reserve(path, bytes)
    }
}
