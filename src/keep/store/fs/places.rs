//! Places that several processes may write to: whether this one may, one at a time, and a new directory for each.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::{Fs, disk_error, names_in, parent_of, write_atomic};
use crate::error::Result;

/// Names the newest of numbered directories, as `checkpoints/last` does.
const LAST: &str = "last";

/// Asks whether this process may make files in `dir`, or make `dir` where it does not exist. Writes nothing.
///
/// # Errors
/// The system's: `PermissionDenied`, `ReadOnlyFilesystem`, `NotADirectory`.
pub fn may_write(dir: &Path) -> io::Result<()> {
    let mut at = dir;
    loop {
        match std::fs::metadata(at) {
            Err(e) if e.kind() == ErrorKind::NotFound && at != Path::new(".") => at = parent_of(at),
            Ok(facts) if !facts.is_dir() => return Err(ErrorKind::NotADirectory.into()),
            facts => return facts.and_then(|_| Ok(rustix::fs::access(at, Access::WRITE_OK | Access::EXEC_OK)?)),
        }
    }
}

/// Waits for the exclusive lock on `dir`; it is held until the returned value is dropped. For processes that replace files
/// of the same names. `None` if the file system has no such locks, or there is no such directory.
#[must_use]
pub fn lock_exclusively(dir: &Path) -> Option<File> {
    let handle = File::open(dir).ok()?;
    handle.lock().ok().map(|()| handle)
}

/// Makes a directory in `parent` that no other process has: `000001`, or the number after the highest.
///
/// # Errors
/// As [`disk_error`].
pub fn next_numbered(fs: &dyn Fs, parent: &Path) -> Result<PathBuf> {
    fs.create_dir(parent).map_err(|e| disk_error("create", parent, &e))?;
    let highest = names_in(fs, parent)?.iter().filter_map(|name| name.parse::<u64>().ok()).max();
    let mut number = highest.unwrap_or(0).saturating_add(1);
    loop {
        let dir = parent.join(format!("{number:06}"));
        match fs.make_dir(&dir) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => number = number.saturating_add(1),
            made => return made.map(|()| dir.clone()).map_err(|e| disk_error("create", &dir, &e)),
        }
    }
}

/// Names `dir` in its parent's file `last`, unless a higher number is there.
///
/// # Errors
/// As [`write_atomic`].
pub fn name_last(fs: &dyn Fs, dir: &Path) -> Result<()> {
    let (parent, name) = (parent_of(dir), dir.file_name().unwrap_or_default().to_string_lossy());
    let _alone = lock_exclusively(parent);
    let before = fs.read(&parent.join(LAST)).unwrap_or_default();
    if String::from_utf8_lossy(&before).trim().parse::<u64>().ok() > name.parse().ok() {
        return Ok(());
    }
    write_atomic(fs, &parent.join(LAST), format!("{name}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::store::fs::DiskFs;

    #[test]
    fn each_of_many_has_a_directory_of_its_own_and_last_is_the_highest() {
        let dir = tempfile::tempdir().unwrap();
        let parent = dir.path().join("eval/pictures");
        let one = || {
            let made = next_numbered(&DiskFs, &parent).unwrap();
            name_last(&DiskFs, &made).unwrap();
            made
        };
        let mut made: Vec<PathBuf> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| (0..5).map(|_| one()).collect::<Vec<_>>())).collect();
            all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        made.sort();
        assert_eq!(made, (1..=40).map(|n| parent.join(format!("{n:06}"))).collect::<Vec<_>>());
        assert_eq!(std::fs::read_to_string(parent.join(LAST)).unwrap(), "000040\n");
    }

    #[test]
    fn what_is_no_directory_takes_no_files() {
        let dir = tempfile::tempdir().unwrap();
        assert!(may_write(dir.path()).is_ok() && may_write(&dir.path().join("new/one")).is_ok());
        std::fs::File::create(dir.path().join("file")).unwrap();
        for place in ["file", "file/below"] {
            let refusal = may_write(&dir.path().join(place)).unwrap_err();
            assert_eq!(refusal.kind(), ErrorKind::NotADirectory, "{place}");
        }
        assert!(lock_exclusively(&dir.path().join("absent")).is_none());
    }
}
