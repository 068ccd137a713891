//! Runs one episode of practice: draws its goals, and the pictures that stand for them.

use super::Run;
use crate::config::Warmup;
use crate::error::Result;
use crate::learn::episode::Episode;
use crate::learn::goals::{GoalDraw, GoalSource, PriorGoals};
use crate::learn::learner::Learner;
use crate::learn::practice::{Course, Practice};
use crate::learn::replay::Slot;
use crate::learn::rng;
use crate::learn::rollout::{Behaviour, RolloutGoal, rollout};

impl Run<'_> {
    /// Runs episode `id` in the explored environment.
    ///
    /// # Errors
    /// Those of [`rollout`] and of the models.
    pub(super) fn practise(&mut self, id: u64) -> Result<Episode> {
        let mut draws = rng::stream(self.cfg.seed, "goal", &[id]);
        let (first, slot) = self.first_goal(&mut draws)?;
        let [mut reset, mut noise, wander] =
            ["env", "policy", "wander"].map(|name| rng::stream(self.cfg.seed, name, &[id]));
        let (cfg, learner, radius) = (&self.cfg, &self.learner, self.learner.goal_radius());
        let source = source(learner, self.in_warm_up());
        let (after, wander_steps) = (cfg.goals.after_reaching, cfg.goals.wander_steps);
        let rule = Practice { after, wander_steps, radius, source: &*source, draws, noise: wander };
        let mut course = Course::new(rule, cfg.run.warmup == Warmup::Wander && radius.is_none());
        let (env, policy, steps) = (&mut *self.task.env, learner.policy()?, cfg.env.episode_steps);
        let behaviour = Behaviour::Practise(&mut noise, &mut course);
        let mut episode = rollout(env, policy, behaviour, &first, id, steps, &mut reset)?;
        let slots: Vec<Option<Slot>> = course.later.iter().map(|later| later.goal.slot).collect();
        drop(source);
        episode.goal.frame = slot.map(|slot| self.frame(slot));
        for (goal, slot) in episode.later_goals.iter_mut().zip(slots) {
            goal.picture = self.goal_picture(&goal.latent, slot)?;
            goal.frame = slot.map(|slot| self.frame(slot));
        }
        Ok(episode)
    }

    fn in_warm_up(&self) -> bool {
        self.state.env_steps < self.cfg.run.warmup_steps
    }

    /// Draws the first goal of an episode, with its picture.
    fn first_goal(&mut self, draws: &mut rng::Rng) -> Result<(RolloutGoal, Option<Slot>)> {
        let mut latent = vec![0.0; self.cfg.latent.dim];
        let GoalDraw { slot, origin } = source(&self.learner, self.in_warm_up()).write(draws, &mut latent);
        let picture = self.goal_picture(&latent, slot)?;
        Ok((RolloutGoal { latent, picture, origin }, slot))
    }

    /// Episode and instant of a transition's next observation.
    fn frame(&self, slot: Slot) -> (u64, usize) {
        (self.learner.replay.episode(slot).id(), slot.step + 1)
    }

    /// The picture to store for a goal: that of its transition, or the decoder's. The next refresh encodes it again.
    fn goal_picture(&mut self, latent: &[f32], slot: Option<Slot>) -> Result<Vec<u8>> {
        match slot.filter(|_| !self.cfg.goals.keep_decoded_picture) {
            Some(slot) => Ok(self.learner.replay.next_frame(slot).to_vec()),
            None => self.learner.latent.decode(latent),
        }
    }
}

/// The source of exploration goals: the prior in the warm-up.
fn source(learner: &Learner, warm_up: bool) -> Box<dyn GoalSource + '_> {
    if warm_up { Box::new(PriorGoals { dim: learner.replay.latent_dim() }) } else { learner.goals() }
}
