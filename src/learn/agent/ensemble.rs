//! How several critics are combined (REDQ: Chen et al. 2021, arXiv 2101.05982, algorithm 1).
//!
//! The Bellman target uses  min(Qbar_j, Qbar_k)  of one random pair j != k per update; the actor maximises  mean_j Q_j.
//! With two critics, the pair is always both, and the actor maximises their minimum (clipped double Q: arXiv 1802.09477).

use rand::Rng as _;

use crate::learn::nn::mlp::Activations;
use crate::learn::rng::Rng;

/// A random pair of distinct critics out of `count`; with two critics, nothing is drawn.
pub fn pair(count: usize, rng: &mut Rng) -> [usize; 2] {
    if count == 2 {
        return [0, 1];
    }
    let (first, other) = (rng.random_range(0..count), rng.random_range(0..count - 1));
    [first, if other < first { other } else { other + 1 }]
}

/// min(a, b), NaN if either is NaN; `f32::min` would hide a NaN critic.
pub fn minimum(a: f32, b: f32) -> f32 {
    if a < b || a.is_nan() { a } else { b }
}

/// The Q that the actor maximises, in row `i`: the minimum of two critics, the mean of more; NaN if any critic is NaN.
pub fn actor_q(critics: &[Activations], i: usize) -> f32 {
    match critics {
        [first, second] => minimum(first.y[i], second.y[i]),
        _ => sum(critics, i) / critics.len() as f32,
    }
}

/// The derivative of [`actor_q`] with respect to critic `j`: 1 for the smaller of two and 0 for the other, 1 / N for more.
/// NaN if any critic is NaN, so that the actor's gradient shows it.
pub fn actor_q_slope(critics: &[Activations], j: usize, i: usize) -> f32 {
    let slope = match critics {
        [first, second] => f32::from(u8::from((second.y[i] < first.y[i]) == (j == 1))),
        _ => 1.0 / critics.len() as f32,
    };
    if sum(critics, i).is_nan() { f32::NAN } else { slope }
}

fn sum(critics: &[Activations], i: usize) -> f32 {
    critics.iter().map(|critic| critic.y[i]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::rng::stream;

    #[test]
    fn a_pair_is_two_distinct_critics_and_every_one_occurs() {
        for count in 2..=7 {
            let mut rng = stream(1, "pair", &[count as u64]);
            let mut drawn = vec![0; count * count];
            let each = 400;
            for _ in 0..each * count * (count - 1) {
                let [j, k] = pair(count, &mut rng);
                drawn[j * count + k] += 1;
            }
            for (at, times) in drawn.into_iter().enumerate() {
                let want = match (at / count, at % count) {
                    (0, 1) if count == 2 => each * 2,
                    (j, k) if j == k || count == 2 => 0,
                    _ => each,
                };
                let away = i64::from(times).abs_diff(want as i64);
                assert!(away <= 5 * (want as f64).sqrt() as u64 * u64::from(count > 2), "{count}: {at} {times}");
            }
        }
    }
}
