//! The hole, the noise, the goals and the picture of the corridor.

use super::*;

fn corridor(goals: usize) -> Corridor {
    let walls = "none".to_owned();
    Corridor::new(&SceneOptions { image_size: 48, samples: 4, episode_steps: 50, evaluation_goals: goals, walls })
}

#[test]
fn a_point_in_the_hole_moves_to_the_nearest_edge() {
    for (from, to) in [
        ([0.4, 0.1], [0.5, 0.1]),
        ([-0.4, 0.1], [-0.5, 0.1]),
        ([0.1, 0.4], [0.1, 0.5]),
        ([0.1, -0.4], [0.1, -0.5]),
        ([0.0, 0.0], [-0.5, 0.0]),  // all four edges are equally near: left
        ([0.3, 0.3], [0.5, 0.3]),   // right or top: right
        ([-0.3, 0.3], [-0.5, 0.3]), // left or top: left
        ([0.3, -0.3], [0.5, -0.3]), // right or bottom: right
        ([0.5, 0.0], [0.5, 0.0]),   // a point on an edge is not in the open hole
        ([0.1, 0.7], [0.1, 0.7]),
    ] {
        assert_eq!(push_out(from), to, "{from:?}");
        assert!(is_valid(push_out(from)));
    }
}

#[test]
fn noise_has_mean_0_and_deviation_0_01() {
    let mut env = corridor(0);
    env.reset(&mut Rng::seed_from_u64(3)).unwrap();
    let mut moves = Vec::new();
    for _ in 0..20_000 {
        env.state.at = [0.75, 0.0]; // far from every edge
        env.step(&Action(vec![0.0, 0.0])).unwrap();
        moves.extend([env.state.at[0] - 0.75, env.state.at[1]]);
    }
    let n = moves.len() as f64;
    let mean = moves.iter().sum::<f64>() / n;
    let deviation = (moves.iter().map(|m| (m - mean) * (m - mean)).sum::<f64>() / n).sqrt();
    assert!(mean.abs() < 4.0 * 0.01 / n.sqrt(), "mean {mean}");
    assert!((deviation - 0.01).abs() < 4.0 * 0.01 / (2.0 * n).sqrt(), "deviation {deviation}");
}

#[test]
fn the_whole_disc_is_visible_in_every_corner() {
    let size = 240;
    let disc_area = |at| {
        let red = picture(at, size, 1).pixels.chunks(3).filter(|p| *p == DISC).count();
        red as f64 * (2.4 / size as f64) * (2.4 / size as f64)
    };
    for at in [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0], [0.5, 0.0]] {
        let area = disc_area(at);
        assert!((area - std::f64::consts::PI * RADIUS * RADIUS).abs() < 0.002, "{at:?}: {area}");
    }
}

#[test]
fn goals_cover_the_ring_evenly() {
    let mut env = corridor(400);
    let goals = env.evaluation_goals().to_vec();
    for quadrant in [[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]] {
        let n = goals.iter().filter(|g| g.state.0.iter().zip(quadrant).all(|(v, q)| v * q > 0.0)).count();
        assert!((n as f64 - 100.0).abs() < 4.0 * (400.0 * 0.25 * 0.75_f64).sqrt(), "{quadrant:?}: {n}");
    }
    assert!(goals.iter().all(|g| is_valid([g.state.0[0], g.state.0[1]])));
    env.state.at = [goals[7].state.0[0], goals[7].state.0[1]];
    assert_eq!((env.render(48, 4), "corridor-07"), (goals[7].image.clone(), goals[7].name.as_str()));
    assert_eq!(corridor(400).goals, goals);
}

#[test]
fn a_goal_is_reached_within_a_tenth() {
    let (env, goal) = (corridor(0), StateVec(vec![0.0, 0.75]));
    assert!(env.success(&StateVec(vec![0.06, 0.82]), &goal));
    assert!(!env.success(&StateVec(vec![0.0, 0.86]), &goal));
    assert_eq!(env.metrics(&StateVec(vec![0.3, 1.15]), &goal)[0].0, "distance");
    assert!((env.metrics(&StateVec(vec![0.3, 1.15]), &goal)[0].1 - 0.5).abs() < 1e-12);
    assert_eq!((env.coverage().unwrap().cells(), env.coverage().unwrap().cell(&START)), (3600, 0));
}
