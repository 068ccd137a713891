//! Skew-Fit's weights: P_i = p(s_i)^power / sum_j p(s_j)^power, power <= 0 (Pong et al. 2020, arXiv 1903.03698, section 3).
//!
//! power = 0 gives uniform weights (RIG); power = -1 aims at uniform coverage, for a density in nats. Computed in log space as
//! softmax(power log p), shifted by its maximum, so that nothing overflows. [`AliasTable`](super::AliasTable) draws from P.

/// Bisections in [`Weights::tempered`]: power is found to one part in 2^30.
const BISECTIONS: usize = 30;

/// Probabilities of N samples, non-negative, summing to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// (N).
    pub p: Vec<f64>,
}

/// P_skew of N samples from their `log_density` (N, nats), in the same order.
///
/// Defined for every input: a sample whose density is not finite gets weight 0; if no density is finite, all weights are
/// equal.
///
/// ```
/// use skewfit::learn::skew::skew_weights;
///
/// let log_p = [0.0, -2f64.ln()]; // the second sample is half as likely
/// assert!((skew_weights(&log_p, -1.0).p[1] - 2.0 / 3.0).abs() < 1e-12);
/// assert_eq!(skew_weights(&log_p, 0.0).p, [0.5, 0.5]);
/// ```
#[must_use]
pub fn skew_weights(log_density: &[f64], power: f64) -> Weights {
    let scores: Vec<f64> = log_density.iter().map(|log_p| power * log_p).collect();
    let Some(top) = scores.iter().copied().filter(|s| s.is_finite()).reduce(f64::max) else {
        return Weights::uniform(log_density.len());
    };
    let mut p: Vec<f64> = scores.iter().map(|s| if s.is_finite() { (s - top).exp() } else { 0.0 }).collect();
    let sum: f64 = p.iter().sum(); // >= 1: the top score contributes exp(0)
    p.iter_mut().for_each(|w| *w /= sum);
    Weights { p }
}

impl Weights {
    /// N equal weights, 1/N.
    #[must_use]
    pub fn uniform(n: usize) -> Self {
        Self { p: vec![1.0 / n as f64; n] }
    }

    /// [`skew_weights`] with the strongest power in [power, 0] whose ESS is at least `min_ess_fraction` of N, and that power.
    ///
    /// ESS never grows with |power| (log ESS = 2 K(b) - K(2b), K = log sum exp is convex), so bisection finds the power.
    /// If power 0 does not reach the fraction either (because of densities that are not finite), power 0 is used.
    ///
    /// ```
    /// use skewfit::learn::skew::Weights;
    ///
    /// let (weights, power) = Weights::tempered(&[0.0, 0.0, 0.0, -9.0], -1.0, 0.5);
    /// assert!(weights.ess() >= 2.0 && -1.0 < power && power < 0.0);
    /// ```
    #[must_use]
    pub fn tempered(log_density: &[f64], power: f64, min_ess_fraction: f64) -> (Self, f64) {
        let floor = min_ess_fraction * log_density.len() as f64;
        let full = skew_weights(log_density, power);
        if full.ess() >= floor {
            return (full, power);
        }
        let (mut holds, mut fails) = (0.0, power);
        for _ in 0..BISECTIONS {
            let middle = 0.5 * (holds + fails);
            let enough = skew_weights(log_density, middle).ess() >= floor;
            *(if enough { &mut holds } else { &mut fails }) = middle;
        }
        (skew_weights(log_density, holds), holds)
    }

    /// Effective sample size 1 / sum P^2, in [1, N]; 0 when empty.
    #[must_use]
    pub fn ess(&self) -> f64 {
        if self.p.is_empty() { 0.0 } else { 1.0 / self.p.iter().map(|p| p * p).sum::<f64>() }
    }

    /// Largest probability; 0 when empty.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.p.iter().copied().fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::settings::SkewConfig;
    use crate::statistics::probit;
    use proptest::prelude::*;

    const P: [f64; 5] = [0.5, 0.2, 0.15, 0.1, 0.05];
    const Q: [f64; 5] = [0.4, 0.3, 0.1, 0.15, 0.05];

    fn close(got: &[f64], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        assert!(got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-12), "{got:?} is not {want:?}");
    }

    fn ln(p: &[f64]) -> Vec<f64> {
        p.iter().map(|p| p.ln()).collect()
    }

    fn normalised(w: impl Iterator<Item = f64>) -> Vec<f64> {
        let w: Vec<f64> = w.collect();
        let sum: f64 = w.iter().sum();
        w.iter().map(|w| w / sum).collect()
    }

    fn entropy(p: &[f64]) -> f64 {
        -p.iter().map(|p| p * p.ln()).sum::<f64>()
    }

    /// The empirical distribution p after weighting each of its samples by q^power.
    fn skewed(p: &[f64], q: &[f64], power: f64) -> Vec<f64> {
        normalised(skew_weights(&ln(q), power).p.iter().zip(p).map(|(w, p)| w * p))
    }

    #[test]
    fn oracle_06_softmax_of_alpha_log_density() {
        let log_p = [-3.0, -1.0, -7.5, 0.25, -1.0];
        let power = -0.7;
        let shifted: Vec<f64> = log_p.iter().map(|l| l - 9000.0).collect();
        let weights = skew_weights(&log_p, power).p;
        close(&skew_weights(&shifted, power).p, &weights);
        close(&normalised(log_p.iter().map(|l| (power * l).exp())), &weights);
        let mean = power * log_p.iter().sum::<f64>() / 5.0;
        close(&normalised(log_p.iter().map(|l| (power * l - mean).exp())), &weights);
        assert!((weights[2] / weights[0] - (power * (-7.5 + 3.0f64)).exp()).abs() < 1e-12);
        close(&skew_weights(&ln(&P), -1.0).p, &normalised(P.iter().map(|p| 1.0 / p)));
    }

    #[test]
    fn oracle_07_equal_densities_are_a_fixed_point() {
        close(&skew_weights(&[-812.5; 7], -1.0).p, &[1.0 / 7.0; 7]);
    }

    #[test]
    fn oracle_08_ideal_iteration() {
        for power in [0.0, -0.25, -0.5, -1.0] {
            let mut p = P.to_vec();
            for t in 1..=6 {
                let next = skewed(&p, &p, power);
                assert!(entropy(&next) >= entropy(&p) - 1e-12);
                p = next;
                close(&p, &normalised(P.iter().map(|p| p.powf((1.0 + power).powi(t)))));
            }
        }
        close(&skewed(&P, &P, -1.0), &[0.2; 5]);
        close(&skewed(&P, &P, -2.0), &normalised(P.iter().map(|p| 1.0 / p)));
        close(&skewed(&skewed(&P, &P, -2.0), &skewed(&P, &P, -2.0), -2.0), &P);
        let twice = skewed(&skewed(&P, &P, -2.5), &skewed(&P, &P, -2.5), -2.5);
        assert!(entropy(&twice) < entropy(&P) - 0.1);
    }

    #[test]
    fn oracle_09_entropy_gain_is_minus_the_covariance() {
        let mean = |f: &dyn Fn(usize) -> f64| (0..5).map(|i| P[i] * f(i)).sum::<f64>();
        let covariance = |q: &[f64; 5]| mean(&|i| P[i].ln() * q[i].ln()) - mean(&|i| P[i].ln()) * mean(&|i| q[i].ln());
        let slope = |q: &[f64; 5]| {
            let h = 1e-5;
            (entropy(&skewed(&P, q, h)) - entropy(&skewed(&P, q, -h))) / (2.0 * h)
        };
        assert!((slope(&Q) + 0.401_153).abs() < 1e-6 && (slope(&Q) + covariance(&Q)).abs() < 1e-8);
        for (power, h) in [(0.0, 1.333_074), (-0.5, 1.501_394), (-1.0, 1.557_802)] {
            assert!((entropy(&skewed(&P, &Q, power)) - h).abs() < 1e-6, "power {power}");
        }
        let wrong = [0.05, 0.1, 0.15, 0.3, 0.4];
        assert!(covariance(&wrong) < 0.0 && entropy(&skewed(&P, &wrong, -0.01)) < entropy(&P));
    }

    #[test]
    fn oracle_17_alpha_zero_is_exactly_uniform() {
        for n in [1, 3, 49, 1000] {
            let log_p: Vec<f64> = (0..n).map(|i| -f64::from(i) * 37.3).collect();
            assert_eq!(skew_weights(&log_p, 0.0), Weights::uniform(log_p.len()));
        }
    }

    #[test]
    fn non_finite_densities_get_no_weight() {
        let (inf, nan) = (f64::INFINITY, f64::NAN);
        close(&skew_weights(&[0.0, -inf, nan, inf, 0.0], -1.0).p, &[0.5, 0.0, 0.0, 0.0, 0.5]);
        close(&skew_weights(&[nan, -inf, inf], -1.0).p, &[1.0 / 3.0; 3]);
        close(&skew_weights(&[-1e308, 1e308], -1.0).p, &[1.0, 0.0]);
        assert_eq!((skew_weights(&[], -1.0).ess(), skew_weights(&[], -1.0).max()), (0.0, 0.0));
    }

    #[test]
    fn tempering_meets_the_floor_and_no_more() {
        let log_p: Vec<f64> = (0..1000).map(|i| if i == 0 { -60.0 } else { -(f64::from(i) * 0.7).sin() }).collect();
        assert!(skew_weights(&log_p, -1.0).ess() < 1.01);
        let (weights, used) = Weights::tempered(&log_p, -1.0, 0.3);
        assert!((weights.ess() / 300.0 - 1.0).abs() < 1e-6 && weights.ess() >= 300.0, "ESS {}", weights.ess());
        assert!(-1.0 < used && used < 0.0);
        assert_eq!(weights, skew_weights(&log_p, used));
        assert_eq!(Weights::tempered(&log_p, -1.0, 0.0), (skew_weights(&log_p, -1.0), -1.0));
        assert_eq!(Weights::tempered(&[f64::NAN, 0.0, -1.0], -1.0, 1.0).1, 0.0);
    }

    /// log p normal with standard deviation s: ESS / N = E[w]^2 / E[w^2] = exp(-(power s)^2).
    #[test]
    fn oracle_35_a_target_ess_is_met() {
        let scores: Vec<f64> = (0..20_000).map(|i| probit((f64::from(i) + 0.5) / 20_000.0)).collect();
        let skew = |power, target_ess| SkewConfig { power, target_ess, min_ess: 0.0, start_epoch: 0 };
        let tempered = |spread: f64, skew: SkewConfig| {
            let log_p: Vec<f64> = scores.iter().map(|z| spread * z).collect();
            let (power, floor) = skew.power_and_floor();
            Weights::tempered(&log_p, power, floor)
        };
        for (spread, target) in [(0.1, 0.9), (1.0, 0.2), (1.0, 0.5), (10.0, 0.9), (30.0, 0.2)] {
            let (weights, power) = tempered(spread, skew(-0.5, target));
            assert!((weights.ess() / 20_000.0 - target).abs() < 1e-6, "{spread}, {target}: {}", weights.ess());
            let known = -(-f64::ln(target)).sqrt() / spread;
            assert!((power / known - 1.0).abs() < 0.01, "{spread}, {target}: {power}, {known}");
        }
        let (weights, power) = tempered(0.01, skew(-0.5, 0.2));
        assert!(power == -30.0 && weights.ess() > 0.9 * 20_000.0, "no power down to -30 is strong enough");
        assert_eq!((tempered(1.0, skew(-0.5, 0.0)).1, tempered(1.0, skew(0.0, 0.2)).1), (-0.5, 0.0));
    }

    proptest! {
        #[test]
        fn weights_are_a_distribution(
            log_p in prop::collection::vec(prop::num::f64::ANY, 1..200), power in -1.0..=0.0, floor in 0.0..=1.0,
        ) {
            for weights in [skew_weights(&log_p, power), Weights::tempered(&log_p, power, floor).0] {
                prop_assert!((weights.p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                prop_assert!(weights.p.iter().all(|p| (0.0..=1.0).contains(p)));
                prop_assert!(weights.ess() >= 1.0 - 1e-12 && weights.ess() * weights.max() >= 1.0 - 1e-12);
            }
        }

        #[test]
        fn oracle_07_rarer_is_likelier(a in -500.0..500.0, gap in 1e-3..100.0, power in -1.0..=-0.01) {
            let p = skew_weights(&[a, a + gap, a + 2.0 * gap], power).p;
            prop_assert!(p[0] > p[1] && p[1] > p[2]);
        }
    }
}
