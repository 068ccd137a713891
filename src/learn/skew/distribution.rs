//! The skewed distribution over stored transitions, which gives Skew-Fit its name:
//!
//! P_i = p(s_i)^power / sum_j p(s_j)^power, power <= 0   (Pong et al. 2020, arXiv 1903.03698, section 3).
//!
//! It covers the transitions that were stored at the last refresh, oldest first. They are a prefix of replay, because new
//! transitions are appended and evictions remove the oldest. Weights and table are computed once, from the densities.

use super::{AliasTable, Weights, skew_weights};
use crate::learn::rng::Rng;

/// Facts about the skewed distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkewInfo {
    /// The power in use, after tempering.
    pub power: f64,
    /// Effective sample size over the number of transitions, in (0, 1].
    pub ess: f64,
    /// Largest probability.
    pub max_weight: f64,
}

impl SkewInfo {
    /// The facts with the names of their columns in `metrics.csv`.
    #[must_use]
    pub fn columns(&self) -> [(&'static str, f64); 3] {
        [("skew/alpha", self.power), ("skew/ess", self.ess), ("skew/max_weight", self.max_weight)]
    }
}

/// Densities of the covered transitions and, if there is a power, their weights and table. The default covers nothing.
///
/// ```
/// use skewfit::learn::{rng::stream, skew::SkewedDistribution};
///
/// let rare_last = vec![0.0, 0.0, -2f64.ln()]; // log p: the last one is half as likely
/// let (skewed, info) = SkewedDistribution::new(rare_last, -1.0, 0.0);
/// assert!(skewed.is_skewed() && info.power == -1.0);
/// assert!((info.max_weight - 0.5).abs() < 1e-12);
/// assert!(skewed.draw(&mut stream(0, "goal", &[])).unwrap() < 3);
/// ```
#[derive(Clone, Debug, Default)]
pub struct SkewedDistribution {
    /// log p, nats.
    log_density: Vec<f64>,
    sampler: Option<SkewedSampler>,
}

/// Weights at the power in use, and the table of these weights.
#[derive(Clone, Debug)]
struct SkewedSampler {
    power: f64,
    weights: Weights,
    table: AliasTable,
}

impl SkewedDistribution {
    /// Densities without a power: draws stay uniform.
    #[must_use]
    pub fn unskewed(log_density: Vec<f64>) -> Self {
        Self { log_density, sampler: None }
    }

    /// The distribution p^power, tempered to an effective sample size of at least `min_ess` N (0: not tempered). At
    /// power = 0 draws stay uniform over all stored transitions.
    #[must_use]
    pub fn new(log_density: Vec<f64>, power: f64, min_ess: f64) -> (Self, SkewInfo) {
        let (weights, power) = Weights::tempered(&log_density, power, min_ess);
        let ess = weights.ess() / weights.p.len().max(1) as f64;
        let info = SkewInfo { power, ess, max_weight: weights.max() };
        (Self { log_density, sampler: SkewedSampler::new(power, weights) }, info)
    }

    /// Removes the `n` oldest transitions, which replay has evicted; their probability goes to the rest.
    pub fn evict(&mut self, n: usize) {
        if n == 0 {
            return;
        }
        self.log_density.drain(..n.min(self.log_density.len()));
        let weights = |power| skew_weights(&self.log_density, power);
        self.sampler = self.sampler.take().and_then(|old| SkewedSampler::new(old.power, weights(old.power)));
    }

    /// The position of a drawn transition, oldest first; `None` if draws are uniform.
    pub fn draw(&self, rng: &mut Rng) -> Option<usize> {
        self.sampler.as_ref().map(|sampler| sampler.table.sample(rng))
    }

    /// Whether draws are skewed.
    #[must_use]
    pub fn is_skewed(&self) -> bool {
        self.sampler.is_some()
    }

    /// Probabilities of the covered transitions, oldest first; `None` if draws are uniform.
    #[must_use]
    pub fn weights(&self) -> Option<&Weights> {
        self.sampler.as_ref().map(|sampler| &sampler.weights)
    }

    /// log p of the covered transitions, oldest first, nats; empty before the first densities are computed.
    #[must_use]
    pub fn log_density(&self) -> &[f64] {
        &self.log_density
    }
}

impl SkewedSampler {
    fn new(power: f64, weights: Weights) -> Option<Self> {
        let table = if power == 0.0 { None } else { AliasTable::new(&weights.p) };
        table.map(|table| Self { power, weights, table })
    }
}
