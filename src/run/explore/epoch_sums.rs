//! EpochSums over an epoch by metric column, until they become its row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::legacy_epoch_sums::StoredSums;
use crate::learn::episode::GoalOrigin;

/// Columns that count from 0, with or without an event.
const COUNTED: [&str; 9] = [
    "goals/from_prior",
    "goals/from_replay",
    "goals/from_skewed",
    ENV_S,
    SAC_S,
    VAE_S,
    REFRESH_S,
    "time/safety_cpu_s",
    "time/safety_wait_s",
];

/// Seconds of acting in the scene.
pub const ENV_S: &str = "time/env_s";
/// Seconds of SAC updates, batches included.
pub const SAC_S: &str = "time/sac_s";
/// Seconds of VAE updates, minibatches included.
pub const VAE_S: &str = "time/vae_s";
/// Seconds of encoding, densities and weights.
pub const REFRESH_S: &str = "time/refresh_s";

/// What an epoch has measured so far. Times in seconds are this machine's and no part of what is learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredSums")]
pub struct EpochSums {
    /// Column -> (sum, how many): the row has the mean.
    pub(super) means: BTreeMap<String, (f64, u64)>,
    /// Column -> value: the row has the value.
    pub(super) values: BTreeMap<String, f64>,
    /// Seconds on the run's clock when the epoch began.
    pub began_s: f64,
    /// Processor's seconds when it began, of the process that counts now.
    #[serde(skip)]
    pub began_cpu_s: f64,
}

impl Default for EpochSums {
    fn default() -> Self {
        Self::new(0.0)
    }
}

impl EpochSums {
    /// Nothing yet; the run's clock stands at `began_s`.
    #[must_use]
    pub fn new(began_s: f64) -> Self {
        let values = COUNTED.map(|column| (column.to_owned(), 0.0)).into();
        Self { means: BTreeMap::new(), values, began_s, began_cpu_s: 0.0 }
    }

    /// Nothing yet but what the warm-up, which has no row, has cost for safety.
    #[must_use]
    pub fn after_warm_up(&self, began_s: f64) -> Self {
        let mut sums = Self::new(began_s);
        for column in ["time/safety_cpu_s", "time/safety_wait_s"] {
            sums.add(column, self.values.get(column).copied().unwrap_or(0.0));
        }
        sums
    }

    /// One more measurement of a column whose mean is shown.
    pub fn add_to_mean(&mut self, column: &str, value: f64) {
        let (sum, n) = self.means.entry(column.to_owned()).or_default();
        *sum += value;
        *n += 1;
    }

    /// The latest measurement of a column.
    pub fn set(&mut self, column: &str, value: f64) {
        self.values.insert(column.to_owned(), value);
    }

    /// Adds to a column whose sum is shown.
    pub fn add(&mut self, column: &str, value: f64) {
        *self.values.entry(column.to_owned()).or_default() += value;
    }

    /// One episode's goal.
    pub fn count_goal(&mut self, origin: GoalOrigin) {
        let column = match origin {
            GoalOrigin::Prior => "goals/from_prior",
            GoalOrigin::Replay => "goals/from_replay",
            GoalOrigin::SkewedReplay => "goals/from_skewed",
        };
        self.add(column, 1.0);
    }

    /// The epoch's row but for coverage and the times that only the loop knows.
    #[must_use]
    pub fn row(&self) -> BTreeMap<String, f64> {
        let means = self.means.iter().map(|(column, (sum, n))| (column.clone(), sum / *n as f64));
        means.chain(self.values.clone()).collect()
    }

    /// Seconds that are accounted for.
    #[must_use]
    pub fn accounted_s(&self) -> f64 {
        [ENV_S, SAC_S, VAE_S, REFRESH_S].iter().filter_map(|column| self.values.get(*column)).sum()
    }

    /// Drops figures that are not finite, which a checkpoint could not hold; nothing is learned from them.
    pub fn keep_finite(&mut self) {
        self.values.retain(|_, value| value.is_finite());
        self.means.retain(|_, (sum, _)| sum.is_finite());
    }
}
