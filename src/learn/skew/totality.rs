//! Property test of the skewed weights on arbitrary input; the number of cases can be set.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::skew_weights;
use skewfit_dev::{begin, record, trials};

/// Arbitrary log densities, including infinities, NaN and repeats.
fn any_densities() -> impl Strategy<Value = Vec<f64>> {
    let one = prop_oneof![
        6 => -1e6..1e6,
        1 => prop::num::f64::ANY,
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 7.5]),
    ];
    let few = prop::collection::vec(one, 1..60);
    prop_oneof![9 => few.clone(), 1 => (few, 1..2000_usize).prop_map(|(v, times)| v.repeat(times))]
}

#[test]
fn g15_weights_are_total() {
    let (begun, cases) = (begin(), trials(300));
    let mut runner = TestRunner::new_with_rng(
        ProptestConfig { cases: cases as u32, failure_persistence: None, ..ProptestConfig::default() },
        TestRng::deterministic_rng(RngAlgorithm::ChaCha),
    );
    let law = |(log_p, power, turn): (Vec<f64>, f64, usize)| {
        let weights = skew_weights(&log_p, power).p;
        prop_assert_eq!(weights.len(), log_p.len());
        prop_assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert!(weights.iter().all(|p| p.is_finite() && *p >= 0.0));
        // The order of the samples changes only the last bits of the sum.
        let (mut turned, mut expected) = (log_p.clone(), weights.clone());
        turned.rotate_left(turn % log_p.len());
        expected.rotate_left(turn % log_p.len());
        let again = skew_weights(&turned, power).p;
        prop_assert!(again.iter().zip(&expected).all(|(a, b)| (a - b).abs() <= 1e-12));
        // Of two samples with finite densities, the rarer has at least the other's weight; equal densities, equal weights.
        let finite: Vec<usize> = (0..log_p.len()).filter(|i| log_p[*i].is_finite()).collect();
        for pair in finite.windows(2) {
            let (a, b) = (pair[0], pair[1]);
            prop_assert!((log_p[a] > log_p[b]) || (weights[a] >= weights[b]));
            prop_assert!((log_p[a] < log_p[b]) || (weights[a] <= weights[b]));
        }
        Ok(())
    };
    runner.run(&(any_densities(), -1.0..=0.0, 0..1000_usize), law).unwrap();
    let what = "any log densities (NaN, infinities, repeats, 1 to 120,000 of them), any power: finite, not negative, sum 1, \
                in any order, a rarer frame never weighs less";
    record(("G15", 0), what, cases, begun);
}
