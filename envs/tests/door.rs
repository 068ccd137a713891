//! The door scene: reference angles, determinism, snapshots, bad input.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of a #[test]

use rand::{Rng as _, SeedableRng};
use skewfit_envs::scenes::{SceneOptions, build};
use skewfit_envs::{Action, EnvFault, EnvSnapshot, Rng, Scene};

const OPTIONS: SceneOptions =
    SceneOptions { image_size: 48, samples: 4, episode_steps: 100, evaluation_goals: 50, walls: String::new() };

fn door() -> Box<dyn Scene> {
    build("door", &OPTIONS).unwrap()
}

/// The door with the cheapest pictures, for tests of the physics alone.
fn bare() -> Box<dyn Scene> {
    build("door", &SceneOptions { image_size: 16, samples: 1, ..OPTIONS }).unwrap()
}

fn noise(rng: &mut Rng) -> Action {
    Action((0..3).map(|_| rng.random_range(-1.0..=1.0)).collect())
}

fn state(scene: &dyn Scene) -> Vec<f64> {
    scene.true_state().unwrap().0
}

fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
const FNV_START: u64 = 0xcbf2_9ce4_8422_2325;

/// The hook moves over the bar, then pulls for ten steps. References: the prototype of the same door and hand (first
/// list, tolerance .002 rad), and a stiffer hinge motor (second list, tolerance .04 rad, because this hinge's damping
/// is a torque of 0.1 N m s).
#[test]
fn a_scripted_pull_opens_the_door_as_in_the_reference() {
    let mut scene = bare();
    for (steps, action) in [(2, [0.0, 0.0, 1.0]), (7, [0.0, 1.0, 0.0]), (3, [0.0, 0.0, -1.0])] {
        (0..steps).for_each(|_| drop(scene.step(&Action(action.to_vec())).unwrap()));
    }
    let close = [0.061, 0.138, 0.213, 0.284, 0.353, 0.416, 0.476, 0.533, 0.585, 0.606];
    let stiffer = [0.059, 0.138, 0.217, 0.295, 0.374, 0.451, 0.513, 0.560, 0.606, 0.624];
    for (close, stiffer) in close.into_iter().zip(stiffer) {
        scene.step(&Action(vec![0.0, -1.0, 0.0])).unwrap();
        let angle = state(&*scene)[3];
        assert!((angle - close).abs() < 0.002, "{angle} is not {close}");
        assert!((angle - stiffer).abs() < 0.04, "{angle} is not {stiffer}");
    }
    assert!((0.55..0.70).contains(&state(&*scene)[3]));
}

/// Random actions move the door a little, seldom far, and never to its stop (MuJoCo: mean .048, max .68 rad).
#[test]
fn random_actions_move_the_door_as_in_the_reference() {
    let mut angles = Vec::new();
    for seed in 0..6 {
        let (mut scene, mut rng) = (bare(), Rng::seed_from_u64(seed));
        for _ in 0..1500 {
            scene.step(&noise(&mut rng)).unwrap();
            angles.push(state(&*scene)[3]);
        }
    }
    let mean = angles.iter().sum::<f64>() / angles.len() as f64;
    let max = angles.iter().copied().fold(0.0, f64::max);
    assert!((0.02..0.08).contains(&mean), "mean {mean}");
    assert!(max < 0.8, "max {max}");
    let wide = angles.iter().filter(|angle| **angle > 0.1).count() as f64 / angles.len() as f64;
    assert!((0.05..=0.20).contains(&wide), "{wide} of the steps are above 0.1 rad");
}

/// If one of these hashes changes, the task has changed: earlier results are no longer comparable.
#[test]
fn two_hundred_steps_have_the_golden_hashes() {
    let (mut scene, mut twin, mut rng) = (door(), door(), Rng::seed_from_u64(7));
    let (mut states, mut frames) = (FNV_START, FNV_START);
    for _ in 0..200 {
        let action = noise(&mut rng);
        let step = scene.step(&action).unwrap();
        assert_eq!(step, twin.step(&action).unwrap(), "two instances differ");
        states = state(&*scene).iter().fold(states, |hash, x| fnv1a(hash, &x.to_le_bytes()));
        frames = fnv1a(frames, &step.observation.image.pixels);
    }
    assert_eq!(format!("{states:016x} {frames:016x}"), "81ec9833d43440ce 442c34d57b8ced39");
}

#[test]
fn a_snapshot_continues_in_a_fresh_scene_byte_for_byte() {
    for seed in 0..5 {
        let (mut scene, mut rng) = (door(), Rng::seed_from_u64(seed));
        (0..100).for_each(|_| drop(scene.step(&noise(&mut rng)).unwrap()));
        let snapshot = scene.snapshot().unwrap();
        let mut fresh = door();
        fresh.restore(&snapshot).unwrap();
        assert_eq!(fresh.snapshot().unwrap(), snapshot, "seed {seed}");
        for step in 0..100 {
            let action = noise(&mut rng);
            assert_eq!(scene.step(&action).unwrap(), fresh.step(&action).unwrap(), "seed {seed}, step {step}");
            assert_eq!(state(&*scene), state(&*fresh), "seed {seed}, step {step}");
        }
        assert_eq!(fresh.snapshot().unwrap(), scene.snapshot().unwrap(), "seed {seed}");
    }
}

#[test]
fn invalid_snapshots_are_refused_and_change_nothing() {
    let mut scene = door();
    (0..20).for_each(|_| drop(scene.step(&Action(vec![0.3, 0.9, -0.1])).unwrap()));
    let good = scene.snapshot().unwrap();
    let mut bad: Vec<Vec<u8>> = [0, 1, 5, 14, 100, good.0.len() - 1].map(|n| good.0[..n].to_vec()).to_vec();
    bad.push([&good.0[..], &[0]].concat());
    bad.push([b"\x08corridor", &good.0[5..]].concat());
    for bytes in bad {
        let fault = scene.restore(&EnvSnapshot(bytes)).unwrap_err();
        assert!(matches!(fault, EnvFault::BadSnapshot { ref scene, .. } if scene == "door"), "{fault}");
        assert_eq!(scene.snapshot().unwrap(), good, "{fault}");
    }
}

#[test]
fn actions_are_clipped_or_refused() {
    let mut scene = door();
    let step = scene.step(&Action(vec![7.0, -9.0, 0.5])).unwrap();
    assert_eq!(step.executed, Action(vec![1.0, -1.0, 0.5]));
    let mut twin = door();
    assert_eq!(twin.step(&step.executed).unwrap(), step);
    for bad in [vec![f32::NAN, 0.0, 0.0], vec![0.0, f32::INFINITY, 0.0], vec![0.0; 2], vec![0.0; 4], vec![]] {
        let before = scene.snapshot().unwrap();
        assert!(matches!(scene.step(&Action(bad)), Err(EnvFault::BadAction { want: 3, .. })));
        assert_eq!(scene.snapshot().unwrap(), before);
    }
    (0..50).for_each(|_| drop(scene.step(&Action(vec![1.0, -1.0, 1.0])).unwrap()));
    let corner = [0.05, 0.45, 0.25, 0.0];
    assert!(state(&*scene).iter().zip(corner).all(|(x, c)| (x - c).abs() < 1e-3), "{:?}", state(&*scene));
}

#[test]
fn a_reset_keeps_the_state_and_the_start_state_is_as_documented() {
    let (mut scene, mut rng) = (door(), Rng::seed_from_u64(1));
    let start = state(&*scene);
    assert!(start.iter().zip([-0.05, 0.5, 0.2, 0.0]).all(|(s, want)| (s - want).abs() < 1e-6), "{start:?}");
    let seen = scene.step(&noise(&mut rng)).unwrap().observation;
    let before = state(&*scene);
    assert_eq!(scene.reset(&mut rng).unwrap(), seen);
    assert_eq!(state(&*scene), before);
}

#[test]
fn goals_cover_angles_and_hand_positions_and_are_deterministic() {
    for count in [1, 10, 50] {
        let options = SceneOptions { evaluation_goals: count, ..OPTIONS };
        let [scene, twin] = [(); 2].map(|()| build("door", &options).unwrap());
        let goals = scene.evaluation_goals();
        assert_eq!(goals, twin.evaluation_goals());
        let mut strata: Vec<_> = goals.iter().map(|g| (g.state.0[3].max(0.0) / 0.6 * count as f64) as usize).collect();
        assert!(count == 1 || !strata.is_sorted(), "not shuffled");
        strata.sort_unstable();
        assert_eq!(strata, (0..count).collect::<Vec<_>>());
    }
    let scene = door();
    let goals = scene.evaluation_goals();
    for (axis, (low, high)) in [(-0.1, 0.05), (0.45, 0.65), (0.1, 0.25)].into_iter().enumerate() {
        let hands: Vec<_> = goals.iter().map(|g| g.state.0[axis]).collect();
        let within = |third: usize| {
            let edge = |k: usize| low + (high - low) * k as f64 / 3.0;
            hands.iter().filter(|h| (edge(third)..edge(third + 1)).contains(*h)).count()
        };
        assert!((0..3).all(|third| within(third) >= 5), "axis {axis}: {hands:?}");
        assert!(hands.iter().all(|h| (low - 0.05..high + 0.05).contains(h)), "axis {axis}: {hands:?}");
    }
}

/// Without a step the goals are the start state; five steps are too few to open the door, thirty are enough.
#[test]
fn goals_are_reachable_within_an_episode() {
    for (episode_steps, low, high) in [(0, 0.0, 1e-6), (5, 0.0, 1e-3), (30, 0.5, 0.6)] {
        let scene = build("door", &SceneOptions { episode_steps, ..OPTIONS }).unwrap();
        let goals = scene.evaluation_goals();
        let widest = goals.iter().map(|g| g.state.0[3]).fold(0.0, f64::max);
        assert!(goals.len() == 50 && (low..=high).contains(&widest), "{episode_steps} steps: {widest} rad");
        assert!(episode_steps > 0 || goals.iter().all(|g| g.state == scene.true_state().unwrap()));
    }
}

#[test]
fn metrics_measure_angle_and_hand() {
    let scene = door();
    let [a, b] = [[0.0, 0.5, 0.2, 0.10], [0.03, 0.54, 0.2, 0.16]].map(|s| skewfit_envs::StateVec(s.to_vec()));
    let metrics = scene.metrics(&a, &b);
    assert_eq!(metrics.iter().map(|m| m.0.as_ref()).collect::<Vec<_>>(), ["angle_error_rad", "hand_distance_m"]);
    assert!((metrics[0].1 - 0.06).abs() < 1e-12 && (metrics[1].1 - 0.05).abs() < 1e-12);
    assert!(!scene.success(&a, &b) && scene.success(&a, &a));
    assert_eq!(scene.coverage().unwrap().cells(), 720);
}

#[test]
fn movements_of_hand_and_door_change_the_picture() {
    let mut scene = door();
    let seen = |scene: &mut dyn Scene, action: [f32; 3]| {
        let before = scene.render(48, 4).pixels;
        (0..4).for_each(|_| drop(scene.step(&Action(action.to_vec())).unwrap()));
        let after = scene.render(48, 4).pixels;
        before
            .chunks(3)
            .zip(after.chunks(3))
            .filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 20))
            .count()
    };
    for action in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]] {
        let changed = seen(&mut *scene, action);
        assert!(changed > 40, "{action:?} changes {changed} of 2304 pixels");
    }
}

#[test]
fn every_size_is_drawn_and_bad_options_are_refused() {
    for (image_size, samples) in [(16, 1), (48, 4), (84, 4), (257, 1)] {
        let mut scene = build("door", &SceneOptions { image_size, samples, ..OPTIONS }).unwrap();
        let image = scene.reset(&mut Rng::seed_from_u64(0)).unwrap().image;
        assert_eq!((image.size, image.pixels.len()), (image_size, image_size * image_size * 3));
        assert_eq!(image, scene.render(image_size, samples));
    }
    for (image_size, samples) in [(15, 1), (1025, 4), (48, 0), (48, 2)] {
        let fault = build("door", &SceneOptions { image_size, samples, ..OPTIONS }).err().unwrap();
        assert!(matches!(fault, EnvFault::BadOption { .. }), "{fault}");
    }
}
