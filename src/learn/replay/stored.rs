//! The part of an episode that replay stores: frames, executed actions, goals, and their latents under the current encoder.

use skewfit_envs::Ending;

use crate::learn::episode::{Episode, EpisodeGoal};

/// Version of the encoder, counted in refreshes; latents of different versions must not be mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LatentVersion(pub u64);

/// Latents of one episode.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeLatents {
    /// (T+1, Z).
    pub latents: Vec<f32>,
    /// (G, Z), one for each goal.
    pub goal_latents: Vec<f32>,
}

/// One committed episode of T steps in memory.
#[derive(Clone, Debug)]
pub struct StoredEpisode {
    id: u64,
    steps: usize,
    frame_bytes: usize,
    /// Boxed, so that no spare capacity is kept: frames need most of the memory.
    frames: Box<[u8]>,
    action_dim: usize,
    actions: Vec<f32>,
    /// At least one; their latents are those of the buffer's version.
    goals: Vec<EpisodeGoal>,
    ending: Ending,
    version: LatentVersion,
    /// (T+1, Z).
    latents: Vec<f32>,
}

impl StoredEpisode {
    /// Keeps the fields that learning needs; true states and proprioception are dropped.
    pub(super) fn new(episode: Episode, latents: Vec<f32>, version: LatentVersion) -> Self {
        Self {
            id: episode.id,
            steps: episode.steps(),
            frame_bytes: episode.image_size * episode.image_size * 3,
            frames: episode.frames.into_boxed_slice(),
            action_dim: episode.action_dim,
            actions: episode.actions,
            goals: std::iter::once(episode.goal).chain(episode.later_goals).collect(),
            ending: episode.ending,
            version,
            latents,
        }
    }

    /// Replaces all latents by those of another encoder; the shapes must fit.
    pub(super) fn refresh(&mut self, version: LatentVersion, encoded: EpisodeLatents) {
        let dim = encoded.goal_latents.len() / self.goals.len();
        for (goal, latent) in self.goals.iter_mut().zip(encoded.goal_latents.chunks_exact(dim)) {
            goal.latent.copy_from_slice(latent);
        }
        (self.version, self.latents) = (version, encoded.latents);
    }

    /// The episode's number in the run.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// T.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// (T+1, H, W, 3).
    #[must_use]
    pub fn frames(&self) -> &[u8] {
        &self.frames
    }

    /// Frame `t` in `0..=T`, (H, W, 3).
    #[must_use]
    pub fn frame(&self, t: usize) -> &[u8] {
        &self.frames[t * self.frame_bytes..][..self.frame_bytes]
    }

    /// The goals of the rollout, in order; their latents are of the buffer's version.
    #[must_use]
    pub fn goals(&self) -> &[EpisodeGoal] {
        &self.goals
    }

    /// The goal of step `t`.
    #[must_use]
    pub fn goal_at(&self, t: usize) -> &EpisodeGoal {
        &self.goals[self.goals.partition_point(|goal| goal.start <= t).saturating_sub(1)]
    }

    /// (T+1, Z) if they are of `version`, else `None`.
    #[must_use]
    pub fn latents(&self, version: LatentVersion) -> Option<&[f32]> {
        (self.version == version).then_some(&self.latents)
    }

    /// Latent (Z) of frame `t` in `0..=T`, in the buffer's latent version.
    pub(crate) fn latent(&self, t: usize) -> &[f32] {
        let z = self.latents.len() / (self.steps + 1);
        &self.latents[t * z..][..z]
    }

    /// A.
    pub(crate) fn action_dim(&self) -> usize {
        self.action_dim
    }

    /// Action of step `t` in `0..T`, (A).
    pub(crate) fn action(&self, t: usize) -> &[f32] {
        &self.actions[t * self.action_dim..][..self.action_dim]
    }

    /// Whether step `t` terminated the episode; a time limit does not.
    pub(crate) fn terminates_at(&self, t: usize) -> bool {
        self.ending == Ending::Terminated && t + 1 == self.steps
    }
}
