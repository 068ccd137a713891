//! Reads the episodes before the checkpoint: all of them for coverage, and those for replay that it held at the last refresh.

use super::{NOT_THE_SAME, Run};
use crate::error::{Error, Result};
use crate::keep::supervise::events::Kind;
use crate::learn::episode::Episode;

impl Run<'_> {
    /// Restores coverage from all episodes before the checkpoint, and replay from the newest at the last refresh, whose
    /// densities may depend on frames evicted since. Names and skips damaged shards.
    pub(super) fn reload_episodes(&mut self) -> Result<()> {
        let at = self.position();
        let before = self.state.episodes as usize;
        let lines: Vec<_> = self.log.store.lines().iter().take(before).cloned().collect();
        let steps: Vec<u64> = lines.iter().map(|line| line.steps).collect();
        let refreshed = lines.partition_point(|line| line.id < self.learner.counts.refreshed_episodes);
        let at_refresh = if refreshed > 0 { refreshed } else { lines.len() };
        let first = at_refresh - newest_within(&steps[..at_refresh], self.cfg.replay.capacity as u64);
        let mut episodes: Vec<Episode> = Vec::with_capacity(lines.len() - first);
        for (i, line) in lines.iter().enumerate() {
            self.host.work += 1;
            if i.is_multiple_of(16) {
                self.tick("reading episodes");
            }
            match self.log.retry(&mut self.host, &at, |log| log.store.episode(line.id)) {
                Ok(episode) => {
                    let later = steps[i + 1..].iter().sum();
                    self.task.observe_earlier(&episode, later)?;
                    if i >= first {
                        episodes.push(episode);
                    }
                }
                Err(Error::Damaged(damage)) => self.skip_damaged(&damage)?,
                Err(other) => return Err(other),
            }
        }
        let pulse = &mut self.host.pulse;
        self.learner.restore_replay(episodes, &mut || pulse.beat())
    }

    /// Records that a damaged episode is skipped.
    pub(super) fn skip_damaged(&mut self, damage: &str) -> Result<()> {
        self.record(Kind::Damaged, &format!("left out: {damage}; {NOT_THE_SAME}"))
    }
}

/// Number of the newest episodes that fit into `capacity` steps; at least one if there is any.
fn newest_within(steps: &[u64], capacity: u64) -> usize {
    let mut sum = 0;
    let fits = |steps: &&u64| {
        sum += **steps;
        sum <= capacity
    };
    steps.iter().rev().take_while(fits).count().max(steps.len().min(1))
}

#[cfg(test)]
mod tests {
    use super::newest_within;

    #[test]
    fn replay_holds_the_newest_episodes_that_fit() {
        assert_eq!([newest_within(&[], 10), newest_within(&[50], 10)], [0, 1]);
        assert_eq!(
            [newest_within(&[5, 5, 5], 10), newest_within(&[5, 5, 4], 9), newest_within(&[1, 20], 10)],
            [2, 2, 1]
        );
    }
}
