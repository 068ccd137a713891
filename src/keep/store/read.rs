//! Reads episodes: a shard's bytes are checked against the journal before they are parsed.

use rayon::prelude::*;

use super::fs::read_if_there;
use super::{Damage, JournalLine, Store, shard};
use crate::error::{Error, Result};
use crate::learn::episode::Episode;

impl Store {
    /// Episode `id`, its bytes checked against the journal before they are parsed.
    ///
    /// # Errors
    /// [`Error::Damaged`], naming the shard; [`Error::Usage`] where there is no such episode, or it has a newer format
    /// or may not be read; [`Error::Disk`] where the disk fails.
    pub fn episode(&self, id: u64) -> Result<Episode> {
        let found = self.lines.binary_search_by_key(&id, |line| line.id).ok().and_then(|at| self.lines.get(at));
        let absent =
            || Error::Usage(format!("{}: its journal has no undamaged line for episode {id}", self.dir.display()));
        let line = found.ok_or_else(absent)?;
        let at = |why: String| Error::Damaged(format!("{}: {why}", line.file));
        let bytes = read_if_there(&*self.fs, &self.dir.join(&line.file))?.ok_or_else(|| at("is gone".into()))?;
        if blake3::hash(&bytes).to_string() != line.blake3 {
            return Err(at("its bytes are not those that were committed (BLAKE3)".into()));
        }
        let (episode, root) = shard::decode(&bytes).map_err(|e| match e {
            Error::Damaged(why) => at(why),
            other => other,
        })?;
        let found = (episode.id, episode.steps() as u64, episode.goal.origin, episode.ending, &root);
        if found != (line.id, line.steps, line.goal_source, line.ending, &self.root) {
            return Err(at("it is not the episode that its journal line names".into()));
        }
        Ok(episode)
    }

    /// Reads every episode; returns the damage found, first in the journal, then in the shards by episode.
    ///
    /// # Errors
    /// As [`episode`](Self::episode), except damage.
    pub fn verify(&self) -> Result<Vec<Damage>> {
        let read: Result<Vec<_>> = self.lines.par_iter().map(|line| self.sound(line)).collect();
        let shards = read?.into_iter().filter_map(Result::err);
        Ok(self.damage.iter().cloned().chain(shards).collect())
    }

    /// The [`episode`](Self::episode) of a line, or the damage to its shard.
    ///
    /// # Errors
    /// As [`episode`](Self::episode), except damage.
    pub fn sound(&self, line: &JournalLine) -> Result<Result<Episode, Damage>> {
        match self.episode(line.id) {
            Err(Error::Damaged(why)) => {
                let why = why.strip_prefix(&format!("{}: ", line.file)).unwrap_or(&why).to_owned();
                Ok(Err(Damage { file: line.file.clone(), why }))
            }
            read => read.map(Ok),
        }
    }
}
