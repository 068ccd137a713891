//! A skewed distribution over replay: which transitions it covers, and how evictions change it.

use super::*;
use crate::learn::skew::{SkewInfo, skew_weights};

/// Replay with a distribution over it, as in a learner.
struct ReplayWithSkew {
    replay: Replay,
    skewed: SkewedDistribution,
}

impl ReplayWithSkew {
    fn filled(capacity: usize, lengths: &[usize]) -> Self {
        Self { replay: filled(capacity, lengths), skewed: SkewedDistribution::default() }
    }

    fn skew(&mut self, power: f64) -> SkewInfo {
        let log_density = |e: &StoredEpisode| (0..e.steps()).map(|t| density(e.id(), t)).collect::<Vec<_>>();
        let log_density = self.replay.episodes().flat_map(log_density).collect();
        let (skewed, info) = SkewedDistribution::new(log_density, power, 0.0);
        self.skewed = skewed;
        info
    }

    fn push(&mut self, id: u64, steps: usize) {
        let evicted = push(&mut self.replay, id, steps);
        self.skewed.evict(evicted);
    }

    /// Observed frequency of each stored transition in the skewed draws, (id, t) -> share.
    fn shares(&self, n: usize) -> std::collections::BTreeMap<(u64, usize), f64> {
        let (mut rng, mut shares) = (stream(1, "replay", &[]), std::collections::BTreeMap::new());
        for _ in 0..n {
            let slot = self.replay.draw(&self.skewed, &mut rng).unwrap();
            *shares.entry((self.replay.episode(slot).id(), slot.step)).or_insert(0.0) += 1.0 / n as f64;
        }
        shares
    }

    /// Asserts that the draws follow p^power over exactly the transitions of these (id, steps).
    fn follows(&self, of: &[(u64, usize)], power: f64) {
        let keys: Vec<_> = of.iter().flat_map(|&(id, steps)| (0..steps).map(move |t| (id, t))).collect();
        let want = skew_weights(&keys.iter().map(|&(id, t)| density(id, t)).collect::<Vec<_>>(), power);
        assert_eq!(self.skewed.weights(), Some(&want));
        let n = 200_000;
        let got = self.shares(n);
        assert!(got.keys().all(|key| keys.contains(key)));
        for (key, p) in keys.iter().zip(&want.p) {
            let share = got.get(key).copied().unwrap_or(0.0);
            assert!((share - p).abs() < 5.0 * (p / n as f64).sqrt() + 1e-9, "{key:?}: {share} is not {p}");
        }
    }
}

/// An irregular log p of step t of episode `id`.
fn density(id: u64, t: usize) -> f64 {
    -(((id * 31 + t as u64 * 17) % 13) as f64)
}

#[test]
fn oracle_16_skew_covers_the_buffer_of_the_last_refresh() {
    let mut buffer = ReplayWithSkew::filled(100, &[6, 4, 5]);
    assert!(!buffer.skewed.is_skewed());
    let info = buffer.skew(-0.5);
    assert!(buffer.skewed.is_skewed() && info.power == -0.5);
    let weights = skew_weights(buffer.skewed.log_density(), -0.5);
    assert_eq!((info.ess, info.max_weight), (weights.ess() / weights.p.len() as f64, weights.max()));
    buffer.push(3, 9);
    assert_eq!(buffer.skewed.log_density().len(), 15, "later episodes are not covered");
    buffer.follows(&[(0, 6), (1, 4), (2, 5)], -0.5);
}

#[test]
fn evicted_mass_goes_to_the_rest() {
    let mut buffer = ReplayWithSkew::filled(15, &[6, 4, 5]);
    buffer.skew(-0.4);
    buffer.push(3, 3);
    buffer.follows(&[(1, 4), (2, 5)], -0.4);
    buffer.push(4, 14);
    assert!(!buffer.skewed.is_skewed());
    assert!(buffer.replay.draw(&buffer.skewed, &mut stream(0, "replay", &[])).is_some(), "draws are uniform now");
}

#[test]
fn weights_stay_valid_when_the_heaviest_episode_is_evicted() {
    let mut buffer = ReplayWithSkew::filled(4, &[2, 2]);
    buffer.skewed = SkewedDistribution::new(vec![-5000.0, -5000.0, 0.0, -1.0], -1.0, 0.0).0;
    buffer.push(2, 2);
    let odds = buffer.shares(100_000);
    assert!((odds[&(1, 1)] / odds[&(1, 0)] - std::f64::consts::E).abs() < 0.1);
}

#[test]
fn oracle_17_alpha_zero_draws_as_if_there_were_no_skewing() {
    let [mut rig, mut plain] = [0, 1].map(|_| ReplayWithSkew::filled(100, &[6, 4, 5]));
    rig.skew(0.0);
    rig.push(3, 9);
    plain.push(3, 9);
    let (mut a, mut b) = (stream(17, "replay", &[]), stream(17, "replay", &[]));
    assert!((0..2000).all(|_| rig.replay.draw(&rig.skewed, &mut a) == plain.replay.draw_uniform(&mut b)));
    assert!(a == b && !rig.skewed.is_skewed());
}

#[test]
fn densities_without_a_power_leave_draws_uniform() {
    let mut buffer = ReplayWithSkew::filled(100, &[2]);
    buffer.skewed = SkewedDistribution::unskewed(vec![-1.0, -2.0]);
    assert!(!buffer.skewed.is_skewed() && buffer.skewed.weights().is_none());
    assert_eq!(buffer.skewed.log_density(), [-1.0, -2.0]);
    buffer.skewed.evict(1);
    assert_eq!(buffer.skewed.log_density(), [-2.0]);
}
