//! Distributions of known entropy, and pictures of a disc that moves not at all, a little, and everywhere.

use super::*;
use crate::learn::episode::{EpisodeGoal, GoalOrigin};
use rand::Rng as _;
use skewfit_envs::Ending;
use skewfit_envs::render::flat::{self, FlatShape, ViewBox};

const N: usize = 1000;

fn close(is: Option<f64>, want: f64) {
    let is = is.unwrap();
    assert!((is - want).abs() < 0.1, "{is} nats, not {want}");
}

#[test]
fn known_distributions_have_their_entropy() {
    let mut draws = rng::stream(3, "test", &[]);
    let uniform: Vec<[f64; 2]> = (0..N).map(|_| [draws.random::<f64>(), 3.0 * draws.random::<f64>()]).collect();
    close(entropy(&uniform), 3f64.ln());
    let half_log = 0.5 * (std::f64::consts::TAU * std::f64::consts::E).ln();
    let normal = |draws: &mut rng::Rng, sigma: f64| f64::from(rng::normals(1, draws)[0]) * sigma;
    let line: Vec<[f64; 1]> = (0..N).map(|_| [normal(&mut draws, 2.0)]).collect();
    close(entropy(&line), half_log + 2f64.ln());
    let cloud: Vec<[f64; 4]> = (0..N).map(|_| std::array::from_fn(|_| normal(&mut draws, 1.0))).collect();
    let is = entropy(&cloud).unwrap();
    assert!((is - 4.0 * half_log).abs() < 0.3, "{is} nats, not {}", 4.0 * half_log);
}

#[test]
fn balls_and_digammas() {
    let pi = std::f64::consts::PI;
    for (d, volume) in [(1, 2.0), (2, pi), (3, 4.0 / 3.0 * pi), (4, pi * pi / 2.0)] {
        assert!((ln_ball(d) - f64::ln(volume)).abs() < 1e-12, "{d}");
    }
    assert!((digamma(1) + 0.577_215_664_901_532_9).abs() < 1e-15);
    assert!((digamma(3) - 0.922_784_335_098_467_1).abs() < 1e-12);
}

#[test]
fn few_or_equal_points_do_not_give_infinity() {
    assert_eq!(entropy(&[[0.0; 2]; NEIGHBOUR]), None);
    assert!(entropy(&[[0.0; 2]; 50]).unwrap().is_finite());
}

/// An episode of a disc at these places.
fn seen(places: impl Iterator<Item = [f64; 2]>) -> Episode {
    let picture = |centre| {
        let disc = FlatShape::Disc { centre, radius: 0.2, colour: [250, 200, 60] };
        flat::draw(&ViewBox::square(1.3), [90, 90, 90], &[disc], 24, 4).pixels
    };
    let pictures: Vec<u8> = std::iter::once([0.0; 2]).chain(places).flat_map(picture).collect();
    let steps = pictures.len() / (24 * 24 * 3) - 1;
    Episode {
        id: 0,
        image_size: 24,
        frames: pictures,
        proprio: Vec::new(),
        proprio_dim: 0,
        actions: vec![0.0; steps],
        action_dim: 1,
        goal: EpisodeGoal::first(vec![0; 24 * 24 * 3], vec![0.0], GoalOrigin::Prior),
        later_goals: vec![],
        states: Vec::new(),
        state_names: Vec::new(),
        ending: Ending::Truncated,
    }
}

#[test]
fn more_variety_has_more_entropy() {
    let nats = |half: f64, seed: u64| {
        let mut draws = rng::stream(5, "test", &[]);
        let mut seen_so_far = PictureEntropy::new(24, seed, 300).unwrap();
        assert_eq!(seen_so_far.nats(), None);
        let places = (0..300).map(|_| [half * draws.random_range(-1.0..1.0), half * draws.random_range(-1.0..1.0)]);
        seen_so_far.observe(&seen(places)).unwrap();
        seen_so_far.nats().unwrap()
    };
    for seed in [0, 1, 2] {
        let [rest, corner, half, all] = [0.0, 0.25, 0.5, 1.0].map(|half| nats(half, seed));
        println!("seed {seed}: {rest} {corner} {half} {all}");
        assert!(rest + 2.0 < corner && corner + 0.5 < half && half + 0.2 < all, "{rest} {corner} {half} {all}");
    }
    assert_eq!(nats(1.0, 4), nats(1.0, 4), "the same seed, the same network");
}

#[test]
fn old_pictures_leave_the_window() {
    let mut pictures = PictureEntropy::new(24, 0, 100).unwrap();
    pictures.observe(&seen((0..100).map(|i| [f64::from(i) / 50.0 - 1.0, 0.0]))).unwrap();
    let wide = pictures.nats().unwrap();
    pictures.observe(&seen((0..100).map(|_| [0.0, 0.0]))).unwrap();
    assert!(pictures.nats().unwrap() < wide - 2.0 && pictures.recent.len() == 100);
}
