//! The disk of a process that was asked to suffer faults: the real one, failing or dying at the changes that
//! [`Chaos`] names.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Chaos, What, kill};
use crate::keep::store::fs::{DiskFs, Durable, Fs};

/// The disk for `chaos`: the real one where nothing is to go wrong.
#[must_use]
pub fn disk(chaos: &Chaos) -> Arc<dyn Fs> {
    if chaos.is_none() { Arc::new(DiskFs) } else { Arc::new(TroubledFs { chaos: chaos.clone() }) }
}

struct TroubledFs {
    chaos: Chaos,
}

/// The next change, refused or fatal if its turn has come. A write is torn by its caller.
fn change(chaos: &Chaos) -> io::Result<Option<What>> {
    match chaos.change() {
        Some(What::Kill) => kill(),
        Some(What::Full) => return Err(io::ErrorKind::StorageFull.into()),
        Some(What::Eio) => return Err(io::Error::from_raw_os_error(rustix::io::Errno::IO.raw_os_error())),
        torn @ Some(What::Tear | What::Short) => return Ok(torn),
        _ => {}
    }
    Ok(None)
}

/// A change that is not a write: it cannot be torn, so it is not done.
fn whole(chaos: &Chaos) -> io::Result<()> {
    match change(chaos)? {
        Some(What::Tear) => kill(),
        Some(_) => return Err(io::ErrorKind::StorageFull.into()),
        None => {}
    }
    Ok(())
}

impl TroubledFs {
    fn file(&self, file: Box<dyn Durable>) -> Box<dyn Durable> {
        Box::new(TroubledFile { file, chaos: self.chaos.clone() })
    }
}

impl Fs for TroubledFs {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        whole(&self.chaos)?;
        DiskFs.make_dir(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Durable>> {
        whole(&self.chaos)?;
        Ok(self.file(DiskFs.create(path)?))
    }

    fn extend(&self, path: &Path) -> io::Result<Box<dyn Durable>> {
        Ok(self.file(DiskFs.extend(path)?))
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

struct TroubledFile {
    file: Box<dyn Durable>,
    chaos: Chaos,
}

impl Durable for TroubledFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(torn) = change(&self.chaos)? else { return self.file.write(bytes) };
        self.file.write(bytes.split_at(bytes.len() / 2).0)?;
        if torn == What::Tear {
            kill();
        }
        Err(io::ErrorKind::StorageFull.into())
    }

    fn sync(&mut self) -> io::Result<()> {
        whole(&self.chaos)?;
        self.file.sync()
    }
}
