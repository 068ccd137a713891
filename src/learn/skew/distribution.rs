//! The skewed distribution over stored transitions, the step that Skew-Fit is named for:
//!
//! P_i = p(s_i)^alpha / sum_j p(s_j)^alpha, -1 <= alpha <= 0   (Pong et al. 2020, arXiv 1903.03698, section 3).
//!
//! It covers the transitions that were stored at the last refresh, oldest first: a prefix of replay, since later ones are
//! appended and evictions take from the front. Densities in, weights and a table to draw from out, computed once.

use super::{AliasTable, Weights, skew_weights};
use crate::learn::rng::Rng;

/// Facts about the skewed distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkewInfo {
    /// The power used, after tempering.
    pub alpha: f64,
    /// Effective sample size over the number of transitions, in (0, 1].
    pub ess: f64,
    /// Largest probability.
    pub max_weight: f64,
}

impl SkewInfo {
    /// The facts by their columns of `metrics.csv`.
    #[must_use]
    pub fn columns(&self) -> [(&'static str, f64); 3] {
        [("skew/alpha", self.alpha), ("skew/ess", self.ess), ("skew/max_weight", self.max_weight)]
    }
}

/// Densities of the covered transitions, and with a power, what is drawn from. The default covers nothing.
#[derive(Clone, Debug, Default)]
pub struct SkewedDistribution {
    /// log p, nats.
    log_density: Vec<f64>,
    drawn: Option<SkewedSampler>,
}

/// Weights at a power in force, and the table that draws by them.
#[derive(Clone, Debug)]
struct SkewedSampler {
    alpha: f64,
    weights: Weights,
    table: AliasTable,
}

impl SkewedDistribution {
    /// Densities alone: draws stay uniform.
    #[must_use]
    pub fn unskewed(log_density: Vec<f64>) -> Self {
        Self { log_density, drawn: None }
    }

    /// Draws by p^alpha, tempered to an effective sample size of `min_ess` N (0: not at all). At alpha = 0 draws stay
    /// uniform over everything stored.
    #[must_use]
    pub fn new(log_density: Vec<f64>, alpha: f64, min_ess: f64) -> (Self, SkewInfo) {
        let (weights, alpha) = Weights::tempered(&log_density, alpha, min_ess);
        let ess = weights.ess() / weights.p.len().max(1) as f64;
        let info = SkewInfo { alpha, ess, max_weight: weights.max() };
        (Self { log_density, drawn: SkewedSampler::of(alpha, weights) }, info)
    }

    /// Forgets the `n` oldest transitions, which replay has evicted; their mass goes to the rest.
    pub fn evict(&mut self, n: usize) {
        if n == 0 {
            return;
        }
        self.log_density.drain(..n.min(self.log_density.len()));
        let weights = |alpha| skew_weights(&self.log_density, alpha);
        self.drawn = self.drawn.take().and_then(|drawn| SkewedSampler::of(drawn.alpha, weights(drawn.alpha)));
    }

    /// Position of a transition, oldest first; `None` where draws are uniform.
    pub fn draw(&self, rng: &mut Rng) -> Option<usize> {
        self.drawn.as_ref().map(|drawn| drawn.table.sample(rng))
    }

    /// Whether draws are skewed.
    #[must_use]
    pub fn is_skewed(&self) -> bool {
        self.drawn.is_some()
    }

    /// Probabilities of the covered transitions, oldest first; `None` where draws are uniform.
    #[must_use]
    pub fn weights(&self) -> Option<&Weights> {
        self.drawn.as_ref().map(|drawn| &drawn.weights)
    }

    /// log p of the covered transitions, oldest first, nats; empty while densities are unknown.
    #[must_use]
    pub fn log_density(&self) -> &[f64] {
        &self.log_density
    }
}

impl SkewedSampler {
    fn of(alpha: f64, weights: Weights) -> Option<Self> {
        let table = if alpha == 0.0 { None } else { AliasTable::new(&weights.p) };
        table.map(|table| Self { alpha, weights, table })
    }
}
