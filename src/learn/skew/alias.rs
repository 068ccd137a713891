//! O(1) draws from a fixed categorical distribution: Vose's alias method (IEEE Trans. Software Eng. 17, 1991).
//!
//! A draw picks column i uniformly; the result is i with probability threshold_i, otherwise the column's alias:
//! P(i) = (threshold_i + sum over columns j with alias i of (1 - threshold_j)) / N.

use rand::Rng as _;

use crate::learn::rng::Rng;

/// A categorical distribution over `0..len`, built in O(N).
///
/// ```
/// use skewfit::learn::{rng::stream, skew::AliasTable};
///
/// let table = AliasTable::new(&[3.0, 0.0, 1.0]).unwrap();
/// let mut rng = stream(0, "alias", &[]);
/// let draws: Vec<usize> = (0..1000).map(|_| table.sample(&mut rng)).collect();
/// assert!(!draws.contains(&1));
/// assert!((700..800).contains(&draws.iter().filter(|i| **i == 0).count())); // 750 expected
/// ```
#[derive(Clone, Debug)]
pub struct AliasTable {
    columns: Vec<AliasColumn>,
}

#[derive(Clone, Copy, Debug)]
struct AliasColumn {
    threshold: f64,
    alias: usize,
}

impl AliasTable {
    /// The table of weights (N), which need not be normalised; `None` if one is negative or their sum is not positive and
    /// finite.
    #[must_use]
    pub fn new(weights: &[f64]) -> Option<Self> {
        let total: f64 = weights.iter().sum();
        if !(total.is_finite() && total > 0.0) || weights.iter().any(|&w| w < 0.0) {
            return None;
        }
        let scale = weights.len() as f64 / total;
        let mut columns: Vec<AliasColumn> =
            weights.iter().enumerate().map(|(alias, w)| AliasColumn { threshold: w * scale, alias }).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) =
            (0..columns.len()).partition(|&i| columns[i].threshold < 1.0);
        while let (Some(&rich), Some(&poor)) = (large.last(), small.last()) {
            small.pop();
            columns[poor].alias = rich;
            columns[rich].threshold -= 1.0 - columns[poor].threshold;
            if columns[rich].threshold < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        // The remaining thresholds are 1 up to rounding. Set to 1, these columns need no second random number.
        small.iter().chain(&large).for_each(|&i| columns[i].threshold = 1.0);
        Some(Self { columns })
    }

    /// N.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Always false: the weights have a positive sum.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// One draw. It uses a second random number only if the column has two outcomes, so equal weights draw exactly as
    /// `random_range(0..N)` does.
    pub fn sample(&self, rng: &mut Rng) -> usize {
        let i = rng.random_range(0..self.columns.len());
        let AliasColumn { threshold, alias } = self.columns[i];
        if threshold >= 1.0 || rng.random::<f64>() < threshold { i } else { alias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::rng::stream;
    use crate::learn::skew::skew_weights;
    use proptest::{collection::vec, prop_assert, proptest};

    const P: [f64; 5] = [0.5, 0.2, 0.15, 0.1, 0.05];

    /// The distribution that the table draws from.
    fn implied(table: &AliasTable) -> Vec<f64> {
        let n = table.len() as f64;
        let mut p = vec![0.0; table.len()];
        for (i, c) in table.columns.iter().enumerate() {
            p[i] += c.threshold / n;
            p[c.alias] += (1.0 - c.threshold) / n;
        }
        p
    }

    fn counts(n: usize, mut draw: impl FnMut() -> usize) -> [f64; 5] {
        let mut counts = [0.0; 5];
        (0..n).for_each(|_| counts[draw()] += 1.0);
        counts
    }

    fn by_scan(p: &[f64], rng: &mut Rng) -> usize {
        let mut u = rng.random::<f64>();
        p.iter()
            .position(|p| {
                u -= p;
                u < 0.0
            })
            .unwrap_or(p.len() - 1)
    }

    #[test]
    fn oracle_10_draws_follow_the_weights() {
        let (n, mut rng) = (1_000_000, stream(10, "alias", &[]));
        let table = AliasTable::new(&P).unwrap();
        let alias = counts(n, || table.sample(&mut rng));
        let scan = counts(n, || by_scan(&P, &mut rng));
        let fit: f64 = (0..5).map(|i| (alias[i] - P[i] * n as f64).powi(2) / (P[i] * n as f64)).sum();
        let same: f64 = (0..5).map(|i| (alias[i] - scan[i]).powi(2) / (alias[i] + scan[i])).sum();
        assert!(fit < 23.5 && same < 23.5, "chi2(4 dof, p = 1e-4) = 23.5 < {fit} or {same}");
    }

    #[test]
    fn oracle_11_resampling_is_unbiased_and_steadier_than_weighting() {
        let log_p: Vec<f64> = (0..400).map(|i| -(f64::from(i) / 40.0).powi(2) / 8.0).collect(); // heavy-tailed weights
        let gradient = |i: usize| (i as f64 / 60.0).sin() + 0.3;
        let (n, p) = (log_p.len(), skew_weights(&log_p, -1.0).p);
        let raw: Vec<f64> = log_p.iter().map(|l| (-l).exp()).collect();
        let exact = (0..n).map(|i| p[i] * gradient(i)).sum::<f64>();
        let ratio = (0..n).map(|i| raw[i] * gradient(i)).sum::<f64>() / raw.iter().sum::<f64>();
        assert!((exact - ratio).abs() < 1e-12);

        let (draws, mut rng) = (200_000, stream(11, "alias", &[]));
        let table = AliasTable::new(&p).unwrap();
        let mut moments = |one: &mut dyn FnMut(&mut Rng) -> f64| {
            let (sum, square) = (0..draws).map(|_| one(&mut rng)).fold((0.0, 0.0), |(s, q), g| (s + g, q + g * g));
            let mean = sum / f64::from(draws);
            (mean, square / f64::from(draws) - mean * mean)
        };
        let resampled = moments(&mut |rng| gradient(table.sample(rng)));
        let weighted = moments(&mut |rng| {
            let i = rng.random_range(0..n);
            n as f64 * p[i] * gradient(i)
        });
        for (mean, variance) in [resampled, weighted] {
            assert!((mean - exact).abs() < 4.0 * (variance / f64::from(draws)).sqrt());
        }
        assert!(resampled.1 < 0.5 * weighted.1);
    }

    #[test]
    fn oracle_17_equal_weights_draw_like_the_uniform() {
        for n in [1, 49, 1000] {
            let table = AliasTable::new(&skew_weights(&vec![-3.0; n], -1.0).p).unwrap();
            let (mut a, mut b) = (stream(17, "alias", &[]), stream(17, "alias", &[]));
            assert!((0..1000).all(|_| table.sample(&mut a) == b.random_range(0..n)));
            assert_eq!(a, b);
        }
    }

    #[test]
    fn invalid_weights_give_no_table() {
        for bad in [&[][..], &[0.0, 0.0], &[1.0, -0.5], &[f64::NAN, 1.0], &[f64::INFINITY]] {
            assert!(AliasTable::new(bad).is_none(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn the_table_has_the_distribution_of_its_weights(log_w in vec(-30.0..0.0, 1..300), zero in 0usize..300) {
            let mut w: Vec<f64> = log_w.iter().map(|l: &f64| l.exp()).collect();
            if w.len() > 1 { let i = zero % w.len(); w[i] = 0.0; }
            let total: f64 = w.iter().sum();
            let table = AliasTable::new(&w).unwrap();
            for (p, w) in implied(&table).iter().zip(&w) {
                prop_assert!((p - w / total).abs() < 1e-12 && (*w > 0.0 || *p == 0.0));
            }
        }
    }
}
