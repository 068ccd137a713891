//! What the disk refuses, as errors of the program: one sentence each, by whether room or time may help.

use std::io;
use std::path::Path;

use super::{Fs, parent_of};
use crate::error::{Error, Result, is_permanent};
use crate::format::bytes;

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

/// One sentence for a change the disk refused: [`Error::Disk`]; [`Error::Usage`] where no room and no time will help;
/// [`Error::Lost`] or [`Error::Busy`] where the directory is gone or another run's.
#[must_use]
pub fn disk_error(verb: &str, path: &Path, e: &io::Error) -> Error {
    let failed = format!("could not {verb} {}: {e}", path.display());
    match e.get_ref().and_then(|cause| cause.downcast_ref()) {
        Some(Error::Lost(why)) => Error::Lost(why.clone()),
        Some(Error::Busy(why)) => Error::Busy(why.clone()),
        _ if is_permanent(e) => Error::Usage(format!("{failed}; let it be written there, or give another directory")),
        _ if e.kind() == io::ErrorKind::NotFound => Error::Disk(format!("{failed}; it is gone: put it back")),
        _ => Error::Disk(format!("{failed}; make room or check the disk, then resume")),
    }
}

/// One sentence for what is there and was not read: [`Error::Usage`] where it may not be, else [`Error::Disk`].
#[must_use]
pub fn unread(path: &Path, e: &io::Error) -> Error {
    let path = path.display();
    if is_permanent(e) {
        return Error::Usage(format!("{path} may not be read: {e}; let this user read it, or put a sound copy there"));
    }
    Error::Disk(format!("{path} cannot be read now: {e}; check the disk, then try again"))
}
