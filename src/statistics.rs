//! Means, correlations, ranks and entropies of finite numbers; quantiles of the normal distribution.

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
#[must_use]
pub fn ranks(x: &[f64]) -> Vec<f64> {
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

/// The x below which the standard normal distribution has probability `p`, to 7 digits; infinite at 0 and 1, NaN beyond.
/// Wichura 1988 (Applied Statistics 37, algorithm AS 241, PPND7): a ratio of polynomials in three ranges.
#[must_use]
pub fn probit(p: f64) -> f64 {
    let centred = p - 0.5;
    if centred.abs() <= 0.425 {
        let r = 0.180_625 - centred * centred;
        let over = ((59.109_374_720 * r + 159.291_132_02) * r + 50.434_271_938) * r + 3.387_132_717_9;
        return centred * over / (((67.187_563_6 * r + 78.757_757_664) * r + 17.895_169_469) * r + 1.0);
    }
    let tail = p.min(1.0 - p);
    if tail <= 0.0 {
        return if tail == 0.0 { f64::INFINITY.copysign(centred) } else { f64::NAN };
    }
    let r = (-tail.ln()).sqrt();
    let size = if r <= 5.0 {
        let r = r - 1.6;
        let over = ((0.170_238_211_03 * r + 1.306_728_481_6) * r + 2.756_815_39) * r + 1.423_437_277_7;
        over / ((0.120_211_329_75 * r + 0.737_001_642_5) * r + 1.0)
    } else {
        let r = r - 5.0;
        let over = ((0.017_337_203_997 * r + 0.428_682_943_37) * r + 3.081_226_386) * r + 6.657_905_115;
        over / ((0.012_258_202_635 * r + 0.241_978_942_25) * r + 1.0)
    };
    size.copysign(centred)
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

    /// Quantiles by Python's `statistics.NormalDist().inv_cdf`.
    #[test]
    fn oracle_34_quantiles_of_the_normal_distribution() {
        for (p, x) in [
            (1e-20, -9.262340089798405),
            (1e-09, -5.9978070150076865),
            (1.4e-11, -6.656723091518184),
            (1e-05, -4.2648907939228256),
            (0.001, -3.090232306167813),
            (0.025, -1.9599639845400538),
            (0.075, -1.4395314709384557),
            (0.1, -1.2815515655446008),
            (0.25, -0.6744897501960817),
            (0.6, 0.2533471031357998),
            (0.9, 1.2815515655446008),
            (0.975, 1.9599639845400536),
            (0.9999, 3.7190164854557084),
        ] {
            assert!((probit(p) - x).abs() < 2e-7 * (1.0 + f64::abs(x)), "{p}: {} {x}", probit(p));
        }
        for p in [1e-5, 0.02, 0.074, 0.076, 0.3] {
            assert!((probit(1.0 - p) + probit(p)).abs() < 1e-9);
        }
        assert_eq!([probit(0.5), probit(0.0), probit(1.0)], [0.0, f64::NEG_INFINITY, f64::INFINITY]);
        assert!(probit(-0.1).is_nan() && probit(1.1).is_nan() && probit(f64::NAN).is_nan());
    }
}
