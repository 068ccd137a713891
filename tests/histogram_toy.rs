//! Skew-Fit with a perfect density model: a corridor [-1,1]^2 around a closed square, a 60 x 60 histogram, 10,000
//! samples an iteration; a step is N(0, 0.05^2) noise. Expected entropies: means and spreads of 5 independent runs
//! elsewhere.

#![allow(clippy::unwrap_used)] // a test

use rand::Rng as _;
use rand_distr::StandardNormal;
use skewfit::{
    learn::{
        rng::{Rng, stream},
        skew::{AliasTable, skew_weights},
    },
    task::coverage::Coverage,
};
use skewfit_envs::{CoverageGrid, GridAxis};

const SIDE: usize = 60;
const SAMPLES: usize = 10_000;
type Point = [f64; 2];

fn grid() -> CoverageGrid {
    let axis = |state| GridAxis { state, low: -1.0, high: 1.0, cells: SIDE };
    CoverageGrid { axes: vec![axis(0), axis(1)], heat_map: [axis(0), axis(1)] }
}

fn centre(cell: usize) -> Point {
    [cell / SIDE, cell % SIDE].map(|bin| (bin as f64 + 0.5) * 2.0 / SIDE as f64 - 1.0)
}

/// Moves a point in the hole (-1/2, 1/2)^2 to the nearest edge.
fn projected([x, y]: Point) -> Point {
    if x.abs() >= 0.5 || y.abs() >= 0.5 {
        [x, y]
    } else if x.abs() > y.abs() {
        [0.5f64.copysign(x), y]
    } else {
        [x, 0.5f64.copysign(y)]
    }
}

fn stepped(from: Point, rng: &mut Rng) -> Point {
    projected(from.map(|x| (x + 0.05 * rng.sample::<f64, _>(StandardNormal)).clamp(-1.0, 1.0)))
}

/// As many new samples from the skewed histogram of `data`: draws a cell by its weight and takes one noisy step from
/// the centre of the cell.
fn iterated(data: &[Point], alpha: f64, rng: &mut Rng) -> Vec<Point> {
    let grid = grid();
    let cells: Vec<usize> = data.iter().map(|s| grid.cell(s)).collect();
    let mut counts = vec![0.0f64; grid.cells()];
    cells.iter().for_each(|&c| counts[c] += 1.0);
    let log_density: Vec<f64> = cells.iter().map(|&c| (counts[c] / data.len() as f64).ln()).collect();
    let table = AliasTable::new(&skew_weights(&log_density, alpha).p).unwrap();
    (0..data.len()).map(|_| stepped(centre(cells[table.sample(rng)]), rng)).collect()
}

fn entropy(data: &[Point]) -> f64 {
    let mut coverage = Coverage::new(grid(), data.len());
    data.iter().for_each(|s| coverage.observe(s));
    coverage.entropy_nats()
}

/// Entropies (nats) of iterations 0..=40, mean of 5 seeds.
fn curve(alpha: f64) -> Vec<f64> {
    let mut mean = vec![0.0; 41];
    for seed in 0..5 {
        let mut rng = stream(seed, "histogram-toy", &[]);
        let mut data: Vec<Point> = (0..SAMPLES).map(|_| stepped([-1.0, -1.0], &mut rng)).collect();
        for m in &mut mean {
            *m += entropy(&data) / 5.0;
            data = iterated(&data, alpha, &mut rng);
        }
    }
    mean
}

fn check(alpha: f64, expect: &[(usize, f64, f64)]) {
    let curve = curve(alpha);
    assert!((curve[0] - 1.58).abs() < 0.02, "iteration 0: {}", curve[0]);
    for &(iteration, mean, sd) in expect {
        let got = curve[iteration];
        assert!((got - mean).abs() < 4.0 * sd, "alpha {alpha}, iteration {iteration}: {got:.3} is not {mean} +- {sd}");
    }
}

#[test]
fn oracle_25_no_skew_stays_near_the_corner() {
    check(0.0, &[(10, 4.490, 0.034), (30, 5.582, 0.050), (40, 5.813, 0.042)]);
}

#[test]
fn oracle_25_half_skew() {
    check(-0.5, &[(5, 5.399, 0.037), (10, 6.411, 0.037), (20, 7.128, 0.033), (40, 7.721, 0.016)]);
}

#[test]
fn oracle_25_full_skew_becomes_uniform() {
    check(-1.0, &[(5, 6.022, 0.029), (10, 6.798, 0.022), (20, 7.539, 0.015), (30, 7.756, 0.008), (40, 7.769, 0.004)]);
}

#[test]
fn oracle_25_ceilings() {
    let grid = grid();
    let fine = |i: i32| f64::from(i) / 300.0 - 1.0;
    let mut reachable: Vec<usize> =
        (0..=600).flat_map(|i| (0..=600).map(move |j| projected([fine(i), fine(j)]))).map(|s| grid.cell(&s)).collect();
    reachable.sort_unstable();
    reachable.dedup();
    assert_eq!(reachable.len(), 2759);
    let mut rng = stream(0, "histogram-toy", &[1]);
    let uniform: Vec<Point> = (0..SAMPLES).map(|_| centre(reachable[rng.random_range(0..2759)])).collect();
    assert!((entropy(&uniform) - 7.75).abs() < 0.04, "{}", entropy(&uniform)); // bias -(K-1)/2N and higher orders
}
