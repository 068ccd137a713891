//! What an explorer does about its goal at every step: it heads for it, and when it is reached it stays, takes the next
//! goal, or wanders first (go, then explore).
//!
//! A goal z_g is reached at the first instant t with |z_t - z_g|_2 below a radius. Wandering is persistent noise:
//! a ~ U[-1, 1]^A, held for [`HOLD`] steps.

use rand::Rng as _;

use crate::learn::goals::{GoalSource, LatentGoal, latent_distance};
use crate::learn::rng::Rng;
use crate::learn::settings::AfterReaching;

/// Steps for which a wandering explorer holds an action.
pub const HOLD: usize = 5;

/// The rule of practice in one episode.
pub struct Practice<'a> {
    /// What follows a reached goal.
    pub after: AfterReaching,
    /// Steps of wandering, for [`AfterReaching::Wander`].
    pub wander_steps: usize,
    /// Latent distance below which a goal is reached; `None` before latents mean anything: then nothing is reached.
    pub radius: Option<f32>,
    /// Where the next goals come from.
    pub source: &'a dyn GoalSource,
    /// Draws of the next goals.
    pub draws: Rng,
    /// Draws of the wandering.
    pub noise: Rng,
}

/// A goal after the first one, with the instants at which it became active and was reached.
#[derive(Clone, Debug, PartialEq)]
pub struct PractisedGoal {
    /// Its first step.
    pub start: usize,
    /// The instant at which it was reached.
    pub reached: Option<usize>,
    /// The goal.
    pub goal: LatentGoal,
}

/// The course of one episode: the active goal, and whether the explorer wanders.
pub struct Course<'a> {
    rule: Practice<'a>,
    /// The instant at which the first goal was reached.
    pub first_reached: Option<usize>,
    /// The goals after the first.
    pub later: Vec<PractisedGoal>,
    /// Steps of wandering that are left; `None` while it heads for its goal.
    wandering: Option<usize>,
    /// The action held.
    held: Vec<f32>,
}

impl<'a> Course<'a> {
    /// Begins with the first goal; `wander`: wanders through the whole episode instead.
    #[must_use]
    pub fn new(rule: Practice<'a>, wander: bool) -> Self {
        let wandering = wander.then_some(usize::MAX);
        Self { rule, first_reached: None, later: Vec::new(), wandering, held: Vec::new() }
    }

    /// Looks at the latent `z` (Z) before step `t`: notes an arrival at the goal, and draws the next goal where the rule
    /// asks for it. `first` is the latent of the first goal.
    pub fn observe(&mut self, t: usize, z: &[f32], first: &[f32]) {
        if self.wandering == Some(0) {
            self.wandering = None;
            self.next(t);
        }
        if !self.arrives(t, z, first) {
            return;
        }
        match self.rule.after {
            AfterReaching::Wander if self.rule.wander_steps > 0 => self.wandering = Some(self.rule.wander_steps),
            _ => self.next(t),
        }
    }

    /// Whether the explorer is at its goal at instant `t`; notes it. An explorer that wanders or stays at its goals never
    /// arrives.
    pub fn arrives(&mut self, t: usize, z: &[f32], first: &[f32]) -> bool {
        let near = |radius| latent_distance(z, self.goal(first)) < radius;
        let looks = self.wandering.is_none() && self.rule.after != AfterReaching::Stay;
        let arrived = looks && self.rule.radius.is_some_and(near);
        if arrived {
            *self.later.last_mut().map_or(&mut self.first_reached, |later| &mut later.reached) = Some(t);
        }
        arrived
    }

    /// The latent (Z) of the active goal; `first` is that of the first one.
    #[must_use]
    pub fn goal<'b>(&'b self, first: &'b [f32]) -> &'b [f32] {
        self.later.last().map_or(first, |later| &later.goal.latent)
    }

    /// The next action (A) of a wandering explorer; `None` if it heads for its goal.
    pub fn wander(&mut self, action_dim: usize) -> Option<Vec<f32>> {
        let left = self.wandering.as_mut()?;
        *left -= 1;
        if self.held.is_empty() || left.wrapping_add(1).is_multiple_of(HOLD) {
            self.held = (0..action_dim).map(|_| self.rule.noise.random_range(-1.0..1.0)).collect();
        }
        Some(self.held.clone())
    }

    /// Draws the next goal, active from step `t`.
    fn next(&mut self, t: usize) {
        let mut latent = vec![0.0; self.rule.source.dim()];
        let drawn = self.rule.source.write(&mut self.rule.draws, &mut latent);
        let goal = LatentGoal { latent, slot: drawn.slot, origin: drawn.origin };
        self.later.push(PractisedGoal { start: t, reached: None, goal });
    }
}

#[cfg(test)]
mod tests;
