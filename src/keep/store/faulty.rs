//! A file system for tests that fails at its n-th change; a failing write leaves half of its bytes, as after a crash.
//! It does not sync: that would not change the tests, and would take most of their time.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, atomic::AtomicI64, atomic::Ordering::SeqCst};

use super::fs::{DiskFs, DurableFile, Fs};

/// A file system that fails at a chosen change.
pub(crate) struct FaultyFs {
    /// Changes left before the failure; negative: it has failed.
    left: Arc<AtomicI64>,
    /// Whether it fails from then on, not only once.
    lasting: bool,
    /// Free bytes that it reports; below 0 the query fails.
    pub(crate) free: i64,
}

impl FaultyFs {
    /// A file system that works until [`arm`](Self::arm) is called.
    pub(crate) fn new(lasting: bool) -> Self {
        Self { left: Arc::new(AtomicI64::new(i64::MAX)), lasting, free: i64::MAX }
    }

    /// Fails after `n` more changes.
    pub(crate) fn arm(&self, n: i64) {
        self.left.store(n, SeqCst);
    }

    /// Makes it work again; whether it had failed.
    pub(crate) fn heal(&self) -> bool {
        self.left.swap(i64::MAX, SeqCst) < 0
    }

    fn change(&self) -> io::Result<()> {
        change(&self.left, self.lasting)
    }

    fn file(&self, file: File) -> Box<dyn DurableFile> {
        Box::new(FaultyFile { file, left: Arc::clone(&self.left), lasting: self.lasting })
    }
}

fn change(left: &AtomicI64, lasting: bool) -> io::Result<()> {
    let left = left.fetch_sub(1, SeqCst);
    let fails = if lasting { left <= 0 } else { left == 0 };
    if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

/// A file on a [`FaultyFs`].
struct FaultyFile {
    file: File,
    left: Arc<AtomicI64>,
    lasting: bool,
}

impl DurableFile for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let outcome = change(&self.left, self.lasting);
        let taken = if outcome.is_ok() { bytes } else { &bytes[..bytes.len() / 2] };
        self.file.write_all(taken)?;
        outcome
    }
    fn sync(&mut self) -> io::Result<()> {
        change(&self.left, self.lasting)
    }
}

impl Fs for FaultyFs {
    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        DiskFs.free_bytes(dir)?;
        u64::try_from(self.free).map_err(|_| io::ErrorKind::Unsupported.into())
    }
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.change()?;
        fs::create_dir(dir)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        self.change()?;
        Ok(self.file(File::create_new(path)?))
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        Ok(self.file(File::options().append(true).open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change()?;
        DiskFs.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change()?;
        DiskFs.remove(path)
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        self.change()
    }
    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()> {
        self.change()?;
        DiskFs.reserve(path, bytes)
    }
}
