//! Metrics of the current epoch, summed up by column. At the end of the epoch they become its row.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::legacy_epoch_sums::StoredSums;
use crate::learn::episode::GoalOrigin;

/// Columns that every row has; their sums start at 0.
const ALWAYS_PRESENT: [&str; 10] = [
    "goals/reached",
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

/// Metrics of the current epoch so far. Times in seconds depend on the machine; nothing is learned from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "StoredSums")]
pub struct EpochSums {
    /// Column -> (sum, count); the row shows the mean.
    pub(super) means: BTreeMap<String, (f64, u64)>,
    /// Column -> value; the row shows the value.
    pub(super) values: BTreeMap<String, f64>,
    /// Seconds on the run's clock when the epoch began.
    pub began_s: f64,
    /// Processor seconds of this process when the epoch began.
    #[serde(skip)]
    pub began_cpu_s: f64,
}

impl Default for EpochSums {
    fn default() -> Self {
        Self::new(0.0)
    }
}

impl EpochSums {
    /// Empty sums of an epoch that begins at `began_s` on the run's clock.
    #[must_use]
    pub fn new(began_s: f64) -> Self {
        let values = ALWAYS_PRESENT.map(|column| (column.to_owned(), 0.0)).into();
        Self { means: BTreeMap::new(), values, began_s, began_cpu_s: 0.0 }
    }

    /// Empty sums except for the safety times of the warm-up, which has no row of its own.
    #[must_use]
    pub fn after_warm_up(&self, began_s: f64) -> Self {
        let mut sums = Self::new(began_s);
        for column in ["time/safety_cpu_s", "time/safety_wait_s"] {
            sums.add(column, self.values.get(column).copied().unwrap_or(0.0));
        }
        sums
    }

    /// Adds a measurement to a column that shows its mean.
    pub fn add_to_mean(&mut self, column: &str, value: f64) {
        let (sum, n) = self.means.entry(column.to_owned()).or_default();
        *sum += value;
        *n += 1;
    }

    /// Sets the value of a column.
    pub fn set(&mut self, column: &str, value: f64) {
        self.values.insert(column.to_owned(), value);
    }

    /// Adds to a column that shows its sum.
    pub fn add(&mut self, column: &str, value: f64) {
        *self.values.entry(column.to_owned()).or_default() += value;
    }

    /// Counts one episode by the origin of its goal.
    pub fn count_goal(&mut self, origin: GoalOrigin) {
        let column = match origin {
            GoalOrigin::Prior => "goals/from_prior",
            GoalOrigin::Replay => "goals/from_replay",
            GoalOrigin::SkewedReplay => "goals/from_skewed",
        };
        self.add(column, 1.0);
    }

    /// The epoch's row, without coverage and without the times that the loop adds.
    #[must_use]
    pub fn row(&self) -> BTreeMap<String, f64> {
        let means = self.means.iter().map(|(column, (sum, n))| (column.clone(), sum / *n as f64));
        means.chain(self.values.clone()).collect()
    }

    /// Seconds in environment, SAC, VAE and refresh together.
    #[must_use]
    pub fn accounted_s(&self) -> f64 {
        [ENV_S, SAC_S, VAE_S, REFRESH_S].iter().filter_map(|column| self.values.get(*column)).sum()
    }

    /// Drops non-finite values, which a checkpoint cannot hold. Nothing is learned from these values.
    pub fn keep_finite(&mut self) {
        self.values.retain(|_, value| value.is_finite());
        self.means.retain(|_, (sum, _)| sum.is_finite());
    }
}
