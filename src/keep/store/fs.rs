//! The only door to the disk for durable files:  new content = temporary file, fsync, rename, fsync of the directory.
//! A reader sees the old content or the new, never a mix. Everything goes through [`Fs`], so that tests can fail it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::error::{Error, Result, lasts};
use crate::format::bytes;

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
    fn create(&self, path: &Path) -> io::Result<Box<dyn Durable>>;

    /// A file that exists, open at its end.
    ///
    /// # Errors
    /// The system's.
    fn extend(&self, path: &Path) -> io::Result<Box<dyn Durable>>;

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
        let mut file = self.extend(path)?;
        file.write(bytes)?;
        file.sync()
    }
}

/// A file that is being written. One whose sync has failed is given up: the system may have dropped what it held.
pub trait Durable {
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

impl Durable for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// The real disk.
#[derive(Clone, Copy, Debug)]
pub struct DiskFs;

impl Fs for DiskFs {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Durable>> {
        Ok(Box::new(File::create_new(path)?))
    }

    fn extend(&self, path: &Path) -> io::Result<Box<dyn Durable>> {
        Ok(Box::new(File::options().append(true).open(path)?))
    }

    #[expect(clippy::disallowed_methods, reason = "the one that `write_atomic` is made of")]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let removed = match fs::symlink_metadata(path) {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
            Ok(_) => fs::remove_file(path),
            Err(e) => Err(e),
        };
        removed.or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }

    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()> {
        let file = File::options().create(true).truncate(false).write(true).open(path)?;
        let reserved = rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes);
        reserved.map_err(|e| match e {
            rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS => io::ErrorKind::Unsupported.into(),
            other => other.into(),
        })
    }
}

/// Replaces the content of `path` whole: after a crash at any instant it is the old or the new one.
///
/// # Errors
/// [`Error::Disk`]; `path` holds the old content then, or the new one where only the last sync failed.
pub fn write_atomic(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = temporary_of(path)?;
    let replace = || {
        fs.remove(&temporary)?;
        fs.write_new_synced(&temporary, bytes)?;
        fs.rename(&temporary, path)?;
        fs.sync_dir(parent_of(path))
    };
    replace().map_err(|e| {
        let _ = fs.remove(&temporary); // gives the space back; a leftover is swept when the run is opened next
        disk_error("write", path, &e)
    })
}

/// The name in the same directory under which `path` is built: `.<name>.tmp`.
///
/// # Errors
/// [`Error::Usage`] where `path` ends in no name.
pub fn temporary_of(path: &Path) -> Result<std::path::PathBuf> {
    let name = path.file_name().ok_or_else(|| Error::Usage(format!("{} names no file: give one", path.display())))?;
    Ok(path.with_file_name(format!(".{}.tmp", name.to_string_lossy())))
}

/// Removes what a killed program left under temporary names in `dir`; a directory that does not exist holds none.
///
/// # Errors
/// [`Error::Disk`].
pub fn sweep(fs: &dyn Fs, dir: &Path) -> Result<()> {
    for name in names_in(fs, dir)?.iter().filter(|n| is_temporary(n)) {
        let path = dir.join(name);
        fs.remove(&path).map_err(|e| disk_error("remove", &path, &e))?;
    }
    Ok(())
}

/// Whether `name` is one that [`temporary_of`] gives.
#[must_use]
pub fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(".tmp")
}

/// Sorted names in `dir`; none where it does not exist.
///
/// # Errors
/// [`Error::Disk`].
pub fn names_in(fs: &dyn Fs, dir: &Path) -> Result<Vec<String>> {
    match fs.list(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|e| disk_error("list", dir, &e)),
    }
}

/// The directory that holds `path`, `.` for a bare name.
#[must_use]
pub fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses to begin what will not fit: `dir`, which need not exist yet, is to hold `needed` more bytes.
///
/// # Errors
/// [`Error::Disk`] where there is less room, or the disk does not tell.
pub fn enough_disk(fs: &dyn Fs, dir: &Path, needed: u64) -> Result<()> {
    let mut at = dir;
    let free = loop {
        match fs.free_bytes(at) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && at != Path::new(".") => at = parent_of(at),
            told => break told.map_err(|e| disk_error("ask for room at", at, &e))?,
        }
    };
    let [has, wants] = [free, needed].map(|n| bytes(n as f64));
    let way = "make room, choose another --out, or fewer run.steps";
    let refuse = || Error::Disk(format!("{}: {has} are free and the run needs about {wants}; {way}", dir.display()));
    if free < needed { Err(refuse()) } else { Ok(()) }
}

/// One sentence for an operation the disk refused; `Usage` where no room and no time will help.
#[must_use]
pub fn disk_error(verb: &str, path: &Path, e: &io::Error) -> Error {
    if lasts(e) {
        let way = "let it be written there, or give another directory";
        return Error::Usage(format!("could not {verb} {}: {e}; {way}", path.display()));
    }
    Error::Disk(format!("could not {verb} {}: {e}; make room or check the disk, then resume", path.display()))
}
