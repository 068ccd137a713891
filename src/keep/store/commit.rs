//! Commits episodes (the shard first, then the journal line), and cuts the journal back.

use super::fs::{disk_error, write_atomic};
use super::journal::CommitCounters;
use super::shard::{self, has_goals};
use super::{Committed, JournalLine, Store, journal};
use crate::error::{Error, Result};
use crate::learn::episode::Episode;

impl Store {
    /// Commits `episode`, which must be the next one; on return it survives a power cut. After an error it is not
    /// committed, and the same commit can be tried again.
    ///
    /// # Errors
    /// [`Error::Disk`]; [`Error::Misuse`] where `episode` is not the next one; [`Error::Usage`] where its arrays do not
    /// fit together.
    pub fn commit_with(&mut self, episode: &Episode, counters: CommitCounters) -> Result<Committed> {
        let id = self.lines.len() as u64;
        self.writable()?;
        if episode.id != id {
            return Err(Error::Misuse(format!("episode {} was committed where episode {id} is next", episode.id)));
        }
        let bytes = shard::encode(episode, &self.root)?;
        let line = line_of(episode, counters, &bytes);
        let path = self.dir.join(&line.file);
        let diverged = self.fs.read(&path).is_ok_and(|old| old != bytes);
        write_atomic(&*self.fs, &path, &bytes)?;
        self.append(line)?;
        Ok(Committed { diverged })
    }

    /// As [`commit_with`](Self::commit_with), where the other counters are not known.
    ///
    /// # Errors
    /// As [`commit_with`](Self::commit_with).
    pub fn commit(&mut self, episode: &Episode, env_steps_end: u64) -> Result<Committed> {
        self.commit_with(episode, CommitCounters { env_steps_end, ..CommitCounters::default() })
    }

    /// Removes all but the first `episodes` lines from the journal. The shards stay: a shard is compared with the new
    /// bytes when its episode is committed again.
    ///
    /// # Errors
    /// [`Error::Damaged`] where there are fewer; [`Error::Disk`].
    pub fn cut_back(&mut self, episodes: u64) -> Result<()> {
        self.writable()?;
        let kept = self.first_lines(episodes)?.to_vec();
        self.rewrite(kept)
    }

    /// The lines of the first `episodes` episodes.
    ///
    /// # Errors
    /// [`Error::Damaged`] where there are fewer.
    pub fn first_lines(&self, episodes: u64) -> Result<&[JournalLine]> {
        usize::try_from(episodes).ok().and_then(|n| self.lines.get(..n)).ok_or_else(|| {
            let (dir, held) = (self.dir.display(), self.lines.len());
            Error::Damaged(format!(
                "{dir}: {} has {held} of {episodes} episodes; put it back, or give --rebuild-journal",
                journal::FILE
            ))
        })
    }

    fn append(&mut self, line: JournalLine) -> Result<()> {
        if self.torn {
            let lines = self.lines.iter().cloned().chain([line]).collect();
            return self.rewrite(lines);
        }
        let path = self.dir.join(journal::FILE);
        let bytes = journal::format(std::slice::from_ref(&line))?;
        self.torn = true; // until the write has succeeded
        self.fs.append_synced(&path, &bytes).map_err(|e| disk_error("extend", &path, &e))?;
        self.torn = false;
        self.lines.push(line);
        Ok(())
    }

    fn rewrite(&mut self, lines: Vec<JournalLine>) -> Result<()> {
        let bytes = journal::format(&lines)?;
        self.torn = true; // until the write has succeeded
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

/// The journal line of an episode whose shard has these `bytes`.
pub(super) fn line_of(episode: &Episode, counters: CommitCounters, bytes: &[u8]) -> JournalLine {
    JournalLine {
        id: episode.id,
        steps: episode.steps() as u64,
        env_steps_end: counters.env_steps_end,
        file: journal::shard_file(episode.id),
        blake3: blake3::hash(bytes).to_string(),
        goal_source: episode.goal.origin,
        ending: episode.ending,
        at_update: counters.at_update,
        left_out: (counters.left_out > 0).then_some(counters.left_out),
        goals: has_goals(episode).then_some(1 + episode.later_goals.len() as u64),
        reached: has_goals(episode).then_some(episode.goals().filter(|goal| goal.reached.is_some()).count() as u64),
    }
}
