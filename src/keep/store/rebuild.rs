//! The journal is made anew from the shards.

use std::path::Path;

use super::commit::line_of;
use super::fs::{Fs, read_if_there, write_atomic};
use super::journal::CommitCounters;
use super::open::read_run_file;
use super::run_lock::RunLock;
use super::{JournalLine, Store, journal, shard};
use crate::error::{Error, Result};

impl Store {
    /// Makes the journal anew from the shards: every sound one from episode 0 on, up to the first that is missing, damaged
    /// or another run's. How many these are. Where the old journal has a sound line of an episode, its hash must be the
    /// shard's; what was there before is kept as `episodes.jsonl.old`.
    ///
    /// # Errors
    /// As [`open_in`](Self::open_in), but for a damaged journal; `Damaged` where the old one soundly holds more.
    pub fn rebuild_journal(fs: &dyn Fs, dir: &Path) -> Result<usize> {
        let root = read_run_file(fs, dir)?;
        let _home = RunLock::acquire(dir)?;
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
}
