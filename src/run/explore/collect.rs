//! Collects one episode towards a self-set goal: commits it to disk, then adds it to coverage and replay.

use std::time::Instant;

use super::epoch_sums::ENV_S;
use super::{NOT_THE_SAME, Run};
use crate::error::{Error, Result};
use crate::keep::faults::FaultSite;
use crate::keep::store::{CommitCounters, JournalLine};
use crate::keep::supervise::events::Kind;
use crate::learn::episode::Episode;
use crate::learn::goals::PriorGoals;
use crate::learn::rng;
use crate::learn::rollout::{Behaviour, RolloutGoal, rollout};

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
        let target = self.goal(id)?;
        let [mut reset, mut noise] = ["env", "policy"].map(|name| rng::stream(self.cfg.seed, name, &[id]));
        let (env, policy) = (&mut *self.task.env, self.learner.policy()?);
        let behaviour = Behaviour::Explore(&mut noise);
        let episode = rollout(env, policy, behaviour, &target, id, self.cfg.env.episode_steps, &mut reset);
        self.state.sums.add(ENV_S, began.elapsed().as_secs_f64());
        if let Err(Error::NotFinite(why)) = &episode {
            self.task.restore_env(&before)?;
            self.state.left_out += 1;
            return self.handle_non_finite(why);
        }
        self.commit(episode?)
    }

    /// Draws the goal of episode `id`, with its picture. The next refresh encodes that picture again.
    fn goal(&mut self, id: u64) -> Result<RolloutGoal> {
        let mut draws = rng::stream(self.cfg.seed, "goal", &[id]);
        let mut latent = vec![0.0; self.cfg.latent.dim];
        let warm_up = self.state.env_steps < self.cfg.run.warmup_steps;
        let prior = PriorGoals { dim: latent.len() };
        let goals = if warm_up { Box::new(prior) } else { self.learner.goals() };
        let drawn = goals.write(&mut draws, &mut latent);
        drop(goals);
        let real = drawn.slot.filter(|_| !self.cfg.goals.keep_decoded_picture);
        let picture = match real {
            Some(slot) => self.learner.replay.next_frame(slot).to_vec(),
            None => self.learner.latent.decode(&latent)?,
        };
        Ok(RolloutGoal { latent, picture, origin: drawn.origin })
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

    /// Adds an episode to counters, coverage and replay.
    fn add_episode(&mut self, episode: Episode) -> Result<()> {
        self.count_episode(episode.steps() as u64);
        self.state.sums.count_goal(episode.goal_origin);
        self.task.observe(&episode)?;
        let latents = match self.learner.latents(&episode) {
            Err(Error::NotFinite(why)) => {
                self.roll_back(&why)?;
                self.learner.latents(&episode)?
            }
            latents => latents?,
        };
        self.learner.add(episode, latents)
    }
}
