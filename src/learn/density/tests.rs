//! Densities against known ones, against brute force, and the same with any number of threads.

use super::latent_kde::{bandwidth, kernel_density};
use super::rank_mix::mix;
use super::references::References;
use super::references::kth_distance;
use super::*;
use crate::learn::latent::Vae;
use crate::learn::rng::{normals, stream};
use crate::statistics::{mean, probit, spearman};
use rand::Rng as _;

fn one_thread() -> Workers {
    Workers::new(1)
}

/// log p of latents (n, Z) by `density`, with 10 neighbours.
fn by(density: &str, means: &[f32], dim: usize, workers: &Workers) -> Vec<f64> {
    let references = References::draw(means, dim, workers, &mut stream(5, "references", &[1]));
    match density {
        "latent-knn" => LatentKnn { neighbours: 10 }.of(&references, dim),
        _ => kernel_density(&references, bandwidth(&references)),
    }
}

/// n samples of a distribution in the plane, with their log density.
fn samples(shape: &str, n: usize) -> (Vec<f32>, Vec<f64>) {
    let mut draws = stream(3, shape, &[]);
    let one = |_| {
        let [u, v] = [draws.random::<f32>(), draws.random()];
        let z = normals(2, &mut draws);
        match shape {
            "gaussian" => ([3.0 * z[0], 0.5 * z[1]], -0.5 * f64::from(z[0] * z[0] + z[1] * z[1])),
            "square" => ([2.0 * u - 1.0, 2.0 * v - 1.0], 0.0),
            // A ring of radius 2: radial deviation N(0, .1^2), uniform angle, so p(x) = N(r - 2) / 2 pi r.
            _ => {
                let (radius, angle) = (2.0 + 0.1 * z[0], std::f32::consts::TAU * u);
                let log_p = -0.5 * f64::from(z[0] * z[0]) - f64::from(radius).ln();
                ([radius * angle.cos(), radius * angle.sin()], log_p)
            }
        }
    };
    let (points, log_p): (Vec<[f32; 2]>, Vec<f64>) = (0..n).map(one).unzip();
    (points.concat(), log_p)
}

/// Rank correlation and mean absolute error, nats. Where p is flat among the neighbours, -Z log d_k has the error of the
/// logarithm of a gamma variable with shape k: .258 on average for k = 10.
#[test]
fn oracle_29_log_densities_of_known_distributions() {
    for (density, shape, correlation, error) in [
        ("latent-knn", "gaussian", 0.88, 0.27),
        ("latent-kde", "gaussian", 0.98, 0.13),
        ("latent-knn", "ring", 0.73, 0.31),
        ("latent-kde", "ring", 0.81, 0.35),
        ("latent-knn", "square", 0.0, 0.3),
        ("latent-kde", "square", 0.0, 0.17),
    ] {
        let (means, known) = samples(shape, 6000);
        let log_p = by(density, &means, 2, &one_thread());
        let differences: Vec<f64> = log_p.iter().zip(&known).map(|(a, b)| a - b).collect();
        let centre = mean(&differences);
        let off = mean(&differences.iter().map(|d| (d - centre).abs()).collect::<Vec<_>>());
        let rank = spearman(&log_p, &known).unwrap_or(0.0);
        assert!(rank >= correlation && off <= error, "{density}, {shape}: {rank:.3}, {off:.3}");
    }
}

#[test]
fn oracle_30_neighbours_are_those_of_a_sorted_list() {
    for (n, dim) in [(300, 1), (300, 3), (33, 7), (REFERENCES + 500, 2)] {
        let means = normals(n * dim, &mut stream(9, "points", &[n as u64]));
        let workers = one_thread();
        let references = References::draw(&means, dim, &workers, &mut stream(0, "references", &[]));
        assert!(references.frames.len() == n.min(REFERENCES) && references.frames.windows(2).all(|w| w[0] < w[1]));
        for k in [1, 10, 50] {
            let found = references.all(|squared| kth_distance(squared, k));
            for i in (0..n).step_by(n / 30) {
                let between = |a: usize, b: usize| -> f64 {
                    let axes = (0..dim).map(|d| f64::from(means[a * dim + d] - means[b * dim + d]).powi(2));
                    axes.sum::<f64>().sqrt()
                };
                let others = references.frames.iter().filter(|j| **j != i);
                let mut sorted: Vec<f64> = others.map(|j| between(i, *j)).collect();
                sorted.sort_by(f64::total_cmp);
                let wanted = sorted[k.min(sorted.len()) - 1];
                assert!((found[i] - wanted).abs() < 1e-5 * (1.0 + wanted), "{n}, {dim}, {k}: {} {wanted}", found[i]);
            }
        }
    }
}

#[test]
fn oracle_31_kernels_on_three_points() {
    let (means, workers) = ([0.0, 0.0, 3.0, 4.0, 0.0, 1.0], one_thread());
    let references = References::draw(&means, 2, &workers, &mut stream(0, "references", &[]));
    // Farthest of the others: 5, 5 and sqrt(18); the median is 5.
    assert_eq!(bandwidth(&references), 5.0);
    let squared = [[25.0, 1.0], [25.0, 18.0], [1.0, 18.0]];
    for h in [0.5f64, 2.0, 5.0] {
        let log_p = kernel_density(&references, h);
        for (found, squared) in log_p.iter().zip(squared) {
            let wanted = squared.map(|s: f64| (-s / (2.0 * h * h)).exp()).iter().sum::<f64>().ln();
            assert!((found - wanted).abs() < 1e-6, "h {h}: {found} {wanted}");
        }
    }
    assert!(kernel_density(&references, 1e-3)[1].is_finite(), "18 / 2e-6 nats below the top");
}

#[test]
fn oracle_32_a_mix_of_ranks_keeps_under_increasing_functions() {
    let [a, b] =
        [1, 2].map(|i| normals(500, &mut stream(7, "ranks", &[i])).into_iter().map(f64::from).collect::<Vec<_>>());
    let mixed = mix(&a, &b);
    let exp = |x: &[f64]| x.iter().map(|v| (3.0 * v - 100.0).exp()).collect::<Vec<_>>();
    let cube = |x: &[f64]| x.iter().map(|v| 1e6 * v.powi(3)).collect::<Vec<_>>();
    assert!(mix(&exp(&a), &b) == mixed && mix(&a, &cube(&b)) == mixed && mix(&b, &a) == mixed);
    let minus: Vec<f64> = a.iter().map(|v| -v).collect();
    assert!(mix(&a, &minus).iter().all(|v| v.abs() < 1e-6), "opposite ranks cancel");
    assert_eq!(mix(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0]), [0.125, 0.375, 0.625, 0.875].map(probit));
    assert_eq!(mix(&[2.0, 2.0, 2.0], &[0.0, 0.0, 0.0]), [0.0; 3], "equal densities share a rank");
    let holes = mix(&[0.0, f64::NAN, 1.0], &[0.0, 0.0, f64::INFINITY]);
    assert!(holes[0].is_finite() && holes[1].is_nan() && holes[2].is_nan());
}

#[test]
fn equal_few_and_single_latents_have_a_density() {
    for density in ["latent-knn", "latent-kde"] {
        for n in [0, 1, 2, 9, 10, 11] {
            let apart: Vec<f32> = (0..n).map(|i| (i * i) as f32).collect();
            for means in [vec![0.5; n], apart] {
                let log_p = by(density, &means, 1, &one_thread());
                assert!(log_p.len() == n && log_p.iter().all(|v| v.is_finite()), "{density}, {n}: {log_p:?}");
            }
        }
    }
    // Twenty equal ones beside twenty at distances of 1: their d_10 of 0 counts as the smallest above 0, which is 5.
    let mut means = vec![100.0; 20];
    means.extend((0..20).map(|i| i as f32));
    let log_p = by("latent-knn", &means, 1, &one_thread());
    assert!(log_p[..20] == [-5f64.ln(); 20] && log_p[20] == -10f64.ln() && log_p[30] == -5f64.ln(), "{log_p:?}");
}

/// Twelve pictures in two episodes, from darker to lighter noise, under an untrained VAE.
fn pictures() -> Vec<Vec<u8>> {
    let noise = |i: u64| normals(24 * 24 * 3, &mut stream(0, "pictures", &[i]));
    (0..12).map(|i| noise(i).into_iter().map(|v| (128.0 + 4.0 * (i as f32 + 2.0) * v) as u8).collect()).collect()
}

/// log p of all pictures by the density `name`; `change` changes their posteriors (12, 8) first.
fn of_pictures(name: &str, threads: usize, change: impl Fn(&mut [f32])) -> (Vec<f64>, Vec<u8>) {
    let mut cfg = crate::config::Config::resolve("corridor-tiny", vec![]).unwrap().learner();
    (cfg.density.estimator, cfg.density.neighbours) = (name.into(), 3);
    let (pictures, workers) = (pictures(), Workers::new(threads));
    let views: Vec<&[u8]> = pictures.iter().map(Vec::as_slice).collect();
    let mut vae = Vae::new(&cfg.latent, 24, &workers, &mut stream(0, "vae-init", &[])).unwrap();
    vae.params.values.iter_mut().for_each(|v| *v *= 8.0); // so that latents differ
    vae.parameters_changed();
    let mut posteriors = vec![0.0; 12 * 8];
    vae.posteriors(&views, &mut posteriors).unwrap();
    change(&mut posteriors);
    let means: Vec<f32> = posteriors.chunks_exact(8).flat_map(|row| &row[..4]).copied().collect();
    let rebuilt = vae.decode(&means).unwrap();
    let part = |id: u64, range: std::ops::Range<usize>| EpisodeFrames {
        pictures: views[range.clone()].to_vec(),
        posteriors: &posteriors[range.start * 8..range.end * 8],
        draws: stream(0, "density", &[id]),
    };
    let episodes = vec![part(0, 0..5), part(1, 5..12)];
    let references = stream(0, "references", &[]);
    let mut inputs = DensityInputs { model: &mut vae, episodes, references, workers: &workers, beat: &mut || {} };
    (density(&cfg.density).log_density(&mut inputs).unwrap(), rebuilt)
}

#[test]
fn oracle_33_the_error_of_the_decoded_mean() {
    let (log_p, rebuilt) = of_pictures("reconstruction", 1, |_| {});
    let squared = |(x, y): (&u8, &u8)| ((f64::from(*x) - f64::from(*y)) / 255.0).powi(2);
    let pictures = pictures();
    let errors: Vec<f64> =
        pictures.iter().zip(rebuilt.chunks(24 * 24 * 3)).map(|(x, y)| x.iter().zip(y).map(squared).sum()).collect();
    for i in 1..12 {
        let (found, wanted) = (log_p[0] - log_p[i], errors[i] - errors[0]);
        assert!((found - wanted).abs() < 0.1 && wanted > 1.0, "{i}: {found} {wanted}"); // the decoded picture is rounded
    }
    let (wider, _) = of_pictures("reconstruction", 1, |rows| rows.chunks_mut(8).for_each(|row| row[5] += 3.0));
    assert!(wider.iter().zip(&log_p).all(|(a, b)| (a - b).abs() < 1e-9), "the variance plays no part");
}

#[test]
fn no_density_depends_on_the_number_of_threads() {
    for name in NAMES {
        let (one, _) = of_pictures(name, 1, |_| {});
        assert!(one.iter().any(|v| *v != one[0]) && one.iter().all(|v| v.is_finite()), "{name}: {one:?}");
        for threads in [2, 3, 5] {
            assert_eq!(of_pictures(name, threads, |_| {}).0, one, "{name}, {threads} threads");
        }
    }
    let (means, _) = samples("gaussian", REFERENCES + 200);
    for density in ["latent-knn", "latent-kde"] {
        let one = by(density, &means, 2, &one_thread());
        assert!([2, 3].map(Workers::new).iter().all(|workers| by(density, &means, 2, workers) == one), "{density}");
    }
}

#[test]
fn the_mix_is_of_its_two_parts() {
    let [mixed, error, neighbours] =
        ["rank-mix", "reconstruction", "latent-knn"].map(|name| of_pictures(name, 1, |_| {}).0);
    assert_eq!(mixed, mix(&error, &neighbours));
}
