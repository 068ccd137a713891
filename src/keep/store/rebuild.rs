//! Rebuilds the journal from the shards.

use std::path::Path;

use super::commit::line_of;
use super::fs::{Fs, read_if_there, write_atomic};
use super::journal::CommitCounters;
use super::open::read_run_file;
use super::run_lock::RunLock;
use super::{JournalLine, Store, journal, shard};
use crate::error::{Error, Result};

impl Store {
    /// Rebuilds the journal from the shards of episodes 0, 1, ..., up to the first that is missing, damaged or of
    /// another run; returns their number. Where the old journal has a sound line for an episode, the shard must have
    /// that line's hash. The old journal is kept as `episodes.jsonl.old`.
    ///
    /// # Errors
    /// As [`open_in`](Self::open_in), except for a damaged journal; `Damaged` where the old journal has more sound
    /// lines.
    pub fn rebuild_journal(fs: &dyn Fs, dir: &Path) -> Result<usize> {
        let root = read_run_file(fs, dir)?;
        let _lock = RunLock::acquire(dir)?;
        let path = dir.join(journal::FILE);
        let before = read_if_there(fs, &path)?.unwrap_or_default();
        let known = journal::parse(&before).lines;
        let mut lines: Vec<JournalLine> = Vec::new();
        loop {
            let id = lines.len() as u64;
            let shard = dir.join(journal::shard_file(id));
            let Some(bytes) = read_if_there(fs, &shard)? else { break };
            let Ok((episode, of)) = shard::decode(&bytes) else { break };
            let end = lines.last().map_or(0, |line| line.env_steps_end) + episode.steps() as u64;
            let old = known.iter().find(|old| old.id == id);
            let (at_update, left_out) = old.map_or((None, 0), |old| (old.at_update, old.left_out.unwrap_or(0)));
            let line = line_of(&episode, CommitCounters { env_steps_end: end, at_update, left_out }, &bytes);
            let contradicted = old.is_some_and(|old| *old != line);
            if episode.id != id || of != root || contradicted {
                break;
            }
            lines.push(line);
        }
        if lines.len() < known.len() {
            let (held, found) = (known.len(), lines.len());
            let way = "put the next episode's file back, or move the journal away to keep only those";
            return Err(Error::Damaged(format!(
                "{}: its journal has {held} sound lines, but only the first {found} episode files can be used: {way}",
                dir.display()
            )));
        }
        write_atomic(fs, &path.with_added_extension("old"), &before)?;
        write_atomic(fs, &path, &journal::format(&lines)?)?;
        Ok(lines.len())
    }
}
