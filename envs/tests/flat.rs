//! The two flat scenes through their public API: same seed, same bytes; valid positions only; bad input is refused.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use rand::{Rng as _, SeedableRng};
use skewfit_envs::scenes::point2d::Point2d;
use skewfit_envs::scenes::{self, SceneOptions};
use skewfit_envs::{Action, EnvFault, EnvSnapshot, Rng, Scene, StateVec};

fn options(walls: &str) -> SceneOptions {
    SceneOptions { image_size: 48, samples: 4, episode_steps: 50, evaluation_goals: 50, walls: walls.to_owned() }
}

fn scene(name: &str, walls: &str) -> Box<dyn Scene> {
    scenes::build(name, &options(walls)).unwrap()
}

fn action(rng: &mut Rng) -> Action {
    Action(vec![rng.random_range(-1.5..1.5), rng.random_range(-1.5..1.5)]) // sometimes beyond the limits
}

fn at(env: &dyn Scene) -> [f64; 2] {
    let StateVec(s) = env.true_state().unwrap();
    [s[0], s[1]]
}

/// Every flat scene: corridor, and point2d with each of its walls.
fn all() -> Vec<(&'static str, &'static str)> {
    let points = Point2d::wall_names().map(|walls| ("point2d", walls));
    std::iter::once(("corridor", "none")).chain(points).collect()
}

/// FNV-1a over the state bits and pictures of 200 random steps after a reset.
fn fingerprint(env: &mut dyn Scene, seed: u64) -> u64 {
    let mut rng = Rng::seed_from_u64(seed);
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |bytes: &[u8]| bytes.iter().for_each(|&b| hash = (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    eat(&env.reset(&mut rng).unwrap().image.pixels);
    for _ in 0..200 {
        eat(&env.step(&action(&mut rng)).unwrap().observation.image.pixels);
        at(env).iter().for_each(|v| eat(&v.to_bits().to_le_bytes()));
    }
    hash
}

#[test]
fn trajectories_and_pictures_have_known_hashes() {
    const KNOWN: [(&str, &str, u64); 4] = [
        ("corridor", "none", 0xfa52_be22_eae2_4725),
        ("point2d", "none", 0x64e2_40f0_6d3a_8462),
        ("point2d", "big-u", 0xc2f2_5a06_65b6_b9eb),
        ("point2d", "box", 0x0a56_6fa0_9adf_24f5),
    ];
    for (name, walls, known) in KNOWN {
        let hash = fingerprint(&mut *scene(name, walls), 7);
        assert_eq!(format!("{hash:#018x}"), format!("{known:#018x}"), "{name} {walls}");
        assert_ne!(hash, fingerprint(&mut *scene(name, walls), 8));
    }
}

#[test]
fn a_fresh_instance_continues_from_a_snapshot() {
    for (name, walls) in all() {
        let (mut a, mut b) = (scene(name, walls), scene(name, walls));
        fingerprint(&mut *a, 1);
        b.restore(&a.snapshot().unwrap()).unwrap();
        assert_eq!(a.snapshot().unwrap(), b.snapshot().unwrap());
        let mut rng = Rng::seed_from_u64(5);
        for _ in 0..50 {
            let action = action(&mut rng);
            assert_eq!(a.step(&action).unwrap(), b.step(&action).unwrap(), "{name} {walls}");
            assert_eq!(at(&*a).map(f64::to_bits), at(&*b).map(f64::to_bits));
        }
    }
}

#[test]
fn foreign_and_damaged_snapshots_change_nothing() {
    for (name, walls) in all() {
        let mut env = scene(name, walls);
        fingerprint(&mut *env, 2);
        let own = env.snapshot().unwrap();
        let others = all().into_iter().filter(|&(n, w)| (n, w) != (name, walls));
        let foreign = others.map(|(n, w)| scene(n, w).snapshot().unwrap());
        let cut = (0..own.0.len()).map(|n| EnvSnapshot(own.0[..n].to_vec()));
        for bad in foreign.chain(cut) {
            assert!(matches!(env.restore(&bad), Err(EnvFault::BadSnapshot { .. })), "{name} {walls} took {bad:?}");
            assert_eq!(env.snapshot().unwrap(), own);
        }
    }
}

#[test]
fn a_snapshot_of_an_impossible_place_is_refused() {
    // In both snapshots the position, two little-endian f64, comes after the name of the scene.
    for (name, walls) in [("corridor", "none"), ("point2d", "box")] {
        let mut env = scene(name, walls);
        let EnvSnapshot(bytes) = env.snapshot().unwrap();
        let here = at(&*env).map(f64::to_le_bytes).concat();
        let start = bytes.windows(16).position(|w| w == here).unwrap();
        for place in [[0.0, 0.0], [9.0, 0.0], [f64::NAN, 0.9], [f64::INFINITY, 3.0]] {
            let mut forged = bytes.clone();
            forged[start..start + 16].copy_from_slice(&place.map(f64::to_le_bytes).concat());
            let fault = env.restore(&EnvSnapshot(forged)).unwrap_err();
            assert!(matches!(fault, EnvFault::BadSnapshot { .. }), "{name} took {place:?}");
            assert_eq!(env.snapshot().unwrap().0, bytes);
        }
    }
}

#[test]
fn actions_are_clipped_and_nan_is_refused() {
    for (name, walls) in all() {
        let mut env = scene(name, walls);
        env.reset(&mut Rng::seed_from_u64(4)).unwrap();
        let before = env.snapshot().unwrap();
        for bad in [vec![f32::NAN, 0.0], vec![0.0, f32::NEG_INFINITY], vec![0.0], vec![]] {
            assert!(matches!(env.step(&Action(bad)), Err(EnvFault::BadAction { want: 2, .. })));
            assert_eq!(env.snapshot().unwrap(), before, "{name} {walls}");
        }
        let wild = env.step(&Action(vec![-7.0, 0.25])).unwrap();
        let end = env.snapshot().unwrap();
        assert_eq!(wild.executed, Action(vec![-1.0, 0.25]));
        env.restore(&before).unwrap();
        assert_eq!(env.step(&Action(vec![-1.0, 0.25])).unwrap(), wild);
        assert_eq!(env.snapshot().unwrap(), end);
    }
}

#[test]
fn the_corridor_keeps_the_point_out_of_the_hole() {
    let mut env = scene("corridor", "none");
    let mut rng = Rng::seed_from_u64(11);
    for _ in 0..100 {
        env.reset(&mut rng).unwrap();
        assert_eq!(at(&*env), [-1.0, -1.0]);
        let mut from = at(&*env);
        let drift = action(&mut rng); // a constant direction meets the walls more often than a random walk
        for _ in 0..50 {
            env.step(&Action(drift.0.iter().zip(action(&mut rng).0).map(|(a, b)| a + 0.5 * b).collect())).unwrap();
            let to = at(&*env);
            assert!(to.iter().all(|v| v.abs() <= 1.0) && to.iter().any(|v| v.abs() >= 0.5), "{to:?}");
            // A step may cut a corner of the hole, but it goes less than 0.1 deep.
            let deep = |t: f64| (0..2).all(|i| (from[i] + t * (to[i] - from[i])).abs() < 0.4);
            assert!(!(0..=100).any(|t| deep(f64::from(t) / 100.0)), "{from:?} -> {to:?}");
            from = to;
        }
    }
}

#[test]
fn point2d_starts_where_its_variant_says() {
    for walls in Point2d::wall_names() {
        let mut env = scene("point2d", walls);
        let mut rng = Rng::seed_from_u64(3);
        let mut start = || {
            env.reset(&mut rng).unwrap();
            at(&*env)
        };
        let starts = [start(), start(), start()];
        let fixed = ["u", "big-u", "easy-u", "---"].contains(&walls);
        assert_eq!(starts.iter().all(|s| *s == [0.0, -2.0]), fixed, "{walls}");
        assert_eq!(starts[0] == starts[1], fixed, "{walls}");
    }
}

#[test]
fn point2d_moves_by_the_scale_of_its_variant() {
    for (walls, step) in [("none", 1.0), ("big-u", 0.25)] {
        let mut env = scene("point2d", walls);
        env.reset(&mut Rng::seed_from_u64(1)).unwrap();
        let from = at(&*env);
        env.step(&Action(vec![0.0, -0.5])).unwrap();
        assert_eq!(at(&*env), [from[0], from[1] - 0.5 * step]);
    }
}

#[test]
fn goals_are_outside_of_the_walls_and_show_the_whole_ball() {
    for walls in Point2d::wall_names() {
        let mut env = scene("point2d", walls);
        let goals = env.evaluation_goals().to_vec();
        assert_eq!(goals.len(), 50);
        for goal in &goals {
            // The scene refuses a snapshot of a position inside of a wall, so `restore` is the test.
            let EnvSnapshot(mut bytes) = env.snapshot().unwrap();
            let place = bytes.len() - 16;
            bytes[place..].copy_from_slice(&[goal.state.0[0], goal.state.0[1]].map(f64::to_le_bytes).concat());
            env.restore(&EnvSnapshot(bytes)).unwrap();
            assert_eq!(env.render(48, 4), goal.image, "{walls} {}", goal.name);
            assert!(env.success(&goal.state, &goal.state));
        }
        for corner in [[-4.0, -4.0], [4.0, -4.0], [-4.0, 4.0], [4.0, 4.0_f64]] {
            let EnvSnapshot(mut bytes) = env.snapshot().unwrap();
            let place = bytes.len() - 16;
            bytes[place..].copy_from_slice(&corner.map(f64::to_le_bytes).concat());
            env.restore(&EnvSnapshot(bytes)).unwrap();
            let ball = env.render(180, 1).pixels.chunks(3).filter(|p| p[2] > 200 && p[0] < 50).count() as f64;
            let area = ball * (9.0 / 180.0) * (9.0 / 180.0);
            assert!((area - std::f64::consts::PI * 0.25).abs() < 0.02, "{walls} {corner:?}: {area}");
        }
    }
}

#[test]
fn thresholds_and_grids_are_as_documented() {
    let point = scene("point2d", "none");
    let state = |x| StateVec(vec![x, 0.0]);
    assert!(point.success(&state(0.59), &state(0.0)) && !point.success(&state(0.6), &state(0.0)));
    assert_eq!(
        (point.coverage().unwrap().cells(), scene("corridor", "none").coverage().unwrap().cells()),
        (1600, 3600)
    );
    assert_eq!(point.coverage().unwrap().cell(&[4.0, 4.0]), 1599);
}

#[test]
fn bad_options_are_refused_with_one_sentence() {
    let refused = |name, o: SceneOptions| scenes::build(name, &o).err().map(|e| e.to_string()).unwrap_or_default();
    let odd = |image_size, samples| SceneOptions { image_size, samples, ..options("none") };
    assert!(refused("point2d", options("easyu")).contains("nearest are `easy-u`"));
    assert!(refused("corridor", odd(0, 4)).contains("image size 0 is not within 16 to 1024 pixels"));
    assert!(refused("corridor", odd(48, 3)).contains("3 samples a pixel; choose 1 or 4"));
    assert!(refused("corridoor", options("none")).contains("unknown scene `corridoor`"));
}
