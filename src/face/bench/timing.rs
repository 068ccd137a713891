//! A unit of work, repeated under the clock, and its figures.

use std::time::Instant;

use serde::Serialize;

use crate::error::Result;
use crate::keep::provenance::{Whose, cpu_s};

/// One repetition of a unit.
pub type Work = Box<dyn FnMut() -> Result<()>>;

/// One unit's figure.
#[derive(Clone, Debug, Serialize)]
pub struct Timing {
    /// Name.
    pub unit: String,
    /// Milliseconds.
    pub median_ms: f64,
    /// Milliseconds.
    pub min_ms: f64,
    /// Milliseconds of the processor, of this thread, on average: the rest was spent waiting, as for a disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<f64>,
    /// Repetitions after five that are not counted; 1 = without those.
    pub n: usize,
    /// GFLOP/s of its products, at the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// Where the time went, for a unit that has parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<EpochParts>,
}

/// Where the time of an epoch goes, milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct EpochParts {
    /// Acting in the scene, goals and pictures included.
    pub env_ms: f64,
    /// Committing episodes to the disk.
    pub commit_ms: f64,
    /// Batches of SAC updates: gathering, relabelling, rewards, noise.
    pub gather_ms: f64,
    /// SAC updates.
    pub sac_ms: f64,
    /// VAE updates, batches included.
    pub vae_ms: f64,
    /// Encoding the replay.
    pub encode_ms: f64,
    /// Densities of the replay.
    pub density_ms: f64,
    /// New latents in place, weights and their alias table.
    pub weights_ms: f64,
    /// The rest: new episodes encoded and put into the buffer.
    pub other_ms: f64,
    /// Share of the epoch that is neither the scene nor kernels, in percent: commit, gather, weights and the rest.
    pub overhead_percent: f64,
}

impl EpochParts {
    /// Settles the rest and the overhead of an epoch that took `all_ms`.
    pub(super) fn with_total(mut self, all_ms: f64) -> Self {
        let kernels = self.env_ms + self.sac_ms + self.vae_ms + self.encode_ms + self.density_ms;
        self.other_ms = all_ms - kernels - self.commit_ms - self.gather_ms - self.weights_ms;
        self.overhead_percent = 100.0 * (1.0 - kernels / all_ms);
        self
    }
}

/// Does `work` five times without counting, then `n` times, `each` calls between two looks at the clock.
pub(super) fn repeat(unit: &str, n: usize, each: usize, mut work: Work) -> Result<Timing> {
    for _ in 0..5 {
        work()?;
    }
    let mut millis = Vec::with_capacity(n);
    let cpu = cpu_s(Whose::Thread);
    for _ in 0..n {
        let start = Instant::now();
        (0..each).try_for_each(|_| work())?;
        millis.push(start.elapsed().as_secs_f64() * 1e3 / each as f64);
    }
    let waits = ["commit_episode", "checkpoint_door"].contains(&unit);
    let cpu_ms = waits.then(|| (cpu_s(Whose::Thread) - cpu) * 1e3 / (n * each) as f64);
    millis.sort_by(f64::total_cmp);
    let (unit, median_ms, min_ms) = (unit.to_owned(), millis[n / 2], millis[0]);
    Ok(Timing { unit, median_ms, min_ms, cpu_ms, n, gflops: None, parts: None })
}
