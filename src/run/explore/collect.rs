//! One episode towards a goal of the learner's own: durable first, then counted and learned from.

use std::time::Instant;

use super::Run;
use super::sums::ENV_S;
use crate::error::{Error, Result};
use crate::keep::faults::Place;
use crate::learn::episode::Episode;
use crate::learn::goals::PriorGoals;
use crate::learn::rng;
use crate::learn::rollout::{Behaviour, Target, rollout};

impl Run<'_> {
    /// One episode towards a goal of its own, committed before it is learned from; none if an action was not finite.
    pub(super) fn collect(&mut self, phase: &str) -> Result<()> {
        self.tick(phase);
        if !self.need_room()? {
            return Ok(());
        }
        let began = Instant::now();
        let id = self.state.episodes;
        self.inject_nan(Place::Episode, id + self.state.skipped);
        let before = self.task.env.snapshot()?;
        let target = self.goal(id);
        let [mut reset, mut noise] = ["env", "policy"].map(|name| rng::stream(self.cfg.seed, name, &[id]));
        let (env, policy) = (&mut *self.task.env, self.learner.policy());
        let behaviour = Behaviour::Explore(&mut noise);
        let episode = rollout(env, policy, behaviour, &target, id, self.cfg.env.episode_steps, &mut reset);
        self.state.sums.add(ENV_S, began.elapsed().as_secs_f64());
        if let Err(Error::NotFinite(why)) = &episode {
            self.task.env.restore(&before)?;
            return self.trouble(why);
        }
        self.commit(episode?)
    }

    /// A goal for episode `id`, with the picture that will stand for it after the next refresh.
    fn goal(&mut self, id: u64) -> Target {
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
    fn commit(&mut self, episode: Episode) -> Result<()> {
        let (at, end) = (self.position(), self.state.env_steps + episode.steps() as u64);
        let committed = self.log.durably(&mut self.host, &at, |log| log.store.commit(&episode, end))?;
        if let Some(line) = self.log.store.lines().last() {
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
        self.task.observe(&episode);
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
