//! Collects one episode towards a self-set goal: commits it to disk, then adds it to coverage and replay.

use std::time::Instant;

use super::epoch_sums::ENV_S;
use super::{NOT_THE_SAME, Run};
use crate::error::{Error, Result};
use crate::keep::faults::FaultSite;
use crate::keep::store::{CommitCounters, JournalLine};
use crate::keep::supervise::events::Kind;
use crate::learn::episode::Episode;
use crate::task::practice_facts::{GoalOutcome, outcomes};

impl Run<'_> {
    /// Collects one episode towards a self-set goal and commits it before it enters replay. Skips the episode if an
    /// action is not finite. Reads an episode that an earlier process committed from its shard.
    pub(super) fn collect(&mut self, phase: &str) -> Result<()> {
        if let Some(line) = self.log.store.lines().get(self.state.episodes as usize).cloned() {
            return self.collect_committed(&line);
        }
        self.tick(phase);
        if !self.wait_for_room()? {
            return Ok(());
        }
        let began = Instant::now();
        let id = self.state.episodes;
        self.inject_nan(FaultSite::Episode, id + self.state.skipped)?;
        let before = self.task.snapshot()?;
        let episode = self.practise(id);
        self.state.sums.add(ENV_S, began.elapsed().as_secs_f64());
        if let Err(Error::NotFinite(why)) = &episode {
            self.task.restore_env(&before)?;
            self.state.left_out += 1;
            return self.handle_non_finite(why);
        }
        self.commit(episode?)
    }

    /// Commits an episode to disk, then [adds](Self::add_episode) it.
    fn commit(&mut self, episode: Episode) -> Result<()> {
        let (at, env_steps_end) = (self.position(), self.state.env_steps + episode.steps() as u64);
        let counters = CommitCounters { env_steps_end, at_update: Some(at.updates), left_out: self.state.left_out };
        let committed = self.log.retry(&mut self.host, &at, |log| log.store.commit_with(&episode, counters))?;
        if let Some(line) = self.log.store.lines().last() {
            tracing::info!("committed {} {}", line.file, line.blake3);
        }
        if committed.diverged && self.task.has_snapshots() {
            let id = episode.id;
            tracing::error!(
                "episode {id} differs from the one that an earlier process committed: was that another machine or binary?"
            );
        }
        self.add_episode(episode)
    }

    /// Adds an episode that an earlier process committed after the checkpoint; used if the environment cannot be
    /// restored. Skips as many episodes before it as the earlier process did.
    fn collect_committed(&mut self, line: &JournalLine) -> Result<()> {
        self.tick("reading episodes");
        while self.state.left_out < line.left_out.unwrap_or(0) {
            self.state.left_out += 1;
            self.handle_non_finite(&format!("an earlier process skipped an episode before episode {}", line.id))?;
        }
        let (at, now) = (self.position(), self.learner.counts.updates);
        if let Some(then) = line.at_update.filter(|then| *then != now)
            && !std::mem::replace(&mut self.log.replay_differs, true)
        {
            let what = format!("episode {} entered replay at update {then}, now {now}", line.id);
            self.record(Kind::Damaged, &format!("{what}; {NOT_THE_SAME}"))?;
        }
        match self.log.retry(&mut self.host, &at, |log| log.store.episode(line.id)) {
            Ok(episode) => self.add_episode(episode),
            Err(Error::Damaged(damage)) => {
                self.count_episode(line.steps);
                self.skip_damaged(&damage)
            }
            Err(other) => Err(other),
        }
    }

    /// Counts one more episode.
    fn count_episode(&mut self, steps: u64) {
        self.state.env_steps += steps;
        self.state.episodes += 1;
        self.state.left_out = 0;
    }

    /// Adds the outcomes of an episode's goals to the epoch's metrics.
    fn count_practice(&mut self, outcomes: &[GoalOutcome], steps: usize) {
        let idle: usize = outcomes.iter().map(|goal| goal.idle).sum();
        self.state.sums.add_to_mean("goals/idle_share", idle as f64 / steps.max(1) as f64);
        self.state.sums.add("goals/reached", outcomes.iter().filter(|goal| goal.reached.is_some()).count() as f64);
        outcomes.iter().for_each(|goal| self.state.sums.add_to_mean("goals/distance", goal.distance));
    }

    /// Adds an episode to counters, coverage and replay.
    fn add_episode(&mut self, episode: Episode) -> Result<()> {
        self.count_episode(episode.steps() as u64);
        episode.goals().for_each(|goal| self.state.sums.count_goal(goal.origin));
        let distances = self.task.true_distances(&episode);
        distances.iter().for_each(|distance| self.state.sums.add_to_mean("goals/true_distance", *distance));
        self.task.observe(&episode)?;
        let latents = match self.learner.latents(&episode) {
            Err(Error::NotFinite(why)) => {
                self.roll_back(&why)?;
                self.learner.latents(&episode)?
            }
            latents => latents?,
        };
        let outcomes = outcomes(&episode, &latents, |goal| &goal.latent, self.learner.goal_radius());
        self.count_practice(&outcomes, episode.steps());
        self.learner.add(episode, latents)
    }
}
