//! File system access for durable files. All of it goes through the trait [`Fs`], so it can be guarded, and tests can
//! inject failures.

mod atomic;
mod disk;
mod errors;
mod places;
mod text;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

pub use atomic::{is_same_file, is_temporary, names_in, parent_of, read_if_there, sweep, temporary_of, write_atomic};
pub use disk::DiskFs;
pub use errors::{disk_error, enough_disk, read_error};
pub use places::{lock_exclusively, may_write, name_last, next_numbered};
pub use text::{MARK, from_json, trimmed};

/// The operations that durable files need. The disk may fail at each change; reading uses the operating system
/// directly.
pub trait Fs: Send + Sync {
    /// The whole content of a file.
    ///
    /// # Errors
    /// An error of the operating system.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    /// Names in a directory, sorted.
    ///
    /// # Errors
    /// An error of the operating system.
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
    /// An error of the operating system.
    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Creates a directory whose parent exists; its name is not durable before `sync_dir`.
    ///
    /// # Errors
    /// An error of the operating system, also if it exists.
    fn make_dir(&self, dir: &Path) -> io::Result<()>;

    /// Creates a new file and opens it for writing.
    ///
    /// # Errors
    /// An error of the operating system, also if it exists.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>>;

    /// Opens an existing file for appending.
    ///
    /// # Errors
    /// An error of the operating system.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DurableFile>>;

    /// Moves a file over another, or a directory to a free name, atomically.
    ///
    /// # Errors
    /// An error of the operating system.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file, or a directory and its content; `Ok` if there is none.
    ///
    /// # Errors
    /// An error of the operating system.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// An error of the operating system.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Creates a file of `bytes` bytes to reserve space; removing it frees the space.
    ///
    /// # Errors
    /// An error of the operating system, `Unsupported` where the file system cannot do it; a part of the file may then
    /// exist.
    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()>;

    /// Creates a directory and its missing parents, each durable; `Ok` if it exists.
    ///
    /// # Errors
    /// An error of the operating system.
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        if dir.as_os_str().is_empty() || dir.is_dir() {
            return Ok(());
        }
        let parent = parent_of(dir);
        self.create_dir(parent)?;
        match self.make_dir(dir) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(io::ErrorKind::NotADirectory.into()),
            made => made,
        }?;
        self.sync_dir(parent)
    }

    /// Creates a new file with this content, which is on the disk when this returns; its name is not, see `sync_dir`.
    ///
    /// # Errors
    /// An error of the operating system; a part of the file may exist then.
    fn write_new_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.create(path)?;
        file.write(bytes)?;
        file.sync()
    }

    /// Appends bytes to an existing file; they are on the disk when this returns.
    ///
    /// # Errors
    /// An error of the operating system; a part of the bytes may be there then.
    fn append_synced(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.open_append(path)?;
        file.write(bytes)?;
        file.sync()
    }
}

/// A file that is being written. After a failed sync it must not be used further: the system may have dropped its data.
pub trait DurableFile {
    /// Appends all of `bytes`.
    ///
    /// # Errors
    /// An error of the operating system; a part of the bytes may be there then.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    ///
    /// # Errors
    /// An error of the operating system.
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
