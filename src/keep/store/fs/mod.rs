//! The only door to the disk for durable files: everything goes through [`Fs`], so that it can be guarded, and tests can
//! fail it.

mod atomic;
mod disk;
mod errors;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

pub use atomic::{is_same_file, is_temporary, names_in, parent_of, read_if_there, sweep, temporary_of, write_atomic};
pub use disk::DiskFs;
pub use errors::{disk_error, enough_disk, read_error};

/// The operations durable files need; each change is one point at which the disk may fail. Reading is as the system does it.
pub trait Fs: Send + Sync {
    /// The whole content of a file.
    ///
    /// # Errors
    /// The system's.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    /// Names in a directory, sorted.
    ///
    /// # Errors
    /// The system's.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let mut names = fs::read_dir(dir)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        Ok(names)
    }

    /// Bytes an unprivileged program may still write on the disk that holds `dir`.
    ///
    /// # Errors
    /// The system's.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// A directory whose parent exists; its name is not durable yet.
    ///
    /// # Errors
    /// The system's, also where there is one.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;

    /// A file that did not exist, open for writing.
    ///
    /// # Errors
    /// The system's, also where there is one.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>>;

    /// A file that exists, open at its end.
    ///
    /// # Errors
    /// The system's.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DurableFile>>;

    /// Moves a file over another, or a directory to a free name, atomically.
    ///
    /// # Errors
    /// The system's.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, or a directory with all it holds; absent is fine.
    ///
    /// # Errors
    /// The system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// The system's.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// A file of `bytes` that nobody reads: room that is given back by removing it.
    ///
    /// # Errors
    /// The system's, `Unsupported` where the file system cannot; a part of the file may exist then.
    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()>;

    /// A directory with its missing parents, each made durable; one that exists is fine.
    ///
    /// # Errors
    /// The system's.
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.as_os_str().is_empty() || dir.is_dir() {
            return Ok(());
        }
        let parent = parent_of(dir);
        self.create_dir(parent)?;
        match self.make_dir(dir) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            made => made,
        }?;
        self.sync_dir(parent)
    }

    /// A file that did not exist, its content on the disk when this returns (its name is not: see `sync_dir`).
    ///
    /// # Errors
    /// The system's; a part of the file may exist then.
    fn write_new_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.create(path)?;
        file.write(bytes)?;
        file.sync()
    }

    /// Bytes at the end of a file that exists, on the disk when this returns.
    ///
    /// # Errors
    /// The system's; a part of the bytes may be there then.
    fn append_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.open_append(path)?;
        file.write(bytes)?;
        file.sync()
    }
}

/// A file that is being written. One whose sync has failed is given up: the system may have dropped what it held.
pub trait DurableFile {
    /// All of `bytes`, at the end.
    ///
    /// # Errors
    /// The system's; a part of them may be there then.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Puts on the disk what was written.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self) -> io::Result<()>;
}

impl DurableFile for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}
