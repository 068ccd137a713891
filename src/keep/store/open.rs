//! Opens a run directory: for writing by one process, or for reading by any number.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::fs::{DiskFs, Fs, disk_error, read_error, read_if_there, sweep};
use super::run_lock::{GuardedFs, RunLock};
use super::{FORMAT_VERSION, RUN_FILE, RunFile, ShardRoot, Store, journal, unseal_versioned};
use crate::error::{Error, Result};

impl Store {
    /// Opens a run for writing, and removes temporary files of a killed process.
    ///
    /// # Errors
    /// [`Error::Usage`] where `dir` is not a run; [`Error::Busy`] where a live process writes to it;
    /// [`Error::Damaged`] where its journal is damaged; [`Error::Disk`].
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_in(Arc::new(DiskFs), dir)
    }

    /// As [`open`](Self::open), on the file system `fs`.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_in(fs: Arc<dyn Fs>, dir: &Path) -> Result<Self> {
        read_run_file(&*fs, dir)?; // before a lock file is created in a directory that is no run
        let lock = Arc::new(RunLock::acquire(dir)?);
        let store = Self::read(GuardedFs::over(fs, &lock), dir)?;
        if let Some(first) = store.damage.first() {
            let way =
                "put a sound copy back, or resume with --rebuild-journal, which keeps this one as episodes.jsonl.old";
            return Err(Error::Damaged(format!("{}: {first}; {way}", dir.display())));
        }
        for part in ["", "episodes", "checkpoints"] {
            sweep(&*store.fs, &dir.join(part))?;
        }
        let episodes = dir.join("episodes");
        store.fs.create_dir(&episodes).map_err(|e| disk_error("create", &episodes, &e))?;
        Ok(Self { lock: Some(lock), ..store })
    }

    /// Opens a run for reading, whether or not a live process writes to it; see [`damaged`](Self::damaged).
    ///
    /// # Errors
    /// [`Error::Usage`] where `dir` is not a run; [`Error::Damaged`] where `run.json` is damaged or the journal is
    /// missing; [`Error::Disk`].
    pub fn read_only(dir: &Path) -> Result<Self> {
        Self::read(Arc::new(DiskFs), dir)
    }

    /// As [`read_only`](Self::read_only), but reads only the journal's last `bytes`; for readers that poll every
    /// second.
    ///
    /// # Errors
    /// As [`read_only`](Self::read_only).
    pub fn read_tail(dir: &Path, bytes: u64) -> Result<Self> {
        let fs = Arc::new(DiskFs);
        let root = read_run_file(&*fs, dir)?;
        let path = dir.join(journal::FILE);
        let read = || {
            let mut file = File::open(&path)?;
            let begin = file.metadata()?.len().saturating_sub(bytes);
            file.seek(SeekFrom::Start(begin))?;
            let mut end = Vec::new();
            file.take(bytes).read_to_end(&mut end).map(|_| end)
        };
        let end = match read() {
            Err(e) if e.kind() == ErrorKind::NotFound => return Err(no_journal(&path)),
            read => read.map_err(|e| read_error(&path, &e))?,
        };
        let lines = journal::tail(&end);
        Ok(Self { fs, dir: dir.to_owned(), root, lines, damage: Vec::new(), torn: false, lock: None })
    }

    fn read(fs: Arc<dyn Fs>, dir: &Path) -> Result<Self> {
        let root = read_run_file(&*fs, dir)?;
        let path = dir.join(journal::FILE);
        let bytes = read_if_there(&*fs, &path)?.ok_or_else(|| no_journal(&path))?;
        let journal::Journal { lines, damage, torn } = journal::parse(&bytes);
        Ok(Self { fs, dir: dir.to_owned(), root, lines, damage, torn, lock: None })
    }
}

pub(super) fn read_run_file(fs: &dyn Fs, dir: &Path) -> Result<ShardRoot> {
    let path = dir.join(RUN_FILE);
    let line = read_if_there(fs, &path)?.ok_or_else(|| {
        let what = if dir.exists() { RUN_FILE } else { "such directory" };
        Error::Usage(format!("{} is not a run: there is no {what}; {}", dir.display(), nearest_run(dir)))
    })?;
    Ok(unseal_versioned::<RunFile>(&path.display().to_string(), &line, FORMAT_VERSION)?.root)
}

/// What to give instead of `dir`: the run that it is a part of, or one of the runs in it.
fn nearest_run(dir: &Path) -> String {
    let is_run = |dir: &&Path| !dir.as_os_str().is_empty() && dir.join(RUN_FILE).is_file();
    if let Some(run) = dir.ancestors().skip(1).find(is_run) {
        return format!("it is a part of the run {}: give that", run.display());
    }
    let below = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let inside = below(dir).flat_map(|dir| below(&dir).chain([dir.clone()]).collect::<Vec<_>>());
    match inside.filter(|dir| is_run(&dir.as_path())).max() {
        Some(run) => format!("it holds runs: give one of them, e.g. {}", run.display()),
        None => "give a directory that `skewfit explore` made".into(),
    }
}

fn no_journal(path: &Path) -> Error {
    Error::Damaged(format!("{} is gone: put it back, or give --rebuild-journal", path.display()))
}

/// Whether no live process writes to the run in `dir`; also true where `dir` is no run.
#[must_use]
pub fn has_no_writer(dir: &Path) -> bool {
    !dir.join(RUN_FILE).exists() || RunLock::acquire(dir).is_ok()
}
