//! Atomic replacement of files: temporary file, fsync, rename, fsync of the directory. A reader sees either the old
//! content or the new.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::{Fs, disk_error, read_error};
use crate::error::{Error, Result};

/// Replaces the content of `path` atomically: after a crash at any moment it is either the old or the new content.
///
/// # Errors
/// As [`disk_error`]; `path` then has its old content, or the new one if only the last sync failed.
pub fn write_atomic(fs: &dyn Fs, path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = temporary_of(path)?;
    let replace = || {
        fs.remove(&temporary)?;
        fs.write_new_synced(&temporary, bytes)?;
        fs.rename(&temporary, path)?;
        fs.sync_dir(parent_of(path))
    };
    replace().map_err(|e| {
        let _ = fs.remove(&temporary); // frees the space; a leftover is removed when the run is opened next
        disk_error("write", path, &e)
    })
}

/// The temporary name, in the same directory, under which `path` is built: `.<name>.tmp`.
///
/// # Errors
/// [`Error::Usage`] where `path` does not end in a file name.
pub fn temporary_of(path: &Path) -> Result<std::path::PathBuf> {
    let name =
        path.file_name().ok_or_else(|| Error::Usage(format!("{} does not name a file: give one", path.display())))?;
    Ok(path.with_file_name(format!(".{}.tmp", name.to_string_lossy())))
}

/// Removes files and directories with temporary names in `dir`, left by a killed process; `dir` need not exist.
///
/// # Errors
/// As [`disk_error`].
pub fn sweep(fs: &dyn Fs, dir: &Path) -> Result<()> {
    for name in names_in(fs, dir)?.iter().filter(|n| is_temporary(n)) {
        let path = dir.join(name);
        fs.remove(&path).map_err(|e| disk_error("remove", &path, &e))?;
    }
    Ok(())
}

/// Whether `name` has the form that [`temporary_of`] gives.
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

/// The whole content of a file; `None` if it does not exist. A file that cannot be read is not reported as damaged.
///
/// # Errors
/// As [`read_error`].
pub fn read_if_there(fs: &dyn Fs, path: &Path) -> Result<Option<Vec<u8>>> {
    match fs.read(path) {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        read => read.map(Some).map_err(|e| read_error(path, &e)),
    }
}

/// Whether `path` now leads to the same file or directory as the open handle.
///
/// # Errors
/// An error of the operating system, except for a missing file.
pub fn is_same_file(open: &File, path: &Path) -> io::Result<bool> {
    let ours = open.metadata()?;
    match std::fs::metadata(path) {
        Ok(found) => Ok((found.dev(), found.ino()) == (ours.dev(), ours.ino())),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(e) => Err(e),
    }
}

/// The directory that contains `path`; `.` for a bare name.
#[must_use]
pub fn parent_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
