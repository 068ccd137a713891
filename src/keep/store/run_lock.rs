//! Whose a run's directory is: it and its lock are held open, and before every change they must still be those at its path.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fs::{DurableFile, Fs, disk_error, is_same_file};
use super::{LOCK_FILE, RUN_FILE};
use crate::error::{Error, Result};

/// A directory that this process alone writes to, for as long as this value lives.
#[derive(Debug)]
pub struct RunLock {
    dir: PathBuf,
    handle: File,
    lock: File,
    /// Whether the lock may be missing: for the last words of a run whose lock was removed.
    without_lock: bool,
}

impl RunLock {
    /// Locks `dir`, which exists, for this process; the system frees the lock when the process ends, however it ends.
    ///
    /// # Errors
    /// [`Error::Busy`] where a live process holds it; as [`disk_error`].
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
            Err(TryLockError::Error(e)) => return Err(disk_error("lock", &path, &e)),
        }
        let home = Self { dir: dir.to_owned(), handle, lock, without_lock: false };
        home.still_ours()?; // it may have been moved between the two
        Ok(home)
    }

    /// Refuses where the directory that was taken, or its lock, is not the one at its path any more.
    ///
    /// # Errors
    /// [`Error::Lost`] where it is gone or was moved; [`Error::Busy`] where another run has its place.
    pub fn still_ours(&self) -> Result<()> {
        match self.check().map_err(|e| disk_error("look at", &self.dir, &e)) {
            Err(lost @ (Error::Lost(_) | Error::Busy(_))) => Err(lost),
            _ => Ok(()), // what cannot be looked at now is for the next write to find out
        }
    }

    /// Where the system says that the directory is now; `None` where it was removed, or the system does not tell.
    #[must_use]
    pub fn place(&self) -> Option<PathBuf> {
        if is_same_file(&self.handle, &self.dir).is_ok_and(|here| here) {
            return Some(self.dir.clone());
        }
        let now = fs::read_link(format!("/proc/self/fd/{}", self.handle.as_raw_fd())).ok()?;
        is_same_file(&self.handle, &now).is_ok_and(|there| there).then_some(now)
    }

    /// The same directory, at the path where it is now, for last words: its lock may be missing there, but no other's.
    ///
    /// # Errors
    /// The system's.
    pub fn moved_to(&self, dir: PathBuf) -> io::Result<Self> {
        Ok(Self { dir, handle: self.handle.try_clone()?, lock: self.lock.try_clone()?, without_lock: true })
    }

    /// [`still_ours`](Self::still_ours) as an error of the disk, which [`disk_error`] takes back.
    fn check(&self) -> io::Result<()> {
        let lock = self.dir.join(LOCK_FILE);
        let here = is_same_file(&self.handle, &self.dir)?;
        if here && (is_same_file(&self.lock, &lock)? || self.without_lock && !lock.exists()) {
            return Ok(());
        }
        let taken = lock.exists() || !here && self.dir.join(RUN_FILE).exists();
        let place = self.place().filter(|place| *place != self.dir);
        let now = place.map_or(String::new(), |place| format!(" to {}", place.display()));
        let what = if here { &lock } else { &self.dir }.display();
        let way = "nothing more is written there; resume the run where it is now";
        Err(io::Error::other(match taken {
            true => Error::Busy(format!("{what} is another run's now, this one's is gone or was moved{now}: {way}")),
            false => Error::Lost(format!("{what} is gone or was moved{now}: {way}")),
        }))
    }
}

/// The disk of a run: changes nothing once its directory is not this process's any more.
pub struct GuardedFs {
    disk: Arc<dyn Fs>,
    home: Arc<RunLock>,
}

impl GuardedFs {
    /// `disk`, for the run in `home`.
    pub fn over(disk: Arc<dyn Fs>, home: &Arc<RunLock>) -> Arc<dyn Fs> {
        Arc::new(Self { disk, home: Arc::clone(home) })
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
        self.home.check()?;
        self.disk.make_dir(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        self.home.check()?;
        self.disk.create(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        self.home.check()?;
        self.disk.open_append(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.home.check()?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.home.check()?;
        self.disk.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.home.check()?;
        self.disk.sync_dir(dir)
    }

    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()> {
        self.home.check()?;
        self.disk.reserve(path, bytes)
    }
}
