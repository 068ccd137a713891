//! A run directory's episodes: one immutable shard each, and a journal line that makes it count.
//! Commit = shard (temporary, fsync, rename, fsync of the directory), then journal line (append, fsync): whole or absent.

#[cfg(test)]
pub(crate) mod faulty;
pub mod fs;
pub mod journal;
#[cfg(test)]
mod power;
mod seal;
pub mod shard;
#[cfg(test)]
pub(crate) mod tests;

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::learn::episode::Episode;
use fs::{DiskFs, Fs, disk_error, names_in, sweep, write_atomic};
pub use journal::JournalLine;
pub(crate) use seal::{seal, unseal_versioned};
pub use shard::ShardRoot;

/// What makes a directory a run: which one it is, sealed.
pub const RUN_FILE: &str = "run.json";
/// Held by the process that writes to the run; the system frees it when that process ends, however it ends.
const LOCK_FILE: &str = "lock";
const FORMAT_VERSION: u64 = 1;
/// Files that may be there before `run.json` is.
pub const BEGINNING: [&str; 4] = ["config.toml", "provenance.json", "metrics.csv", "serve.token"];

/// A file that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Relative to the run directory.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.file, self.why)
    }
}

/// What a commit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// A shard of this episode was there from before a [`Store::cut_back`], with other bytes: the run did not repeat itself.
    pub diverged: bool,
}

/// An open run directory.
pub struct Store {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    root: ShardRoot,
    lines: Vec<JournalLine>,
    damage: Vec<Damage>,
    torn: bool,
    lock: Option<File>,
}

#[derive(Serialize, Deserialize)]
struct RunFile {
    format_version: u64,
    #[serde(flatten)]
    root: ShardRoot,
}

impl Store {
    /// Makes `dir` a run and opens it for writing. `dir` may exist if it is empty.
    ///
    /// # Errors
    /// [`Error::Usage`] where `dir` holds something; [`Error::Busy`], [`Error::Disk`].
    pub fn create(dir: &Path, root: ShardRoot) -> Result<Self> {
        Self::create_in(Arc::new(DiskFs), dir, root, &[])
    }

    /// [`create`](Self::create) on a given disk, with what belongs to the run from its first moment on: files of
    /// [`BEGINNING`]. `run.json` comes last, so what is a run has them all, and what is not may be begun anew.
    ///
    /// # Errors
    /// As there.
    pub fn create_in(fs: Arc<dyn Fs>, dir: &Path, root: ShardRoot, files: &[(&str, &str)]) -> Result<Self> {
        let episodes = dir.join("episodes");
        refuse_if_used(&*fs, dir)?;
        fs.create_dir(&episodes).map_err(|e| disk_error("create", &episodes, &e))?;
        let lock = Some(take_lock(dir)?);
        refuse_if_used(&*fs, dir)?;
        write_atomic(&*fs, &dir.join(journal::FILE), b"")?;
        for (name, text) in files {
            write_atomic(&*fs, &dir.join(name), text.as_bytes())?;
        }
        let run = seal(&RunFile { format_version: FORMAT_VERSION, root: root.clone() })?;
        write_atomic(&*fs, &dir.join(RUN_FILE), run.as_bytes())?;
        Ok(Self { fs, dir: dir.to_owned(), root, lines: Vec::new(), damage: Vec::new(), torn: false, lock })
    }

    /// Opens a run for writing, and clears away what a killed program left half done.
    ///
    /// # Errors
    /// [`Error::Usage`] where `dir` is not a run; [`Error::Busy`] where a live process writes to it;
    /// [`Error::Damaged`] where its journal is damaged; [`Error::Disk`].
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_in(Arc::new(DiskFs), dir)
    }

    /// [`open`](Self::open) on a given disk.
    ///
    /// # Errors
    /// As there.
    pub fn open_in(fs: Arc<dyn Fs>, dir: &Path) -> Result<Self> {
        read_run_file(&*fs, dir)?; // before a lock is put into a directory that is not ours
        let lock = take_lock(dir)?;
        let store = Self::read(fs, dir)?;
        if let Some(first) = store.damage.first() {
            let sound = store.lines.iter().zip(0..).take_while(|(line, id)| line.id == *id).count();
            let way = format!("put the file back, keep its first {sound} lines only, or resume with --rebuild-journal");
            return Err(Error::Damaged(format!("{}: {first}; {way}", dir.display())));
        }
        for part in ["", "episodes", "checkpoints"] {
            sweep(&*store.fs, &dir.join(part))?;
        }
        Ok(Self { lock: Some(lock), ..store })
    }

    /// Makes the journal anew from the shards: every sound one from episode 0 on, up to the first that is missing, damaged
    /// or another run's. How many these are. Where the old journal has a sound line of an episode, its hash must be the
    /// shard's; what was there before is kept as `episodes.jsonl.old`.
    ///
    /// # Errors
    /// As [`open_in`](Self::open_in), but for a damaged journal; `Damaged` where the old one soundly holds more.
    pub fn rebuild_journal(fs: &dyn Fs, dir: &Path) -> Result<usize> {
        let root = read_run_file(fs, dir)?;
        let _lock = take_lock(dir)?;
        let path = dir.join(journal::FILE);
        let before = fs.read(&path).unwrap_or_default();
        let known = journal::parse(&before).lines;
        let mut lines: Vec<JournalLine> = Vec::new();
        loop {
            let id = lines.len() as u64;
            let shard = dir.join(journal::shard_file(id));
            let bytes = match fs.read(&shard) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => break,
                read => read.map_err(|e| disk_error("read", &shard, &e))?,
            };
            let Ok((episode, of)) = shard::decode(&bytes) else { break };
            let end = lines.last().map_or(0, |line| line.env_steps_end) + episode.steps() as u64;
            let line = line_of(&episode, end, &bytes);
            let contradicted = known.iter().any(|old| old.id == id && *old != line);
            if episode.id != id || of != root || contradicted {
                break;
            }
            lines.push(line);
        }
        if lines.len() < known.len() {
            let (held, found) = (known.len(), lines.len());
            let way = "put the damaged episode back, or move the journal away to keep those";
            return Err(Error::Damaged(format!(
                "{}: its journal soundly holds {held} episodes, its files {found} in a row: {way}",
                dir.display()
            )));
        }
        write_atomic(fs, &path.with_added_extension("old"), &before)?;
        write_atomic(fs, &path, &journal::format(&lines)?)?;
        Ok(lines.len())
    }

    /// Opens a run for reading, whether or not a live process writes to it; see [`damaged`](Self::damaged).
    ///
    /// # Errors
    /// [`Error::Usage`] where `dir` is not a run; [`Error::Damaged`] where nothing of it can be read.
    pub fn read_only(dir: &Path) -> Result<Self> {
        Self::read(Arc::new(DiskFs), dir)
    }

    /// As [`read_only`](Self::read_only), but of the journal's last `bytes` only: for whoever looks every second.
    ///
    /// # Errors
    /// As there.
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
        let end = read().map_err(|e| Error::Damaged(format!("{}: {e}; put it back", path.display())))?;
        let lines = journal::tail(&end);
        Ok(Self { fs, dir: dir.to_owned(), root, lines, damage: Vec::new(), torn: false, lock: None })
    }

    fn read(fs: Arc<dyn Fs>, dir: &Path) -> Result<Self> {
        let root = read_run_file(&*fs, dir)?;
        let path = dir.join(journal::FILE);
        let bytes = fs.read(&path).map_err(|e| Error::Damaged(format!("{}: {e}; put it back", path.display())))?;
        let journal::Journal { lines, damage, torn } = journal::parse(&bytes);
        Ok(Self { fs, dir: dir.to_owned(), root, lines, damage, torn, lock: None })
    }

    /// The run directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Which run this is.
    #[must_use]
    pub fn root(&self) -> &ShardRoot {
        &self.root
    }

    /// The committed episodes, in order; line `i` is episode `i` unless the journal is [`damaged`](Self::damaged).
    #[must_use]
    pub fn lines(&self) -> &[JournalLine] {
        &self.lines
    }

    /// Damaged journal lines, found when the run was opened; always empty in a store open for writing.
    #[must_use]
    pub fn damaged(&self) -> &[Damage] {
        &self.damage
    }

    /// Stores `episode`, the next one; on return it outlives a power cut. On an error it is not stored and the store
    /// can be used on: the same commit may be tried again. `env_steps_end`: exploration steps of the run at its end.
    ///
    /// # Errors
    /// [`Error::Disk`]; [`Error::Misuse`] where `episode` is not the next one; [`Error::Usage`] where its arrays do not fit
    /// together.
    pub fn commit(&mut self, episode: &Episode, env_steps_end: u64) -> Result<Committed> {
        let id = self.lines.len() as u64;
        self.writable()?;
        if episode.id != id {
            return Err(Error::Misuse(format!("episode {} was committed where episode {id} is next", episode.id)));
        }
        let bytes = shard::encode(episode, &self.root)?;
        let line = line_of(episode, env_steps_end, &bytes);
        let path = self.dir.join(&line.file);
        let diverged = self.fs.read(&path).is_ok_and(|old| old != bytes);
        write_atomic(&*self.fs, &path, &bytes)?;
        self.append(line)?;
        Ok(Committed { diverged })
    }

    /// Forgets all but the first `episodes` episodes. Their shards stay, to be compared when they are committed anew.
    ///
    /// # Errors
    /// [`Error::Damaged`] where there are fewer; [`Error::Disk`].
    pub fn cut_back(&mut self, episodes: u64) -> Result<()> {
        self.writable()?;
        let kept = usize::try_from(episodes).ok().and_then(|n| self.lines.get(..n)).ok_or_else(|| {
            let (dir, held) = (self.dir.display(), self.lines.len());
            Error::Damaged(format!(
                "{dir}: {} holds {held} episodes of {episodes}; put it back, or give --rebuild-journal",
                journal::FILE
            ))
        })?;
        self.rewrite(kept.to_vec())
    }

    /// Refuses where a shard that is there cannot be read, which says nothing of its bytes.
    ///
    /// # Errors
    /// As [`disk_error`].
    pub fn readable(&self, line: &JournalLine) -> Result<()> {
        let path = self.dir.join(&line.file);
        match self.fs.read(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(disk_error("read", &path, &e)),
            _ => Ok(()),
        }
    }

    /// Episode `id`, its bytes checked against the journal before they are parsed.
    ///
    /// # Errors
    /// [`Error::Damaged`] naming the shard; [`Error::Usage`] where there is no such episode, or it is of a newer format.
    pub fn episode(&self, id: u64) -> Result<Episode> {
        let found = self.lines.binary_search_by_key(&id, |line| line.id).ok().and_then(|at| self.lines.get(at));
        let absent = || Error::Usage(format!("{}: there is no sound line of episode {id}", self.dir.display()));
        let line = found.ok_or_else(absent)?;
        let at = |why: String| Error::Damaged(format!("{}: {why}", line.file));
        let bytes = self.fs.read(&self.dir.join(&line.file)).map_err(|e| at(e.to_string()))?;
        if blake3::hash(&bytes).to_string() != line.blake3 {
            return Err(at("its bytes are not those that were committed (BLAKE3)".into()));
        }
        let (episode, root) = shard::decode(&bytes).map_err(|e| match e {
            Error::Damaged(why) => at(why),
            other => other,
        })?;
        let told = (episode.id, episode.steps() as u64, episode.goal_origin, episode.ending, &root);
        if told != (line.id, line.steps, line.goal_source, line.ending, &self.root) {
            return Err(at("it is not the episode its journal line tells of".into()));
        }
        Ok(episode)
    }

    /// Reads every episode; what is damaged, in order, journal first.
    #[must_use]
    pub fn verify(&self) -> Vec<Damage> {
        let shards = self.lines.par_iter().filter_map(|line| self.sound(line).err()).collect::<Vec<_>>();
        self.damage.iter().cloned().chain(shards).collect()
    }

    /// The [`episode`](Self::episode) of a line, or what is wrong with its shard.
    ///
    /// # Errors
    /// The damage.
    pub fn sound(&self, line: &JournalLine) -> Result<Episode, Damage> {
        self.episode(line.id).map_err(|e| {
            let why = e.to_string();
            let why = why.strip_prefix(&format!("{}: ", line.file)).unwrap_or(&why).to_owned();
            Damage { file: line.file.clone(), why }
        })
    }

    fn append(&mut self, line: JournalLine) -> Result<()> {
        if self.torn {
            let lines = self.lines.iter().cloned().chain([line]).collect();
            return self.rewrite(lines);
        }
        let path = self.dir.join(journal::FILE);
        let bytes = journal::format(std::slice::from_ref(&line))?;
        self.torn = true; // until the disk says otherwise
        self.fs.append_synced(&path, &bytes).map_err(|e| disk_error("extend", &path, &e))?;
        self.torn = false;
        self.lines.push(line);
        Ok(())
    }

    fn rewrite(&mut self, lines: Vec<JournalLine>) -> Result<()> {
        let bytes = journal::format(&lines)?;
        self.torn = true; // until the disk says otherwise
        write_atomic(&*self.fs, &self.dir.join(journal::FILE), &bytes)?;
        self.torn = false;
        self.lines = lines;
        Ok(())
    }

    fn writable(&self) -> Result<()> {
        let refuse = || Error::Misuse(format!("{} is open for reading only: open it for writing", self.dir.display()));
        self.lock.is_some().then_some(()).ok_or_else(refuse)
    }
}

/// The journal's line of an episode whose shard is `bytes`.
fn line_of(episode: &Episode, env_steps_end: u64, bytes: &[u8]) -> JournalLine {
    JournalLine {
        id: episode.id,
        steps: episode.steps() as u64,
        env_steps_end,
        file: journal::shard_file(episode.id),
        blake3: blake3::hash(bytes).to_string(),
        goal_source: episode.goal_origin,
        ending: episode.ending,
    }
}

fn read_run_file(fs: &dyn Fs, dir: &Path) -> Result<ShardRoot> {
    let path = dir.join(RUN_FILE);
    let line = fs.read(&path).map_err(|e| {
        let way = "give a directory that `skewfit explore` made";
        Error::Usage(format!("{} is not a run: {RUN_FILE} cannot be read there ({e}); {way}", dir.display()))
    })?;
    Ok(unseal_versioned::<RunFile>(&path.display().to_string(), &line, FORMAT_VERSION)?.root)
}

/// Refuses a directory that holds more than an earlier `create` that was cut short: a lock, an empty journal, the files
/// of [`BEGINNING`], no episodes.
///
/// # Errors
/// [`Error::Usage`], naming what is there; [`Error::Disk`].
pub fn refuse_if_used(fs: &dyn Fs, dir: &Path) -> Result<()> {
    if dir.exists() && !dir.is_dir() {
        return Err(Error::Usage(format!("{} is not a directory: give a new or empty one", dir.display())));
    }
    let begun = [LOCK_FILE, "episodes", journal::FILE];
    let own = |name: &&String| begun.iter().chain(&BEGINNING).any(|own| own == name) || fs::is_temporary(name);
    let names = names_in(fs, dir)?;
    let foreign = names.iter().find(|name| !own(name)).cloned();
    let episode = names_in(fs, &dir.join("episodes"))?.into_iter().next();
    foreign.or(episode).map_or(Ok(()), |name| {
        let way = "give another directory, or `skewfit resume` this one";
        Err(Error::Usage(format!("{} is not empty ({name} is there): {way}", dir.display())))
    })
}

/// Whether no live process writes to the run in `dir`, if it is one.
#[must_use]
pub fn is_free(dir: &Path) -> bool {
    !dir.join(RUN_FILE).exists() || take_lock(dir).is_ok()
}

fn take_lock(dir: &Path) -> Result<File> {
    let path = dir.join(LOCK_FILE);
    let options = File::options().create(true).truncate(false).write(true).open(&path);
    let file = options.map_err(|e| disk_error("open", &path, &e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let way = "wait for it, stop it, or use a reading verb";
            Err(Error::Busy(format!("another process is writing to {}: {way}", dir.display())))
        }
        Err(TryLockError::Error(e)) => Err(disk_error("lock", &path, &e)),
    }
}
