//! Times repetitions of a unit.

use std::time::Instant;

use serde::Serialize;

use crate::error::Result;
use crate::keep::provenance::{CpuClock, cpu_s};

/// One repetition of a unit.
pub type Work = Box<dyn FnMut() -> Result<()>>;

/// Times of one unit.
#[derive(Clone, Debug, Serialize)]
pub struct Timing {
    /// Name of the unit.
    pub unit: String,
    /// Median of a repetition, milliseconds.
    pub median_ms: f64,
    /// Shortest repetition, milliseconds.
    pub min_ms: f64,
    /// Mean processor time of this thread, milliseconds; for units that wait for the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<f64>,
    /// Number of timed repetitions. Five more come before them, except with n = 1.
    pub n: usize,
    /// GFLOP/s of the unit's products, at the median time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// Times of the parts, for a unit that has parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<EpochParts>,
}

/// Times of an epoch's parts, milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct EpochParts {
    /// Collecting episodes, with goals and rendering.
    pub env_ms: f64,
    /// Committing episodes to disk.
    pub commit_ms: f64,
    /// Batches of SAC updates: sampling, relabelling, rewards, noise.
    pub gather_ms: f64,
    /// SAC updates.
    pub sac_ms: f64,
    /// VAE updates, with their batches.
    pub vae_ms: f64,
    /// Encoding replay.
    pub encode_ms: f64,
    /// Densities of replay.
    pub density_ms: f64,
    /// Storing the new latents, computing the weights and their alias table.
    pub weights_ms: f64,
    /// The rest: encoding new episodes and adding them to replay.
    pub other_ms: f64,
    /// Percentage of the epoch that is neither scene nor kernels: commit, gather, weights and the rest.
    pub overhead_percent: f64,
}

impl EpochParts {
    /// Fills in the rest and the overhead of an epoch of `all_ms`.
    pub(super) fn with_total(mut self, all_ms: f64) -> Self {
        let kernels = self.env_ms + self.sac_ms + self.vae_ms + self.encode_ms + self.density_ms;
        self.other_ms = all_ms - kernels - self.commit_ms - self.gather_ms - self.weights_ms;
        self.overhead_percent = 100.0 * (1.0 - kernels / all_ms);
        self
    }
}

/// Does `work` five times untimed, then times `n` repetitions of `each` calls.
pub(super) fn repeat(unit: &str, n: usize, each: usize, mut work: Work) -> Result<Timing> {
    for _ in 0..5 {
        work()?;
    }
    let mut millis = Vec::with_capacity(n);
    let cpu = cpu_s(CpuClock::Thread);
    for _ in 0..n {
        let start = Instant::now();
        (0..each).try_for_each(|_| work())?;
        millis.push(start.elapsed().as_secs_f64() * 1e3 / each as f64);
    }
    let waits = ["commit_episode", "checkpoint_door"].contains(&unit);
    let cpu_ms = waits.then(|| (cpu_s(CpuClock::Thread) - cpu) * 1e3 / (n * each) as f64);
    millis.sort_by(f64::total_cmp);
    let (unit, median_ms, min_ms) = (unit.to_owned(), millis[n / 2], millis[0]);
    Ok(Timing { unit, median_ms, min_ms, cpu_ms, n, gflops: None, parts: None })
}
