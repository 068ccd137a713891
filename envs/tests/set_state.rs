//! `set_state`: states that a scene can hold at rest are set, others are refused.
#![allow(clippy::unwrap_used)] // helpers of tests, outside of a #[test]

use skewfit_envs::scenes::{SceneOptions, build};
use skewfit_envs::{EnvFault, Scene};

fn scene(name: &str, walls: &str, image_size: usize) -> Box<dyn Scene> {
    let (samples, episode_steps, evaluation_goals) = (4, 100, 50);
    build(name, &SceneOptions { image_size, samples, episode_steps, evaluation_goals, walls: walls.to_owned() })
        .unwrap()
}

fn state(scene: &dyn Scene) -> Vec<f64> {
    scene.true_state().unwrap().0
}

/// Of the states that a hand reached, most can be set and give the same picture. States in which the door moved or was
/// pushed are refused.
#[test]
fn states_are_set_and_settled() {
    let mut scene = scene("door", "none", 48);
    let names = scene.spec().state_names.clone();
    let goals = scene.evaluation_goals().to_vec();
    let mut held = 0;
    for goal in &goals {
        let values: Vec<(&str, f64)> = names.iter().map(String::as_str).zip(goal.state.0.iter().copied()).collect();
        let before = state(&*scene);
        match scene.set_state(&values) {
            Ok(()) => {
                held += 1;
                let off: Vec<f64> = state(&*scene).iter().zip(&goal.state.0).map(|(a, b)| (a - b).abs()).collect();
                assert!(off.iter().all(|d| *d <= 0.005), "{}: {off:?}", goal.name);
                let drawn = scene.render(48, 4).pixels;
                let far = drawn.iter().zip(&goal.image.pixels).filter(|(a, b)| a.abs_diff(**b) > 60).count();
                assert!(far < 200, "{}: {far} of 6912 values differ", goal.name);
            }
            Err(EnvFault::BadState { .. }) => assert_eq!(state(&*scene), before, "refused, so unchanged"),
            Err(other) => panic!("{other}"),
        }
    }
    assert!((25..50).contains(&held), "{held} of 50 reached states are held");
}

#[test]
fn an_impossible_state_is_refused_and_changes_nothing() {
    let mut scene = scene("door", "none", 16);
    scene.set_state(&[("angle", 0.4)]).unwrap();
    let opened = state(&*scene);
    assert!((opened[3] - 0.4).abs() < 0.005 && (opened[1] - 0.5).abs() < 0.005, "the hand stays: {opened:?}");
    let inside = [("hand_x", -0.05), ("hand_y", 0.65), ("hand_z", 0.15), ("angle", 0.3)];
    let cases: [(&[(&str, f64)], &str); 6] = [
        (&[("elbow", 0.1)], "no entry `elbow`"),
        (&[("angle", f64::NAN)], "finite"),
        (&[("angle", 1.5)], "is not held"),
        (&[("angle", 1e300)], "is not held"),
        (&[("hand_z", 0.9)], "is not held"),
        (&inside, "is not held"),
    ];
    for (values, words) in cases {
        let refused = scene.set_state(values).unwrap_err();
        assert!(matches!(refused, EnvFault::BadState { .. }) && refused.to_string().contains(words), "{refused}");
        assert_eq!(state(&*scene), opened, "{words}");
    }
}

#[test]
fn a_point_is_set_at_valid_positions_only() {
    for (name, walls, free, blocked) in
        [("corridor", "none", [0.7, -0.2], [0.2, 0.1]), ("point2d", "box", [-3.0, 3.0], [9.0, 0.0])]
    {
        let mut scene = scene(name, walls, 24);
        scene.set_state(&[("y", free[1]), ("x", free[0])]).unwrap();
        assert_eq!(state(&*scene), free);
        for (values, words) in [
            (vec![("x", blocked[0]), ("y", blocked[1])], "["),
            (vec![("z", 0.0)], "no entry `z`"),
            (vec![("x", f64::INFINITY)], "finite"),
        ] {
            let refused = scene.set_state(&values).unwrap_err();
            assert!(matches!(refused, EnvFault::BadState { .. }) && refused.to_string().contains(words), "{refused}");
            assert_eq!(state(&*scene), free, "{words}");
        }
    }
}
