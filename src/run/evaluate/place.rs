//! Where the results of an evaluation go. No earlier results are replaced, but those of the same attempts by the same
//! checkpoint.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, Fs, disk_error, may_write, name_last, names_in, next_numbered};

/// Where they go.
pub enum Place {
    /// A directory that the user names, new or empty.
    Given(PathBuf),
    /// The run's evaluation at a checkpoint: every call gives the same files.
    OfTheRun(PathBuf),
    /// A new directory in this one.
    NewIn(PathBuf),
}

impl Place {
    /// Whether results can be saved there; asked before the attempts. Says what to do where they cannot.
    ///
    /// # Errors
    /// `Usage` for a directory that the user names and that is in use or may not be written.
    pub fn usable(&self, warn: &mut dyn FnMut(&str)) -> Result<bool> {
        let refusal = may_write(self.dir()).err();
        let why = refusal.map(|e| format!("{}: the results cannot be saved there: {e}", self.dir().display()));
        match (self, why) {
            (Self::Given(_), Some(why)) => Err(Error::Usage(format!("--out {why}; name another directory"))),
            (Self::Given(out), None) => unused(out).map(|()| true),
            (_, Some(why)) => {
                warn(&format!("{why}; --out DIR saves them elsewhere"));
                Ok(false)
            }
            (_, None) => Ok(true),
        }
    }

    /// The directory, made where it does not exist.
    ///
    /// # Errors
    /// As [`disk_error`]; `Usage` where the user's is in use by now.
    pub fn make(&self) -> Result<PathBuf> {
        match self {
            Self::NewIn(parent) => next_numbered(&DiskFs, parent),
            Self::OfTheRun(dir) => Ok(dir.clone()),
            Self::Given(out) => {
                unused(out)?;
                DiskFs.create_dir(out).map_err(|e| disk_error("create", out, &e))?;
                Ok(out.clone())
            }
        }
    }

    /// What follows once all results are in `folder`.
    ///
    /// # Errors
    /// `Disk`.
    pub fn made(&self, folder: &Path) -> Result<()> {
        if let Self::NewIn(_) = self { name_last(&DiskFs, folder) } else { Ok(()) }
    }

    fn dir(&self) -> &Path {
        match self {
            Self::Given(dir) | Self::OfTheRun(dir) | Self::NewIn(dir) => dir,
        }
    }
}

fn unused(out: &Path) -> Result<()> {
    if names_in(&DiskFs, out)?.is_empty() {
        return Ok(());
    }
    Err(Error::Usage(format!("--out {} is not empty; name a new directory", out.display())))
}
