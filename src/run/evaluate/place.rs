//! The directory of an evaluation's results. Earlier results are replaced only by the same evaluation of the same
//! checkpoint.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, Fs, disk_error, may_write, name_last, names_in, next_numbered};

/// Where the results go.
pub enum Place {
    /// The user's directory, new or empty.
    Given(PathBuf),
    /// The run's evaluation at a checkpoint: each call writes the same files.
    OfTheRun(PathBuf),
    /// A new numbered directory in this one.
    NewIn(PathBuf),
}

impl Place {
    /// True if results can be saved; called before the attempts. If not, `warn` gets the reason and what to do.
    ///
    /// # Errors
    /// `Usage` if the user's directory is not empty or cannot be written.
    pub fn usable(&self, warn: &mut dyn FnMut(&str)) -> Result<bool> {
        let refusal = may_write(self.dir()).err();
        let why = refusal.map(|e| format!("{}: the results cannot be saved there: {e}", self.dir().display()));
        match (self, why) {
            (Self::Given(_), Some(why)) => Err(Error::Usage(format!("--out {why}; give another directory"))),
            (Self::Given(out), None) => unused(out).map(|()| true),
            (_, Some(why)) => {
                warn(&format!("{why}; --out DIR saves them elsewhere"));
                Ok(false)
            }
            (_, None) => Ok(true),
        }
    }

    /// Creates the directory if needed and returns it.
    ///
    /// # Errors
    /// As [`disk_error`]; `Usage` if the user's directory is not empty.
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

    /// Updates `last` after all results were written to `folder`.
    ///
    /// # Errors
    /// `Disk`.
    pub fn update_last(&self, folder: &Path) -> Result<()> {
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
