//! Kernels timed by criterion, which keeps earlier measurements:  `cargo bench --bench kernels [NAME]`.
//!
//! Whole steps are the units of `skewfit bench`; the smaller kernels are matrix products of the sizes used here, Adam
//! and a skewed draw. `cargo test --bench kernels` runs each once without timing.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark may fail, and criterion's macros write no documents")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use skewfit::face::bench;
use skewfit::learn::nn::Workers;
use skewfit::learn::nn::adam::{Adam, Polyak};
use skewfit::learn::nn::gemm::{MatrixView, matmul};
use skewfit::learn::rng::stream;
use skewfit::learn::skew::AliasTable;

/// Units that repeat at least a few times a second: networks, then scenes.
const UNITS: [&str; 10] = [
    "sac_step_b1024",
    "vae_step_b128",
    "encode_b512",
    "logp_b512_n10",
    "act_b1",
    "physics_door",
    "render_door",
    "env_door",
    "env_corridor",
    "env_point2d",
];

/// (layer, rows, columns, inner dimension) of the matrix products that one thread computes.
const PRODUCTS: [(&str, usize, usize, usize); 9] = [
    ("critic layer 1", 128, 400, 35),
    ("critic layer 2", 128, 300, 400),
    ("critic layer 2, dW", 400, 300, 128),
    ("convolution 1", 1800, 16, 75),
    ("convolution 2", 392, 32, 144),
    ("convolution 3", 72, 64, 288),
    ("flat layer", 64, 576, 576),
    ("transposed convolution 2", 392, 144, 32),
    ("last transposed convolution", 2048, 27, 64),
];

fn units(c: &mut Criterion) {
    let mut group = c.benchmark_group("unit");
    group.sample_size(20);
    for unit in UNITS {
        let mut work = bench::work(unit, 0).unwrap();
        group.bench_function(unit, |b| b.iter(|| work().unwrap()));
    }
}

fn values(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i % 13) as f32 - 6.0).collect()
}

fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group("product");
    for (name, m, n, k) in PRODUCTS {
        let (a, b, mut dst) = (values(m * k), values(k * n), vec![0.0; m * n]);
        matmul(&mut dst, false, MatrixView::new(&a, m, k), MatrixView::new(&b, k, n));
        let want: f32 = (0..k).map(|i| a[i] * b[i * n]).sum();
        assert_eq!(dst[0], want, "{name}"); // whole numbers, so the sum is exact
        group.throughput(Throughput::Elements((2 * m * n * k) as u64)); // FLOP
        group.bench_function(name, |bencher| {
            bencher.iter(|| matmul(&mut dst, false, MatrixView::new(&a, m, k), MatrixView::new(&b, k, n)));
        });
    }
    let mut all_cores = bench::work("gemm_1024", 0).unwrap();
    group.throughput(Throughput::Elements(2 << 30));
    group.bench_function("1024 cubed, all cores", |b| b.iter(|| all_cores().unwrap()));
}

/// Both critics of the door with their targets: 270,002 parameters.
fn adam(c: &mut Criterion) {
    let n = 270_002;
    let (workers, mut adam, gradient) = (Workers::new(0), Adam::new(n), values(n));
    let (mut theta, mut target) = (values(n), vec![0.0; n]);
    let mut group = c.benchmark_group("adam");
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function("critics and targets", |b| {
        b.iter(|| {
            let follow = Polyak { target: &mut target, tau: 1e-3 };
            adam.step(&workers, 1e-3, &mut theta, &gradient, Some(follow));
        });
    });
    assert!(theta.iter().chain(&target).all(|v| v.is_finite()));
}

fn draws(c: &mut Criterion) {
    let weights: Vec<f64> = (0..100_000).map(|i| 1.0 + f64::from(i % 97)).collect();
    let mut rng = stream(0, "bench", &[]);
    let mut group = c.benchmark_group("alias table");
    group.sample_size(20);
    group.bench_function("100,000 weights", |b| b.iter(|| AliasTable::new(&weights)));
    let table = AliasTable::new(&weights).unwrap();
    group.bench_function("a draw", |b| b.iter(|| table.sample(&mut rng)));
}

criterion_group!(kernels, units, products, adam, draws);
criterion_main!(kernels);
