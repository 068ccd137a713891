//! The reachable cells of the shipped scenes, and that every state of a scene has one.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of a #[test]

use proptest::prelude::*;
use rand::SeedableRng;
use skewfit_envs::scenes::corridor::Corridor;
use skewfit_envs::scenes::point2d::Point2d;
use skewfit_envs::scenes::{self, SceneOptions};
use skewfit_envs::{Action, Env, Rng, Scene, StateVec, Truth};

const SIDE: usize = 20;

fn options(walls: &str) -> SceneOptions {
    SceneOptions { image_size: 16, samples: 1, episode_steps: 50, evaluation_goals: 0, walls: walls.to_owned() }
}

fn scene(name: &str, walls: &str) -> Box<dyn Scene> {
    scenes::build(name, &options(walls)).unwrap()
}

fn number(scene: &dyn Truth, state: &[f64]) -> usize {
    scene.reachable().unwrap().cell(state).unwrap()
}

/// The bin of a coordinate of the corridor. The edges at -.5 belong to the hole's cells by their lower end.
fn bin(v: f64) -> usize {
    (((v + 1.0) * 10.0) as usize).min(SIDE - 1)
}

/// Cells of the corridor without a point of the open hole, in the grid's order.
fn valid() -> Vec<(usize, usize)> {
    let inside = |bin: usize| (5..15).contains(&bin);
    (0..SIDE * SIDE).map(|cell| (cell / SIDE, cell % SIDE)).filter(|(i, j)| !(inside(*i) && inside(*j))).collect()
}

#[test]
fn oracle_60_the_corridor_has_300_cells() {
    let corridor = Corridor::new(&options("none"));
    assert_eq!((corridor.reachable().unwrap().count(), valid().len()), (300, 300));
    for (n, (i, j)) in valid().into_iter().enumerate() {
        let centre = [i, j].map(|bin| (bin as f64 + 0.5) / 10.0 - 1.0);
        assert_eq!(number(&corridor, &centre), n, "{centre:?}");
    }
    for (edge, outward) in [
        ([-0.5, 0.03], [-0.55, 0.03]),
        ([0.5, 0.03], [0.55, 0.03]),
        ([0.03, -0.5], [0.03, -0.55]),
        ([0.03, 0.5], [0.03, 0.55]),
        ([-0.5 + 1e-9, 0.03], [-0.55, 0.03]), // rounded
        ([0.5 - 1e-9, 0.03], [0.55, 0.03]),
        ([0.03, f64::from(0.499_99_f32)], [0.03, 0.55]),
        ([9.0, -9.0], [0.95, -0.95]),
    ] {
        assert_eq!(number(&corridor, &edge), number(&corridor, &outward), "{edge:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// From anywhere, pushes that the hole's edge and the outer border stop.
    #[test]
    fn oracle_60_every_state_of_the_corridor_has_the_cell_around_it(
        start in prop::array::uniform2(-1.0..1.0_f64),
        push in prop::array::uniform2(-1.0..1.0_f32),
        seed in 0..u64::MAX,
    ) {
        let mut corridor = Corridor::new(&options("none"));
        corridor.reset(&mut Rng::seed_from_u64(seed)).unwrap();
        prop_assume!(corridor.set_state(&[("x", start[0]), ("y", start[1])]).is_ok());
        for _ in 0..30 {
            corridor.advance(&Action(push.to_vec())).unwrap();
            let StateVec(state) = corridor.true_state().unwrap();
            let (i, j) = valid()[number(&corridor, &state)];
            let around = |bin: usize, v: f64| ((v + 1.0) * 10.0 - bin as f64 - 0.5).abs() <= 0.5 + 1e-9;
            prop_assert!(around(i, state[0]) && around(j, state[1]), "{state:?} in ({i}, {j})");
            if state.iter().any(|v| v.abs() > 0.5 + 1e-9) {
                prop_assert_eq!((i, j), (bin(state[0]), bin(state[1])), "{:?}", &state);
            }
        }
    }
}

/// Counted by hand: the walls, enlarged by the ball, hold 12 x 12 and 14 x 4 centres of cells 0.4 wide.
#[test]
fn point2d_has_the_cells_whose_centre_is_free() {
    for (walls, count) in [("none", 400), ("box", 400 - 12 * 12), ("---", 400 - 14 * 4)] {
        assert_eq!(scene("point2d", walls).reachable().unwrap().count(), count, "{walls}");
    }
    let among = Point2d::new(&options("---")).unwrap();
    assert_eq!(number(&among, &[0.0, -1.01]), number(&among, &[0.0, -1.1]), "at rest below the wall");
}

#[test]
fn the_door_has_all_cells_of_its_coverage() {
    let door = scene("door", "none");
    let state = [-0.02, 0.61, 0.14, 0.7];
    assert_eq!((door.reachable().unwrap().count(), door.coverage().unwrap().cells()), (720, 720));
    assert_eq!(number(&*door, &state), door.coverage().unwrap().cell(&state));
}
