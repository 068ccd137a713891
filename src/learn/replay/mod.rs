//! The replay buffer: a ring of whole committed episodes in memory. Each frame (u8) is stored once; all latents are of one
//! encoder version.
//!
//! A transition has a position, counted from the oldest; finding it costs O(log episodes).

mod stored;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::VecDeque;

use rand::Rng as _;

use crate::error::{Error, Result};
use crate::learn::episode::Episode;
use crate::learn::rng::Rng;
use crate::learn::skew::SkewedDistribution;
pub use stored::{EpisodeLatents, LatentVersion, StoredEpisode};

/// A stored transition; its picture and latent are those of its next observation. Valid until the next push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Position of the episode in the ring, from the oldest.
    pub episode: usize,
    /// t in `0..T`.
    pub step: usize,
}

/// The replay buffer.
///
/// ```
/// # use skewfit::learn::episode::{Episode, EpisodeGoal, GoalOrigin};
/// use skewfit::learn::{replay::{LatentVersion, Replay}, rng::stream};
///
/// # let episode = Episode {
/// #     id: 0, image_size: 1, frames: vec![0; 9], proprio: vec![], proprio_dim: 0, actions: vec![0.0; 2], action_dim: 1,
/// #     goal: EpisodeGoal::first(vec![0; 3], vec![0.0], GoalOrigin::Prior), later_goals: vec![],
/// #     states: vec![], state_names: vec![], ending: skewfit_envs::Ending::Truncated,
/// # };
/// let mut replay = Replay::new(100, 1); // 100 transitions, Z = 1
/// replay.push(episode, vec![0.1, 0.2, 0.3], LatentVersion(0)).unwrap(); // two steps, three frames
/// let slot = replay.draw_uniform(&mut stream(0, "batch", &[])).unwrap();
/// assert_eq!(replay.transitions(), 2);
/// assert_eq!(replay.next_latent(slot), [[0.2], [0.3]][slot.step]);
/// ```
#[derive(Clone, Debug)]
pub struct Replay {
    capacity: usize,
    latent_dim: usize,
    version: LatentVersion,
    episodes: VecDeque<StoredEpisode>,
    /// Number of transitions pushed before each episode; those of episode k are `starts[k]..starts[k] + T`.
    starts: VecDeque<usize>,
    end: usize,
}

impl Replay {
    /// An empty buffer of `capacity` transitions (the newest episode always fits) with latents of Z = `latent_dim` numbers.
    #[must_use]
    pub fn new(capacity: usize, latent_dim: usize) -> Self {
        let (episodes, starts) = (VecDeque::new(), VecDeque::new());
        Self { capacity, latent_dim, version: LatentVersion(0), episodes, starts, end: 0 }
    }

    /// Appends an episode with its `latents` (T+1, Z), then evicts the oldest episodes until the capacity holds; returns how
    /// many transitions were evicted.
    ///
    /// # Errors
    /// `Damaged` if the shapes do not fit or the latents are of another version than those stored; nothing is changed then.
    pub fn push(&mut self, episode: Episode, latents: Vec<f32>, version: LatentVersion) -> Result<usize> {
        self.check(&episode, &latents, version)?;
        self.version = version;
        self.starts.push_back(self.end);
        self.end += episode.steps();
        self.episodes.push_back(StoredEpisode::new(episode, latents, version));
        let before = self.transitions();
        while self.transitions() > self.capacity && self.episodes.len() > 1 {
            self.episodes.pop_front();
            self.starts.pop_front();
        }
        Ok(before - self.transitions())
    }

    /// Replaces all latents by those of a newly trained encoder, in the order of [`episodes`](Self::episodes).
    ///
    /// # Errors
    /// `Damaged` if the shapes do not fit; nothing is changed then.
    pub fn refresh(&mut self, version: LatentVersion, encoded: Vec<EpisodeLatents>) -> Result<()> {
        let fits = |(s, e): (&StoredEpisode, &EpisodeLatents)| {
            e.latents.len() == (s.steps() + 1) * self.latent_dim
                && e.goal_latents.len() == s.goals().len() * self.latent_dim
        };
        if encoded.len() != self.episodes.len() || !self.episodes.iter().zip(&encoded).all(fits) {
            return Err(mismatch("a refresh", "latents for every stored episode, (T+1, Z) and (G, Z)"));
        }
        self.version = version;
        for (stored, encoded) in self.episodes.iter_mut().zip(encoded) {
            stored.refresh(version, encoded);
        }
        Ok(())
    }

    /// A uniformly drawn transition; `None` if the buffer is empty.
    pub fn draw_uniform(&self, rng: &mut Rng) -> Option<Slot> {
        let n = self.transitions();
        (n > 0).then(|| rng.random_range(0..n)).and_then(|position| self.slot(position))
    }

    /// A transition drawn from `skewed`, or uniformly if that is not skewed; `None` if the buffer is empty.
    pub fn draw(&self, skewed: &SkewedDistribution, rng: &mut Rng) -> Option<Slot> {
        match skewed.draw(rng) {
            Some(position) => self.slot(position),
            None => self.draw_uniform(rng),
        }
    }

    /// Number of stored transitions.
    #[must_use]
    pub fn transitions(&self) -> usize {
        self.starts.front().map_or(0, |first| self.end - first)
    }

    /// Z.
    #[must_use]
    pub fn latent_dim(&self) -> usize {
        self.latent_dim
    }

    /// A; 0 if the buffer is empty.
    #[must_use]
    pub fn action_dim(&self) -> usize {
        self.episodes.front().map_or(0, StoredEpisode::action_dim)
    }

    /// Version of all stored latents.
    #[must_use]
    pub fn version(&self) -> LatentVersion {
        self.version
    }

    /// The stored episodes, oldest first.
    pub fn episodes(&self) -> impl ExactSizeIterator<Item = &StoredEpisode> {
        self.episodes.iter()
    }

    /// The episode of a slot.
    #[must_use]
    pub fn episode(&self, slot: Slot) -> &StoredEpisode {
        &self.episodes[slot.episode]
    }

    /// Latent (Z) of the next observation.
    #[must_use]
    pub fn next_latent(&self, slot: Slot) -> &[f32] {
        self.episode(slot).latent(slot.step + 1)
    }

    /// Picture (H, W, 3) of the next observation.
    #[must_use]
    pub fn next_frame(&self, slot: Slot) -> &[u8] {
        self.episode(slot).frame(slot.step + 1)
    }

    /// The transition at a position, counted from the oldest; `None` beyond the last.
    #[must_use]
    pub fn slot(&self, position: usize) -> Option<Slot> {
        let at = self.starts.front()? + position;
        let episode = self.starts.partition_point(|&start| start <= at) - 1;
        (at < self.end).then(|| Slot { episode, step: at - self.starts[episode] })
    }

    fn check(&self, episode: &Episode, latents: &[f32], version: LatentVersion) -> Result<()> {
        let (steps, z, side) = (episode.steps(), self.latent_dim, episode.image_size);
        let needs = |fits: bool, what: &str| {
            if fits { Ok(()) } else { Err(mismatch(&format!("episode {}", episode.id), what)) }
        };
        let same_dim = self.episodes.front().is_none_or(|first| first.action_dim() == episode.action_dim);
        needs(self.episodes.is_empty() || version == self.version, &format!("latents of version {}", self.version.0))?;
        needs(latents.len() == (steps + 1) * z, &format!("latents of {z} numbers for each of {} frames", steps + 1))?;
        needs(episode.goals().all(|goal| goal.latent.len() == z), &format!("goal latents of {z} numbers"))?;
        needs(episode.frames.len() == (steps + 1) * side * side * 3, "one frame more than it has steps")?;
        needs(episode.actions.len() == steps * episode.action_dim && same_dim, "actions of the run's dimensions")
    }
}

fn mismatch(who: &str, what: &str) -> Error {
    Error::Damaged(format!("replay: {who} must have {what}; check that it belongs to this run's configuration"))
}
