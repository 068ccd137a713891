//! log p(x): against exact values and against the reference (oracles 1 to 4).

use proptest::prelude::*;

use super::*;
use crate::learn::latent::density::{Estimator, EstimatorConfig, Term, estimate, log_likelihood, log_ratio};
use crate::learn::rng::Rng;

// x = w z + b + s e with z, e ~ N(0, 1).
const W: f64 = 1.3;
const B: f64 = 0.2;
const S: f64 = 0.7;
const X: f64 = 1.1;
const LOG_P: f64 = -1.494_380_788_119;

/// Mean and variance of the exact posterior.
fn exact() -> (f64, f64) {
    let total = W * W + S * S;
    (W * (X - B) / total, S * S / total)
}

/// `n` terms of a Gaussian q with the given mean and variance.
fn terms((mean, variance): (f64, f64), n: usize, rng: &mut Rng) -> Vec<Term> {
    let term = |_| {
        let eps: f32 = StandardNormal.sample(rng);
        let z = mean + variance.sqrt() * f64::from(eps);
        Term {
            log_ratio: log_ratio(&[z as f32], &[eps], &[variance.ln() as f32]),
            log_likelihood: log_likelihood((X - W * z - B).powi(2), 1, S * S),
        }
    };
    (0..n).map(term).collect()
}

#[test]
fn oracle_01_the_exact_posterior_gives_the_exact_density() {
    let mut rng = stream(3, "oracle-1", &[]);
    for n in [1, 2, 10, 100] {
        let terms = terms(exact(), n, &mut rng);
        for estimator in [Estimator::Iwae, Estimator::Elbo] {
            let got = estimate(&terms, estimator);
            assert!((got - LOG_P).abs() < 2e-6, "{n} {estimator:?}: {got}"); // z is f32
        }
    }
    // In f64, to 1e-12: a_k by definition, for any z.
    let (mean, variance) = exact();
    let term = |z: f64| Term {
        log_ratio: 0.5 * ((z - mean).powi(2) / variance - z * z + variance.ln()),
        log_likelihood: log_likelihood((X - W * z - B).powi(2), 1, S * S),
    };
    let terms: Vec<Term> = (0..10).map(|k| term(f64::from(k) - 4.0)).collect();
    assert!((estimate(&terms, Estimator::Iwae) - LOG_P).abs() < 1e-12);
    assert!((estimate(&terms, Estimator::Elbo) - LOG_P).abs() < 1e-12);
}

#[test]
fn oracle_02_a_wrong_posterior_costs_its_divergence_and_more_latents_help() {
    let (mean, variance) = exact();
    let q = (mean + 0.4, 2.0 * variance);
    let mut rng = stream(4, "oracle-2", &[]);
    let mut mean_of = |estimator, n, repeats: usize| {
        (0..repeats).map(|_| estimate(&terms(q, n, &mut rng), estimator)).sum::<f64>() / repeats as f64
    };
    let elbo = mean_of(Estimator::Elbo, 10, 20_000);
    assert!((elbo - -2.003_725_57).abs() < 0.01, "{elbo}");
    let (few, many) = (mean_of(Estimator::Iwae, 10, 40_000), mean_of(Estimator::Iwae, 100, 4_000));
    assert!((few - -1.525).abs() < 0.005 && (many - -1.501).abs() < 0.005, "{few} {many}");
    assert!(elbo < few && few < many && many < LOG_P + 1e-3);
    // Self-normalised weights: with enough latents, the mean of p(x|z) under the prior, which is p(x).
    let toy = mean_of(Estimator::SelfNormalised, 4_000, 40);
    assert!((toy - LOG_P).abs() < 0.02, "{toy}");
}

#[test]
fn oracle_03_official_constants_of_6912_pixels() {
    let e = std::f64::consts::E;
    assert!((log_likelihood(0.0, 6912, e) - -9807.703).abs() < 5e-4);
    assert!((log_likelihood(0.0, 6912, 1.0) - -6351.703).abs() < 5e-4);
    assert!((log_likelihood(0.0, 6912, e) - log_likelihood(31.0, 6912, e) - 31.0 / (2.0 * e)).abs() < 1e-9);
    assert!((log_likelihood(0.0, 6912, 1.0) - log_likelihood(31.0, 6912, 1.0) - 15.5).abs() < 1e-9);
}

#[test]
fn the_estimators_are_their_formulas() {
    let term = |log_ratio: f64, log_likelihood: f64| Term { log_ratio, log_likelihood };
    let terms = [term(0.5, -1.0), term(-0.25, -3.0), term(1.0, -2.5)];
    let weights = terms.map(|t| (t.log_ratio + t.log_likelihood).exp());
    let check = |estimator, want: f64| assert!((estimate(&terms, estimator) - want).abs() < 1e-12);
    check(Estimator::Elbo, -5.25 / 3.0);
    check(Estimator::Iwae, (weights.iter().sum::<f64>() / 3.0).ln());
    check(
        Estimator::SelfNormalised,
        (weights.iter().sum::<f64>() / (0.5f64.exp() + (-0.25f64).exp() + 1f64.exp())).ln(),
    );
    // The sums are also right far below e^-745.
    let deep = terms.map(|t| term(t.log_ratio, t.log_likelihood - 1e4));
    assert!((estimate(&deep, Estimator::Iwae) + 1e4 - estimate(&terms, Estimator::Iwae)).abs() < 1e-9);
}

fn density(vae: &mut Vae, cfg: &EstimatorConfig, pictures: &[&[u8]], noise: &[f32]) -> Vec<f64> {
    let (mut posteriors, mut out) = (vec![0.0; pictures.len() * 2 * DIM], vec![f64::NAN; pictures.len()]);
    vae.posteriors(pictures, &mut posteriors).unwrap();
    vae.log_density(cfg, pictures, &posteriors, noise, &mut out).unwrap();
    out
}

fn settings(estimator: Estimator, latents: usize) -> EstimatorConfig {
    EstimatorConfig { estimator, latents, decoder_variance: std::f64::consts::E }
}

/// a_k by definition in f64: log N(z; 0, I) - log N(z; mu, sigma^2) + log N(x; x'(z), var I).
fn log_weights(vae: &Vae, pictures: &[&[u8]], noise: &[f32], n: usize) -> Vec<Vec<Term>> {
    let reference = reference(vae);
    let x = reference.pictures(pictures).unwrap();
    let (mean, v) = reference.posterior(&x).unwrap();
    let eps = Tensor::from_slice(noise, (pictures.len(), n, DIM), &candle_core::Device::Cpu).unwrap();
    let eps = eps.to_dtype(candle_core::DType::F64).unwrap();
    let pixels = vae.architecture.pixels() as f64;
    let mut terms = vec![vec![]; pictures.len()];
    for k in 0..n {
        let eps = eps.narrow(1, k, 1).unwrap().squeeze(1).unwrap();
        let z = (&mean + ((&v * 0.5).unwrap().exp().unwrap() * &eps).unwrap()).unwrap();
        let sse = (reference.decode(&z).unwrap() - &x).unwrap().sqr().unwrap().flatten_from(1).unwrap().sum(1).unwrap();
        let (z, mean, v, sse) = (flat(&z), flat(&mean), flat(&v), flat(&sse));
        let log_2pi = (2.0 * std::f64::consts::PI).ln();
        for (i, terms) in terms.iter_mut().enumerate() {
            let normal = |z: f64, mean: f64, v: f64| -0.5 * ((z - mean).powi(2) / v.exp() + v + log_2pi);
            let ratio = |d: usize| normal(z[d], 0.0, 0.0) - normal(z[d], mean[d], v[d]);
            let log_likelihood = -0.5 * sse[i] / std::f64::consts::E - 0.5 * pixels * (log_2pi + 1.0);
            terms.push(Term { log_ratio: (i * DIM..(i + 1) * DIM).map(ratio).sum(), log_likelihood });
        }
    }
    terms
}

#[test]
fn log_densities_are_the_references() {
    for (size, n, latents) in [(24, 7, 1), (24, 13, 10), (48, 9, 3), (84, 5, 10), (48, 33, 2)] {
        let channels = SIZES.iter().find(|(s, _)| *s == size).unwrap().1;
        for (threads, estimator) in [(1, Estimator::Iwae), (2, Estimator::Elbo), (3, Estimator::SelfNormalised)] {
            let mut vae = vae(size, channels, threads, true);
            let (pictures, noise) = data(&vae.architecture, n, latents * DIM, 8);
            let views = views(&pictures);
            let got = density(&mut vae, &settings(estimator, latents), &views, &noise);
            let terms = log_weights(&vae, &views, &noise, latents);
            for (got, terms) in got.iter().zip(&terms) {
                let want = estimate(terms, estimator);
                assert!((got - want).abs() < 1e-3, "{size} px, N = {latents}, {estimator:?}: {got} {want}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// The same bits alone and among other pictures, on one thread and on two, and when repeated with the same noise.
    #[test]
    fn a_density_depends_on_its_picture_and_noise_alone(
        n in 1usize..40, at in 0usize..40, latents in 1usize..12, seed in 0u64..1000, large: bool,
    ) {
        let (size, channels) = OFFICIAL[usize::from(large)];
        let cfg = settings(Estimator::Iwae, latents);
        let (mut one, mut two) = (vae(size, channels, 1, true), vae(size, channels, 2, true));
        let (pictures, noise) = data(&one.architecture, n, latents * DIM, seed);
        let (views, at) = (views(&pictures), at % n);
        let all = density(&mut one, &cfg, &views, &noise);
        let own = &noise[at * latents * DIM..(at + 1) * latents * DIM];
        prop_assert_eq!(density(&mut one, &cfg, &views[at..=at], own), &all[at..=at]);
        prop_assert_eq!(&density(&mut two, &cfg, &views, &noise), &all);
        prop_assert_eq!(&density(&mut one, &cfg, &views, &noise), &all); // oracle 15
    }
}

#[test]
fn a_nan_term_gives_a_nan_density() {
    let terms = [Term { log_ratio: f64::NAN, log_likelihood: 0.0 }, Term { log_ratio: 0.0, log_likelihood: 1.0 }];
    for estimator in [Estimator::Iwae, Estimator::Elbo, Estimator::SelfNormalised] {
        assert!(estimate(&terms, estimator).is_nan() && estimate(&terms[..1], estimator).is_nan());
    }
}
