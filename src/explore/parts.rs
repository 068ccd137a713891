//! The parts of an epoch besides acting: a goal for an episode, its commit, practice, another look at all pictures, attempts.

use std::time::Instant;

use super::Run;
use crate::actor_loop::Target;
use crate::chaos::Place;
use crate::episode::Episode;
use crate::error::{Error, Result};
use crate::evaluate::{self, Goal};
use crate::goals::PriorGoals;
use crate::rng;

impl Run<'_> {
    /// A goal for episode `id`, with the picture that will stand for it after the next refresh.
    pub(super) fn goal(&mut self, id: u64) -> Target {
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
            None => self.learner.vae.decode(&latent),
        };
        Target { latent, picture, origin: drawn.origin }
    }

    /// Durable first; then seen, counted, and learned from.
    pub(super) fn commit(&mut self, episode: Episode) -> Result<()> {
        let end = self.state.env_steps + episode.steps() as u64;
        let committed = self.durably(|run| run.store.commit(&episode, end))?;
        if let Some(line) = self.store.lines().last() {
            tracing::info!("committed {} {}", line.file, line.blake3);
        }
        self.state.env_steps = end;
        self.state.episodes += 1;
        self.state.sums.count_goal(episode.goal_origin);
        if committed.diverged {
            let id = episode.id;
            tracing::error!(
                "episode {id} came out differently than before it was cut back: another machine or binary?"
            );
        }
        self.observe(&episode);
        let latents = match self.learner.latents(&episode) {
            Err(Error::NotFinite(why)) => {
                self.roll_back(&why)?;
                self.learner.latents(&episode)?
            }
            latents => latents?,
        };
        self.learner.add(episode, latents)
    }

    /// One SAC update.
    pub(super) fn practise(&mut self) -> Result<()> {
        if self.learner.counts.updates.is_multiple_of(16) {
            self.tick("practising");
        }
        let began = Instant::now();
        self.learner.gather()?;
        self.spoil(Place::Update, self.learner.counts.updates);
        let outcome = self.learner.practise().map(|(info, reward)| self.state.sums.add_update(&info, reward));
        self.state.sums.sac_s += began.elapsed().as_secs_f64();
        self.survive(outcome)
    }

    /// The VAE phase and the refresh that follows it, if one is due; skewing acts from the refresh after `start_epoch` + 1 on.
    /// `false` where it is asked to stop meanwhile: then the phase is as if it had not begun.
    pub(super) fn look_again(&mut self, epoch: u64) -> Result<bool> {
        let updates = self.cfg.latent.updates_at(epoch);
        if updates == 0 || self.learner.replay.transitions() == 0 {
            return Ok(true);
        }
        let (began, before) = (Instant::now(), self.mark());
        for k in 0..updates {
            if k.is_multiple_of(16) {
                self.tick("fitting the VAE");
                if self.stopping()? {
                    return self.undo(before).map(|()| false);
                }
            }
            self.spoil(Place::Vae, self.learner.counts.vae_updates);
            let outcome = self.learner.update_vae().map(|info| self.state.sums.add_vae(&info));
            self.survive(outcome)?;
        }
        self.state.sums.vae_s += began.elapsed().as_secs_f64();
        let began = Instant::now();
        self.spoil(Place::Refresh, self.learner.counts.refreshes + 1);
        let pulse = &mut self.house.pulse;
        match self.learner.refresh(self.cfg.skew.acts_after(epoch), &mut || pulse.beat()) {
            Err(Error::NotFinite(why)) => self.roll_back(&why)?,
            info => self.state.sums.skew = info?.map(Into::into),
        }
        self.state.sums.mapped_states = self.mean_states();
        self.state.sums.refresh_s += began.elapsed().as_secs_f64();
        Ok(true)
    }

    /// Means of the mapped states over replay and, weighted, over skewed draws: what the skewing favours.
    fn mean_states(&self) -> Vec<(String, f64)> {
        let Some(weights) = self.learner.replay.skew_weights() else { return Vec::new() };
        let seen = &self.visited[self.visited.len().saturating_sub(weights.p.len())..];
        let names = &self.env.spec().state_names;
        let axes = self.env.coverage().heat_map.iter().enumerate();
        axes.flat_map(|(k, axis)| {
            let uniform = seen.iter().map(|s| s[k]).sum::<f64>() / seen.len().max(1) as f64;
            let skewed = seen.iter().zip(&weights.p).map(|(s, p)| s[k] * p).sum();
            let name = &names[axis.state];
            [(format!("replay/mean_{name}"), uniform), (format!("skew/mean_{name}"), skewed)]
        })
        .collect()
    }

    /// A few of the evaluation pictures, rotating through the fixed, shuffled set.
    pub(super) fn evaluate(&mut self, epoch: u64) -> Result<()> {
        let goals = self.evaluator.goals();
        if goals.is_empty() {
            return Ok(());
        }
        self.tick("evaluating");
        let each = self.cfg.evaluate.pictures_each_time as u64;
        let numbers = (0..each).map(|k| (epoch / self.cfg.evaluate.every_epochs * each + k) % goals.len() as u64);
        let chosen: Vec<(u64, Goal)> = numbers.map(|n| (n, goals[n as usize].clone())).collect();
        let attempts = match self.try_goals(&chosen) {
            Err(Error::NotFinite(why)) => return self.trouble(&why),
            attempts => attempts?,
        };
        let (metrics, success_rate) = evaluate::means(&attempts);
        self.state.evaluation = metrics.first().cloned();
        self.state.sums.evaluation = metrics;
        self.state.sums.success_rate = success_rate;
        Ok(())
    }

    /// In an instance of its own, or in the exploration's, as the configuration says.
    pub(super) fn try_goals(&mut self, goals: &[(u64, Goal)]) -> Result<Vec<evaluate::Attempt>> {
        let mut beat = || self.house.pulse.beat();
        if !self.cfg.evaluate.shared_env {
            return self.evaluator.attempt(&mut self.learner, &self.cfg, goals, &mut beat);
        }
        let one = |goal| {
            beat();
            evaluate::attempt(&mut *self.env, &mut self.learner, &self.cfg, goal)
        };
        goals.iter().map(one).collect()
    }
}
