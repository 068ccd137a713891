//! A block of rows of a batch, and the noise of an update.

use rand_distr::{Distribution, StandardNormal};

use super::ensemble;
use crate::learn::goals::Batch;
use crate::learn::rng::Rng;

/// The random numbers of one update: standard normals, (B, A) each, and a pair of target critics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Noise {
    /// For a ~ pi(.|s).
    pub current: Vec<f32>,
    /// For a' ~ pi(.|s').
    pub next: Vec<f32>,
    /// The two target critics in the Bellman target.
    pub pair: [usize; 2],
}

impl Noise {
    /// Draws `n` normals for each, then the pair out of `critics` critics (with two critics, nothing is drawn).
    pub fn draw(&mut self, n: usize, critics: usize, rng: &mut Rng) {
        for half in [&mut self.current, &mut self.next] {
            half.clear();
            half.extend((0..n).map(|_| -> f32 { StandardNormal.sample(rng) }));
        }
        self.pair = ensemble::pair(critics, rng);
    }
}

/// A block of rows of a batch, with its noise.
pub struct Rows<'a> {
    /// (R, 2Z).
    pub observation: &'a [f32],
    /// (R, 2Z).
    pub next_observation: &'a [f32],
    /// (R, A).
    pub action: &'a [f32],
    /// (R).
    pub reward: &'a [f32],
    /// (R).
    pub mask: &'a [f32],
    /// (R, A), for a ~ pi(.|s).
    pub noise: &'a [f32],
    /// (R, A), for a' ~ pi(.|s').
    pub next_noise: &'a [f32],
    /// The two target critics in the Bellman target.
    pub pair: [usize; 2],
    /// B of the whole batch.
    pub batch_size: usize,
    /// 2Z.
    pub observation_dim: usize,
    /// A.
    pub action_dim: usize,
}

impl<'a> Rows<'a> {
    /// Rows `range` of `batch`.
    pub fn of(batch: &'a Batch, noise: &'a Noise, range: std::ops::Range<usize>) -> Self {
        let (o, a) = (2 * batch.latent_dim, batch.action_dim);
        let wide = range.start * o..range.end * o;
        let narrow = range.start * a..range.end * a;
        Self {
            observation: &batch.observation[wide.clone()],
            next_observation: &batch.next_observation[wide],
            action: &batch.action[narrow.clone()],
            reward: &batch.reward[range.clone()],
            mask: &batch.mask[range],
            noise: &noise.current[narrow.clone()],
            next_noise: &noise.next[narrow],
            pair: noise.pair,
            batch_size: batch.size,
            observation_dim: o,
            action_dim: a,
        }
    }

    /// R.
    pub fn len(&self) -> usize {
        self.reward.len()
    }
}
