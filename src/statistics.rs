//! Means, correlations, ranks and entropies of finite numbers.

/// Arithmetic mean; 0 for an empty slice.
#[must_use]
pub fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len().max(1) as f64
}

/// Mean squared deviation from the mean.
#[must_use]
pub fn variance(x: &[f64]) -> f64 {
    let m = mean(x);
    x.iter().map(|v| (v - m).powi(2)).sum::<f64>() / x.len().max(1) as f64
}

/// Pearson's correlation, in [-1, 1]; `None` if one side does not vary.
#[must_use]
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    let (mx, my) = (mean(x), mean(y));
    let both = x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).sum::<f64>() / x.len().max(1) as f64;
    let spread = (variance(x) * variance(y)).sqrt();
    (spread > 0.0).then(|| (both / spread).clamp(-1.0, 1.0))
}

/// Spearman's rank correlation (1904), in [-1, 1]: Pearson's correlation of the ranks; `None` if one side does not
/// vary.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(x), ranks(y));
    let middle = (x.len() as f64 - 1.0) / 2.0; // sums of products of halves are exact, so a perfect correlation is exactly 1
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum::<f64>();
    let scale = (product(&a, &a) * product(&b, &b)).sqrt();
    (scale > 0.0).then(|| product(&a, &b) / scale)
}

/// Coefficient of determination  1 - sum (y - y')^2 / sum (y - mean y)^2; `None` if y does not vary.
#[must_use]
pub fn r_squared(y: &[f64], predicted: &[f64]) -> Option<f64> {
    let error = y.iter().zip(predicted).map(|(y, p)| (y - p).powi(2)).sum::<f64>() / y.len().max(1) as f64;
    let spread = variance(y);
    (spread > 0.0).then(|| 1.0 - error / spread)
}

/// Entropy  H = sum_i w_i / W ln(W / w_i),  W = sum_i w_i,  of weights that are not negative, nats; 0 if all are 0.
#[must_use]
pub fn entropy_nats(weights: &[f64]) -> f64 {
    let sum: f64 = weights.iter().sum();
    weights.iter().filter(|w| **w > 0.0).map(|w| w / sum * (sum / w).ln()).sum()
}

/// Ranks in ascending order, from 0; equal values share the mean of their ranks.
fn ranks(x: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|a, b| x[*a].total_cmp(&x[*b]));
    let mut ranks = vec![0.0; x.len()];
    let mut first = 0;
    for equal in order.chunk_by(|a, b| x[*a] == x[*b]) {
        let rank = first as f64 + (equal.len() - 1) as f64 / 2.0;
        equal.iter().for_each(|i| ranks[*i] = rank);
        first += equal.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_agree_with_tables() {
        // IQ against hours of television, a textbook example: rho = -29/165.
        let iq = [106., 100., 86., 101., 99., 103., 97., 113., 112., 110.];
        let hours = [7., 27., 2., 50., 28., 29., 20., 12., 6., 17.];
        assert!((spearman(&iq, &hours).unwrap() + 29.0 / 165.0).abs() < 1e-12);
        assert_eq!(spearman(&[1., 2., 3.], &[-8., 0., 1e9]), Some(1.0));
        assert_eq!(spearman(&[1., 2., 3.], &[3., 2., 1.]), Some(-1.0));
        // Ties share a rank: (0, .5, .5, 2) would be wrong; SciPy: spearmanr([1,2,2,3],[1,2,3,4]) = .9486832980505138.
        assert!((spearman(&[1., 2., 2., 3.], &[1., 2., 3., 4.]).unwrap() - 0.948_683_298_050_513_8).abs() < 1e-15);
        assert_eq!((spearman(&[1., 1.], &[1., 2.]), spearman(&[], &[]), spearman(&[1.], &[1.])), (None, None, None));
    }

    #[test]
    fn entropies_of_known_weights() {
        for (weights, nats) in [
            (&[][..], 0.0),
            (&[0.0, 0.0], 0.0),
            (&[7.0, 0.0], 0.0),
            (&[0.1; 10], 10f64.ln()),
            (&[2.0, 1.0, 1.0], 1.5 * 2f64.ln()),
        ] {
            assert!((entropy_nats(weights) - nats).abs() < 1e-12, "{weights:?}");
        }
    }

    #[test]
    fn correlations_of_known_numbers() {
        let x = [1.0, 2.0, 3.0, 4.0];
        for (y, linear, rank) in [
            ([2.0, 4.0, 6.0, 8.0], Some(1.0), Some(1.0)),
            ([8.0, 6.0, 4.0, 2.0], Some(-1.0), Some(-1.0)),
            ([1.0, 10.0, 100.0, 1000.0], Some(0.824_17), Some(1.0)),
            ([1.0, 3.0, 2.0, 4.0], Some(0.8), Some(0.8)),
            ([1.0, 1.0, 2.0, 2.0], Some(0.894_427_190_999_915_9), Some(0.894_427_190_999_915_9)),
            ([5.0; 4], None, None),
        ] {
            let close = |a: Option<f64>, b: Option<f64>| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-3,
                (a, b) => a == b,
            };
            assert!(close(pearson(&x, &y), linear) && close(spearman(&x, &y), rank), "{y:?}");
        }
        assert_eq!((spearman(&[], &[]), mean(&[])), (None, 0.0));
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
        assert_eq!([r_squared(&x, &x), r_squared(&x, &[2.5; 4])], [Some(1.0), Some(0.0)]);
    }
}
