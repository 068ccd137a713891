//! Errors of the disk as errors of the program, one sentence each. The kind depends on whether free space or time may
//! help.

use std::io;
use std::path::Path;

use super::{Fs, parent_of};
use crate::error::{Error, Result, is_permanent};
use crate::format::bytes;

/// Checks that the disk of `dir` has room for `needed` more bytes; `dir` need not exist yet.
///
/// # Errors
/// [`Error::Disk`] where there is less room, or the free space cannot be queried.
pub fn enough_disk(fs: &dyn Fs, dir: &Path, needed: u64) -> Result<()> {
    let mut at = dir;
    let free = loop {
        match fs.free_bytes(at) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && at != Path::new(".") => at = parent_of(at),
            known => break known.map_err(|e| disk_error("query the free space of", at, &e))?,
        }
    };
    let [has, wants] = [free, needed].map(|n| bytes(n as f64));
    let way = "make room, choose another --out, or fewer run.steps";
    let refuse = || Error::Disk(format!("{}: {has} are free and the run needs about {wants}; {way}", dir.display()));
    if free < needed { Err(refuse()) } else { Ok(()) }
}

/// The error for a change that the disk refused: [`Error::Disk`]; [`Error::Usage`] where neither free space nor time
/// will help; [`Error::Lost`] or [`Error::Busy`] where the run's directory is gone or another run's.
#[must_use]
pub fn disk_error(verb: &str, path: &Path, e: &io::Error) -> Error {
    let failed = format!("could not {verb} {}: {e}", path.display());
    match e.get_ref().and_then(|cause| cause.downcast_ref()) {
        Some(Error::Lost(why)) => Error::Lost(why.clone()),
        Some(Error::Busy(why)) => Error::Busy(why.clone()),
        _ if is_permanent(e) => Error::Usage(format!("{failed}; {}", way_out(e))),
        _ => Error::Disk(format!("{failed}; {}", remedy(e, "make room or check the disk, then try again"))),
    }
}

/// Advice for a failure that may pass; `usual` if its cause is not known.
fn remedy<'a>(e: &io::Error, usual: &'a str) -> &'a str {
    match e.kind() {
        io::ErrorKind::NotFound => "it is gone: put it back",
        io::ErrorKind::ReadOnlyFilesystem => "mount it for writing",
        _ if e.raw_os_error() == Some(rustix::io::Errno::MFILE.raw_os_error()) => "raise `ulimit -n`",
        _ => usual,
    }
}

/// Advice for a failure that neither room nor time will mend.
fn way_out(e: &io::Error) -> &'static str {
    match e.kind() {
        io::ErrorKind::InvalidFilename => "give a shorter name",
        io::ErrorKind::PermissionDenied => "allow writing there, or give another directory",
        _ => "give another directory",
    }
}

/// The error for an existing file that was not read: [`Error::Usage`] where it may not be read, else [`Error::Disk`].
#[must_use]
pub fn read_error(path: &Path, e: &io::Error) -> Error {
    let path = path.display();
    let way = "allow this user to read it, or put a sound copy there";
    match e.kind() {
        io::ErrorKind::InvalidFilename => Error::Usage(format!("{path} cannot be read: {e}; give a shorter name")),
        io::ErrorKind::NotADirectory => Error::Usage(format!("{path} cannot be read: {e}; give another path")),
        _ if is_permanent(e) => Error::Usage(format!("{path} is not readable: {e}; {way}")),
        _ => Error::Disk(format!("{path} cannot be read now: {e}; {}", remedy(e, "check the disk, then try again"))),
    }
}
