//! Evaluation goals: states that scripted rollouts reached, with angles uniform over [0, .60] rad and varied hands.
//!
//! Some states in the hand's box cannot be held (the hook would be inside the door), so a goal is always a state that a
//! rollout reached. All rollouts begin at the start state and last at most an episode. Three in four pass the hook
//! over the handle bar, lower it, pull, pause, and usually let go; afterwards the hand moves between uniform random
//! points. Every fourth rollout moves between such points from its first step. [0, .60] is divided into `count` strata,
//! and each stratum takes one of its visited states at random; a stratum without a visited state (short episodes)
//! takes the visited state nearest to its middle. Last, the goals are shuffled. All seeds are fixed.

use rand::{Rng as _, SeedableRng, seq::SliceRandom};
use rapier3d::math::Vector;

use super::world::{ACTION_SCALE, Configuration, HAND_BOX, HAND_START, World};
use crate::Rng;

const TOP_RAD: f64 = 0.60;
const ROLLOUTS: u64 = 64;
/// Longer rollouts reach no further states.
const MAX_STEPS: usize = 150;

/// `count` reached states in shuffled order; the same arguments give the same states.
pub(super) fn reached(count: usize, episode_steps: usize) -> Vec<Configuration> {
    let visited = (0..ROLLOUTS).flat_map(|k| rollout(k, episode_steps.min(MAX_STEPS)));
    let visited: Vec<_> = visited.map(|c| (c.angle(), c)).collect();
    let mut rng = Rng::seed_from_u64(ROLLOUTS);
    let mut goals: Vec<_> = (0..count).filter_map(|k| pick(&visited, k, count, &mut rng)).collect();
    goals.shuffle(&mut rng);
    goals
}

/// One visited state of stratum `k` of `count`.
fn pick(visited: &[(f64, Configuration)], k: usize, count: usize, rng: &mut Rng) -> Option<Configuration> {
    let position = |angle: f64| angle.max(0.0) / TOP_RAD * count as f64 - k as f64;
    let within: Vec<_> = visited.iter().filter(|(angle, _)| (0.0..1.0).contains(&position(*angle))).collect();
    if within.is_empty() {
        let off = |angle: f64| (position(angle) - 0.5).abs();
        return visited.iter().min_by(|a, b| off(a.0).total_cmp(&off(b.0))).map(|(_, c)| *c);
    }
    Some(within[rng.random_range(0..within.len())].1)
}

/// The start state and the states after each of `steps` steps of the `k`-th script.
fn rollout(k: u64, steps: usize) -> Vec<Configuration> {
    let mut rng = Rng::seed_from_u64(k);
    let mut world = World::new();
    let mut plan = if k.is_multiple_of(4) { Vec::new() } else { pull(&mut rng) };
    plan.reverse();
    let mut visited = vec![world.configuration()];
    let (mut target, mut waypoint) = (HAND_START, HAND_START);
    for _ in 0..steps {
        if (waypoint - target).length_squared() < 1e-8 {
            waypoint = plan.pop().unwrap_or_else(|| between(&mut rng, HAND_BOX));
        }
        let action = ((waypoint - target) / ACTION_SCALE).clamp(-Vector::ONE, Vector::ONE);
        target += action * ACTION_SCALE;
        world.step(action.to_array());
        visited.push(world.configuration());
    }
    visited
}

/// Waypoints of one pull; a repeated waypoint is a pause of one step.
fn pull(rng: &mut Rng) -> Vec<Vector> {
    let inside = between(rng, [Vector::new(-0.1, 0.635, 0.14), Vector::new(0.04, 0.635, 0.19)]);
    let pulled = between(rng, [Vector::new(-0.1, 0.45, inside.z), Vector::new(0.05, 0.62, inside.z)]);
    let mut plan = vec![inside.with_y(0.5).with_z(0.24), inside.with_z(0.24), inside, pulled, pulled, pulled, pulled];
    if rng.random_bool(0.75) {
        plan.push(pulled.with_z(0.25));
    }
    plan
}

/// A point uniform in the box.
fn between(rng: &mut Rng, [low, high]: [Vector; 2]) -> Vector {
    low + (high - low) * Vector::new(rng.random(), rng.random(), rng.random())
}
