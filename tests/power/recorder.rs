//! A file system that logs every operation, and the states in which a crash may leave the files. A name whose directory
//! was not synced may exist or not, independently of other names; bytes that were not synced may be lost from any
//! sector on, or read as zeros.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rand::Rng as _;
use skewfit::keep::store::fs::{DiskFs, DurableFile, Fs};
use skewfit_envs::Rng;

/// Number of bytes that are written together or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
pub enum Op {
    MakeDir(PathBuf),
    Create(PathBuf, usize),
    Write(usize, Vec<u8>),
    Sync(usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDir(PathBuf),
}

#[derive(Default)]
pub struct Log {
    pub ops: Vec<Op>,
    pub files: usize,
    pub open: BTreeMap<PathBuf, usize>,
}

/// The real disk, with a log.
pub struct Recorder {
    pub base: PathBuf,
    pub log: Arc<Mutex<Log>>,
}

pub struct Recorded {
    file: File,
    number: usize,
    pub log: Arc<Mutex<Log>>,
}

impl Recorder {
    pub fn note(&self, op: Op) {
        self.log.lock().unwrap().ops.push(op);
    }

    fn below(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.base).unwrap_or(Path::new("")).to_owned()
    }
}

impl DurableFile for Recorded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.log.lock().unwrap().ops.push(Op::Write(self.number, bytes.to_vec()));
        self.file.write_all(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.log.lock().unwrap().ops.push(Op::Sync(self.number));
        Ok(())
    }
}

impl Fs for Recorder {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.note(Op::MakeDir(self.below(dir)));
        DiskFs.make_dir(dir)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        let file = File::create_new(path)?;
        let mut log = self.log.lock().unwrap();
        let number = log.files;
        log.files += 1;
        log.open.insert(path.to_owned(), number);
        log.ops.push(Op::Create(self.below(path), number));
        Ok(Box::new(Recorded { file, number, log: Arc::clone(&self.log) }))
    }
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn DurableFile>> {
        let file = File::options().append(true).open(path)?;
        let number = self.log.lock().unwrap().open[path];
        Ok(Box::new(Recorded { file, number, log: Arc::clone(&self.log) }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note(Op::Rename(self.below(from), self.below(to)));
        let mut log = self.log.lock().unwrap();
        let moved: Vec<_> = log.open.keys().filter(|p| p.starts_with(from)).cloned().collect();
        for path in moved {
            let number = log.open.remove(&path).unwrap();
            let rest = path.strip_prefix(from).unwrap();
            let now = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            log.open.insert(now, number);
        }
        DiskFs.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        if path.symlink_metadata().is_ok() {
            self.note(Op::Remove(self.below(path)));
        }
        DiskFs.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.note(Op::SyncDir(self.below(dir)));
        Ok(())
    }
    fn reserve(&self, _: &Path, _: u64) -> io::Result<()> {
        Ok(())
    }
}

/// The directory that an operation on names changes.
pub fn changes(op: &Op) -> Option<&Path> {
    match op {
        Op::MakeDir(path) | Op::Create(path, _) | Op::Remove(path) => Some(path.parent().unwrap_or(Path::new(""))),
        Op::Rename(_, to) => Some(to.parent().unwrap_or(Path::new(""))),
        _ => None,
    }
}

/// One state that a crash after `ops` may leave: files below the run's directory with their bytes.
pub fn crash(ops: &[Op], draws: &mut Rng) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut names: BTreeMap<PathBuf, Option<usize>> = BTreeMap::new(); // None: a directory
    for (i, op) in ops.iter().enumerate() {
        let Some(dir) = changes(op) else { continue };
        let durable = ops[i..].iter().any(|later| matches!(later, Op::SyncDir(synced) if synced == dir));
        if !durable && draws.random_bool(0.5) {
            continue;
        }
        match op {
            Op::MakeDir(path) => drop(names.insert(path.clone(), None)),
            Op::Create(path, number) => drop(names.insert(path.clone(), Some(*number))),
            Op::Remove(path) => names.retain(|name, _| !name.starts_with(path)),
            Op::Rename(from, to) => {
                let moved: Vec<_> =
                    names.iter().filter(|(n, _)| n.starts_with(from)).map(|(n, k)| (n.clone(), *k)).collect();
                if !moved.is_empty() {
                    names.retain(|name, _| !name.starts_with(from) && !name.starts_with(to));
                }
                for (name, what) in moved {
                    let rest = name.strip_prefix(from).unwrap();
                    let now = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
                    names.insert(now, what);
                }
            }
            _ => {}
        }
    }
    let files = names.into_iter().filter_map(|(name, number)| Some((name, content(ops, number?, draws))));
    files.collect()
}

/// Bytes of file `number` after a crash.
pub fn content(ops: &[Op], number: usize, draws: &mut Rng) -> Vec<u8> {
    let (mut bytes, mut synced) = (Vec::new(), 0);
    for op in ops {
        match op {
            Op::Write(n, more) if *n == number => bytes.extend(more),
            Op::Sync(n) if *n == number => synced = bytes.len(),
            _ => {}
        }
    }
    if bytes.len() > synced {
        // Each unsynced sector may be written or not; the file may have its new length in both cases.
        let sectors = (bytes.len() - synced).div_ceil(SECTOR) + 1;
        let kept = (synced / SECTOR * SECTOR + draws.random_range(0..=sectors) * SECTOR).clamp(synced, bytes.len());
        match draws.random_range(0..3) {
            0 => bytes.truncate(kept),
            1 => bytes[kept..].fill(0),
            _ => {
                let first = synced / SECTOR * SECTOR;
                for at in (first..bytes.len()).step_by(SECTOR) {
                    if draws.random_bool(0.5) {
                        let end = (at + SECTOR).min(bytes.len());
                        bytes[at.max(synced)..end].fill(0);
                    }
                }
            }
        }
    }
    bytes
}
