//! Coverage measured from pictures alone, for environments without known states: the nearest-neighbour entropy of the
//! features that an untrained network computes from the pictures.
//!
//! H = psi(n) - psi(k) + ln V_d + d/n sum_i ln r_i,  r_i: distance from picture i to its k-th neighbour,
//! V_d = pi^(d/2) / Gamma(d/2 + 1)
//! (Kozachenko & Leonenko 1987; Kraskov et al. 2004, arXiv cond-mat/0305641, equation 20, for r in place of 2r). The
//! network is initialised once, as in RE3 (Seo et al. 2021, arXiv 2102.09430). The unit is nats, up to a constant that
//! depends on the network: values compare only within a run, or between runs of the same seed and picture size.

use std::collections::VecDeque;

use crate::error::Result;
use crate::learn::episode::Episode;
use crate::learn::latent::{Architecture, LatentModel as _, Vae};
use crate::learn::nn::Workers;
use crate::learn::rng;
use crate::learn::settings::{LatentConfig, LinearInit};

/// d: number of features of a picture.
const DIM: usize = 8;
/// k: the neighbour whose distance is measured.
const NEIGHBOUR: usize = 3;
/// n: most pictures that are compared, spread evenly over the window.
const SAMPLED: usize = 1000;
/// Least distance, in units of the spread of noise: two equal pictures would give ln 0.
const MIN_DISTANCE: f64 = 1e-3;
/// Number of noise pictures; the spread of their features is the unit of distance.
const NOISE_PICTURES: usize = 64;

type Features = [f64; DIM];

/// The features of the newest pictures.
pub struct PictureEntropy {
    encoder: Vae,
    /// Spread of the features of noise pictures.
    unit: f64,
    window: usize,
    recent: VecDeque<Features>,
}

impl PictureEntropy {
    /// Starts without pictures; the entropy covers the last `window` pictures.
    ///
    /// # Errors
    /// `Usage` for a picture size without a default network.
    pub fn new(image_size: usize, seed: u64, window: usize) -> Result<Self> {
        let mut draws = rng::stream(seed, "coverage-encoder", &[]);
        let channels = Architecture::usual_channels(image_size).to_vec();
        let untrained = LatentConfig {
            dim: DIM,
            channels,
            beta: 1.0,
            batch: 1,
            learning_rate: 1e-3,
            init: LinearInit::Small,
            phases: Vec::new(),
        };
        let encoder = Vae::new(&untrained, image_size, &Workers::new(1), &mut draws)?;
        let mut this = Self { encoder, unit: 1.0, window, recent: VecDeque::new() };
        let noise = |_| (0..image_size * image_size * 3).map(|_| rand::Rng::random::<u8>(&mut draws)).collect();
        let noise: Vec<Vec<u8>> = (0..NOISE_PICTURES).map(noise).collect();
        let features = this.features(&noise.iter().map(Vec::as_slice).collect::<Vec<_>>())?;
        this.unit = spread(&features).max(f64::MIN_POSITIVE);
        Ok(this)
    }

    /// Adds an episode's pictures except the first, which belongs to the episode before.
    ///
    /// # Errors
    /// Those of the network; the shipped one has none.
    pub fn observe(&mut self, episode: &Episode) -> Result<()> {
        let pictures: Vec<&[u8]> = (1..=episode.steps()).map(|t| episode.frame(t)).collect();
        let features = self.features(&pictures)?;
        self.recent.extend(features);
        self.recent.drain(..self.recent.len().saturating_sub(self.window));
        Ok(())
    }

    /// Number of pictures that the entropy covers.
    #[must_use]
    pub fn window(&self) -> usize {
        self.window
    }

    /// Entropy of the window, nats; `None` with too few pictures.
    #[must_use]
    pub fn nats(&self) -> Option<f64> {
        let n = self.recent.len().min(SAMPLED);
        let compared: Vec<Features> = (0..n).map(|i| self.recent[i * self.recent.len() / n]).collect();
        entropy(&compared)
    }

    fn features(&mut self, pictures: &[&[u8]]) -> Result<Vec<Features>> {
        let means = self.encoder.encode(pictures)?;
        let point = |row: &[f32]| std::array::from_fn(|i| f64::from(row[i]) / self.unit);
        Ok(means.chunks_exact(DIM).map(point).collect())
    }
}

/// Root mean square deviation of the entries from their means.
fn spread(points: &[Features]) -> f64 {
    let n = points.len() as f64;
    let mean = |i: usize| points.iter().map(|p| p[i]).sum::<f64>() / n;
    let variance = |i: usize| points.iter().map(|p| (p[i] - mean(i)).powi(2)).sum::<f64>() / n;
    ((0..DIM).map(variance).sum::<f64>() / DIM as f64).sqrt()
}

/// H of points in any number of dimensions (see the module); `None` for k points or fewer.
fn entropy<const D: usize>(points: &[[f64; D]]) -> Option<f64> {
    let n = points.len();
    if n <= NEIGHBOUR {
        return None;
    }
    let logs: f64 = points.iter().enumerate().map(|(i, p)| neighbour(points, i, p).max(MIN_DISTANCE).ln()).sum();
    Some(digamma(n) - digamma(NEIGHBOUR) + ln_ball(D) + D as f64 / n as f64 * logs)
}

/// Distance from point `i` to its k-th neighbour.
fn neighbour<const D: usize>(points: &[[f64; D]], i: usize, p: &[f64; D]) -> f64 {
    let mut nearest = [f64::INFINITY; NEIGHBOUR];
    for (j, q) in points.iter().enumerate() {
        let squared: f64 = p.iter().zip(q).map(|(a, b)| (a - b) * (a - b)).sum();
        if j != i && squared < nearest[NEIGHBOUR - 1] {
            let at = nearest.partition_point(|d| *d <= squared);
            nearest[at..].rotate_right(1);
            nearest[at] = squared;
        }
    }
    nearest[NEIGHBOUR - 1].sqrt()
}

/// psi(n) = -gamma + sum_{i=1}^{n-1} 1/i.
fn digamma(n: usize) -> f64 {
    (1..n).map(|i| 1.0 / i as f64).sum::<f64>() - 0.577_215_664_901_532_9
}

/// ln V_d by V_0 = 1, V_1 = 2, V_d = 2 pi / d V_(d-2).
fn ln_ball(d: usize) -> f64 {
    match d {
        0 => 0.0,
        1 => 2f64.ln(),
        _ => (std::f64::consts::TAU / d as f64).ln() + ln_ball(d - 2),
    }
}

#[cfg(test)]
mod tests;
