//! The disk of a process that was asked to suffer faults: the real one, failing or dying at the changes that
//! [`Chaos`] names.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Chaos, FaultKind, kill};
use crate::keep::store::fs::{DiskFs, DurableFile, Fs};

/// The disk for `chaos`: the real one where nothing is to go wrong.
#[must_use]
pub fn disk(chaos: &Chaos) -> Arc<dyn Fs> {
    if chaos.is_none() { Arc::new(DiskFs) } else { Arc::new(FaultInjectingFs { chaos: chaos.clone() }) }
}

struct FaultInjectingFs {
    chaos: Chaos,
}

/// The next change, refused or fatal if its turn has come. A write is torn by its caller.
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

/// A change that is not a write: it cannot be torn, so it is not done.
fn whole(chaos: &Chaos) -> io::Result<()> {
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
        whole(&self.chaos)?;
        DiskFs.make_dir(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        whole(&self.chaos)?;
        Ok(self.file(DiskFs.create(path)?))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        Ok(self.file(DiskFs.open_append(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        whole(&self.chaos)?;
        DiskFs.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        whole(&self.chaos)?;
        DiskFs.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        whole(&self.chaos)?;
        DiskFs.sync_dir(dir)
    }

    fn reserve(&self, path: &Path, bytes: u64) -> io::Result<()> {
        whole(&self.chaos)?;
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
        whole(&self.chaos)?;
        self.file.sync()
    }
}
