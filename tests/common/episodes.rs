//! Invented episodes of a small run.
#![allow(dead_code, clippy::unwrap_used, reason = "each test file uses its part")]

use std::path::Path;

use skewfit::keep::store::{ShardRoot, Store};
use skewfit::learn::episode::{Episode, EpisodeGoal, GoalOrigin};
use skewfit_envs::Ending;

pub fn root() -> ShardRoot {
    ShardRoot { run_id: "00112233aabbccdd".into(), seed: u64::MAX, env: "door".into() }
}

/// Two steps of 2 x 2 pixels, every array filled; different for each id.
pub fn small(id: u64) -> Episode {
    let bytes = |n: u8| (0..n).map(|i| i.wrapping_mul(37) ^ id as u8).collect::<Vec<_>>();
    let reals = |n: u8| (0..n).map(|i| (f32::from(i) - 1.5) / 7.0).collect::<Vec<_>>();
    Episode {
        id,
        image_size: 2,
        frames: bytes(36),
        proprio: reals(3),
        proprio_dim: 1,
        actions: reals(4),
        action_dim: 2,
        goal: EpisodeGoal::first(
            bytes(12),
            reals(2),
            [GoalOrigin::Prior, GoalOrigin::Replay, GoalOrigin::SkewedReplay][id as usize % 3],
        ),
        later_goals: vec![],
        states: reals(6).into_iter().map(|x| f64::from(x) / 3.0).collect(),
        state_names: vec!["x".into(), "y\u{b0}".into()],
        ending: if id.is_multiple_of(2) { Ending::Truncated } else { Ending::Terminated },
    }
}

/// A run with `n` such episodes.
pub fn run(dir: &Path, n: u64) -> Store {
    let mut store = Store::create(dir, root()).unwrap();
    for id in 0..n {
        store.commit(&small(id), 2 * (id + 1)).unwrap();
    }
    store
}
