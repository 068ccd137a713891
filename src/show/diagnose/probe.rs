//! Probes: how well latents predict a true state, on episodes that the probe was not fitted on. The linear probe is ridge
//! regression with intercept, (X'X + lambda n I) w = X'y on standardised latents; the other averages the nearest neighbours.

use crate::statistics::{mean, pearson, r_squared, variance};

/// lambda: large enough for a constant dimension, too small to affect a fit to a hundred frames.
const RIDGE: f64 = 1e-6;
/// Neighbours whose states are averaged: few, so that curved maps are fitted.
const NEIGHBOURS: usize = 5;
/// Every 4th episode is held out.
const HELD_OUT: usize = 4;

/// How well latents predict one entry of the true state.
#[derive(Clone, Debug, PartialEq)]
pub struct StateProbe {
    /// The state's name.
    pub name: String,
    /// R^2 of the linear probe on held-out episodes; `None` if the state does not vary or there are too few episodes.
    pub linear: Option<f64>,
    /// R^2 of the nearest-neighbour probe.
    pub nearest: Option<f64>,
    /// Correlation with each probed dimension, (Z).
    pub correlation: Vec<f64>,
}

/// Probes `latents` (n, Z) of frames from `episodes` (n) for a state `y` (n). With Z = 0, R^2 is 0 or less.
#[must_use]
pub fn probe(name: &str, latents: &[f32], dim: usize, episodes: &[u64], y: &[f64]) -> StateProbe {
    let rows = standardised(latents, y.len(), dim);
    let column = |d: usize| rows.iter().map(|row| row[d]).collect::<Vec<_>>();
    let correlation = (0..dim).map(|d| pearson(&column(d), y).unwrap_or(0.0)).collect();
    let mut distinct = episodes.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let held = |i: &usize| distinct.binary_search(&episodes[*i]).unwrap_or_default() % HELD_OUT == HELD_OUT - 1;
    let (test, train): (Vec<usize>, Vec<usize>) = (0..y.len()).partition(held);
    let truth: Vec<f64> = test.iter().map(|i| y[*i]).collect();
    let score = |predict: &dyn Fn(&[f64]) -> f64| {
        if train.len() <= dim + 1 {
            return None;
        }
        r_squared(&truth, &test.iter().map(|i| predict(&rows[*i])).collect::<Vec<_>>())
    };
    let weights = ridge(&train.iter().map(|i| (rows[*i].as_slice(), y[*i])).collect::<Vec<_>>(), dim);
    let linear = |row: &[f64]| weights[dim] + row.iter().zip(&weights).map(|(x, w)| x * w).sum::<f64>();
    let nearest = |row: &[f64]| {
        let mut near: Vec<(f64, f64)> = train.iter().map(|i| (squared(row, &rows[*i]), y[*i])).collect();
        let k = NEIGHBOURS.min(near.len());
        near.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0));
        near[..k].iter().map(|n| n.1).sum::<f64>() / k as f64
    };
    StateProbe { name: name.to_owned(), linear: score(&linear), nearest: score(&nearest), correlation }
}

/// Standardised latents, n rows of Z entries with mean 0 and variance 1; a constant dimension is 0.
fn standardised(latents: &[f32], n: usize, dim: usize) -> Vec<Vec<f64>> {
    let column = |d: usize| latents.iter().skip(d).step_by(dim.max(1)).map(|z| f64::from(*z)).collect::<Vec<_>>();
    let scales: Vec<(f64, f64)> = (0..dim).map(|d| (mean(&column(d)), variance(&column(d)).sqrt())).collect();
    let unit = |(z, (m, s)): (&f32, &(f64, f64))| if *s > 0.0 { (f64::from(*z) - m) / s } else { 0.0 };
    (0..n).map(|i| latents[i * dim..(i + 1) * dim].iter().zip(&scales).map(unit).collect()).collect()
}

/// Weights (Z) and the intercept.
fn ridge(rows: &[(&[f64], f64)], dim: usize) -> Vec<f64> {
    let n = dim + 1;
    let (mut gram, mut moment) = (vec![0.0; n * n], vec![0.0; n]);
    for (row, y) in rows {
        let entry = |i: usize| row.get(i).copied().unwrap_or(1.0);
        for i in 0..n {
            moment[i] += entry(i) * y;
            (0..=i).for_each(|j| gram[i * n + j] += entry(i) * entry(j));
        }
    }
    (0..n).for_each(|i| gram[i * n + i] += RIDGE * rows.len().max(1) as f64);
    solve(gram, moment, n)
}

/// Solves A x = b for a positive definite A (n, n) by A = L L', L c = b, L' x = c; only the lower half of A is used.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>, n: usize) -> Vec<f64> {
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let rest = a[i * n + j] - dot;
            a[i * n + j] = if i == j { rest.max(f64::MIN_POSITIVE).sqrt() } else { rest / a[j * n + j] };
        }
    }
    for i in 0..n {
        let dot: f64 = (0..i).map(|k| a[i * n + k] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i * n + i];
    }
    for i in (0..n).rev() {
        let dot: f64 = (i + 1..n).map(|k| a[k * n + i] * b[k]).sum();
        b[i] = (b[i] - dot) / a[i * n + i];
    }
    b
}

fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::*;
    use crate::learn::rng::stream;

    /// 40 episodes of 10 frames, Z = 3, the last dimension constant.
    fn frames() -> (Vec<f32>, Vec<u64>) {
        let mut rng = stream(0, "probe", &[]);
        let z = (0..1200).map(|i| if i % 3 == 2 { 0.7 } else { rng.random_range(-2.0..2.0) }).collect();
        (z, (0..400).map(|i| i / 10).collect())
    }

    #[test]
    fn states_encoded_in_the_latents_are_predicted_and_others_are_not() {
        let (z, episodes) = frames();
        let state = |f: &dyn Fn(f64, f64) -> f64| -> StateProbe {
            let y: Vec<f64> = z.chunks(3).map(|r| f(f64::from(r[0]), f64::from(r[1]))).collect();
            probe("y", &z, 3, &episodes, &y)
        };
        let linear = state(&|a, b| 2.0 * a - b + 5.0);
        assert!(
            linear.linear.unwrap() > 0.9999 && linear.correlation[0] > 0.8 && linear.correlation[1] < -0.3,
            "{linear:?}"
        );
        assert_eq!(linear.correlation[2], 0.0);
        let curved = state(&|a, _| a.abs());
        assert!(curved.linear.unwrap() < 0.1 && curved.nearest.unwrap() > 0.9, "{curved:?}");
        let constant = state(&|_, _| 1.0);
        assert_eq!((constant.linear, constant.nearest), (None, None));
        let mut rng = stream(1, "probe", &[]);
        let noise: Vec<f64> = (0..400).map(|_| rng.random()).collect();
        assert!(probe("y", &z, 3, &episodes, &noise).linear.unwrap() < 0.1);
    }

    #[test]
    fn held_out_episodes_do_not_profit_from_their_own_frames() {
        // Latent and state are constant within an episode: held-out episodes cannot be predicted.
        let episodes: Vec<u64> = (0..400).map(|i| i / 10).collect();
        let mut rng = stream(2, "probe", &[]);
        let own: Vec<(f32, f64)> = (0..40).map(|_| (rng.random(), rng.random())).collect();
        let z: Vec<f32> = episodes.iter().map(|e| own[*e as usize].0).collect();
        let y: Vec<f64> = episodes.iter().map(|e| own[*e as usize].1).collect();
        assert!(probe("y", &z, 1, &episodes, &y).nearest.unwrap() < 0.2);
    }

    #[test]
    fn without_dimensions_r_squared_is_zero_or_less() {
        let (z, episodes) = frames();
        let y: Vec<f64> = z.iter().step_by(3).map(|z| f64::from(*z)).collect();
        let found = probe("y", &[], 0, &episodes, &y);
        assert!(found.linear.unwrap() <= 0.0 && found.nearest.unwrap() <= 0.0 && found.correlation.is_empty());
    }

    #[test]
    fn one_episode_is_too_few() {
        let found = probe("y", &[0.0, 1.0], 1, &[0, 0], &[0.0, 1.0]);
        assert_eq!((found.linear, found.nearest), (None, None));
    }
}
