//! A file system that injects the faults of [`Chaos`]: the real disk, which fails, or kills the process, at the chosen
//! changes.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Chaos, FaultKind, kill};
use crate::keep::store::fs::{DiskFs, DurableFile, Fs};

/// The file system for `chaos`: the real disk if no faults are configured.
#[must_use]
pub fn disk(chaos: &Chaos) -> Arc<dyn Fs> {
    if chaos.is_none() { Arc::new(DiskFs) } else { Arc::new(FaultInjectingFs { chaos: chaos.clone() }) }
}

struct FaultInjectingFs {
    chaos: Chaos,
}

/// Counts a change and applies its fault, if any. `Tear` and `Short` are returned: the caller writes half of its bytes.
fn change(chaos: &Chaos) -> io::Result<Option<FaultKind>> {
    match chaos.change() {
        Some(FaultKind::Kill) => kill(),
        Some(FaultKind::Full) => return Err(io::ErrorKind::StorageFull.into()),
        Some(FaultKind::Eio) => return Err(io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())),
        torn @ Some(FaultKind::Tear | FaultKind::Short) => return Ok(torn),
        _ => {}
    }
    Ok(None)
}

/// As [`change`], for a change that is not a write. It cannot be half done, so with `Tear` or `Short` it is not done.
fn change_whole(chaos: &Chaos) -> io::Result<()> {
    match change(chaos)? {
        Some(FaultKind::Tear) => kill(),
        Some(_) => return Err(io::ErrorKind::StorageFull.into()),
        None => {}
    }
    Ok(())
}

impl FaultInjectingFs {
    fn file(&self, file: Box<dyn DurableFile>) -> Box<dyn DurableFile> {
        Box::new(FaultInjectingFile { file, chaos: self.chaos.clone() })
    }
}

impl Fs for FaultInjectingFs {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        change_whole(&self.chaos)?;
        DiskFs.make_dir(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        change_whole(&self.chaos)?;
        Ok(self.file(DiskFs.create(path)?))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        Ok(self.file(DiskFs.open_append(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        change_whole(&self.chaos)?;
        DiskFs.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        change_whole(&self.chaos)?;
        DiskFs.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        change_whole(&self.chaos)?;
        DiskFs.sync_dir(dir)
    }

    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()> {
        change_whole(&self.chaos)?;
        DiskFs.reserve(path, bytes)
    }
}

struct FaultInjectingFile {
    file: Box<dyn DurableFile>,
    chaos: Chaos,
}

impl DurableFile for FaultInjectingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(torn) = change(&self.chaos)? else { return self.file.write(bytes) };
        self.file.write(bytes.split_at(bytes.len() / 2).0)?;
        if torn == FaultKind::Tear {
            kill();
        }
        Err(io::ErrorKind::StorageFull.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        change_whole(&self.chaos)?;
        self.file.sync()
    }
}
