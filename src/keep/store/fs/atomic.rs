//! Whole files:  new content = temporary file, fsync, rename, fsync of the directory. A reader sees the old content or the
//! new, never a mix.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Fs, disk_error, read_error};
use crate::error::{Error, Result};

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
/// As [`read_error`].
pub fn names_in(fs: &dyn Fs, dir: &Path) -> Result<Vec<String>> {
    match fs.list(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        listed => listed.map_err(|e| read_error(dir, &e)),
    }
}

/// The whole content of a file; `None` where there is none. What could not be read is not known to be damaged.
///
/// # Errors
/// As [`read_error`].
pub fn read_if_there(fs: &dyn Fs, path: &Path) -> Result<Option<Vec<u8>>> {
    match fs.read(path) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        read => read.map(Some).map_err(|e| read_error(path, &e)),
    }
}

/// Whether what was opened is what the path leads to now.
///
/// # Errors
/// The system's, but for what is not there.
pub fn is_same_file(open: &File, path: &Path) -> io::Result<bool> {
    let ours = open.metadata()?;
    match std::fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (ours.dev(), ours.ino())),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(e) => Err(e),
    }
}

/// The directory that holds `path`, `.` for a bare name.
#[must_use]
pub fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
