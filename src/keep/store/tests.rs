//! Tests of the store; this file tests shards, and makes the episodes that the others use.

mod commits;
mod damage;
mod failing;
mod moved;

use std::fs::{self as disk, File};

use hdf5::{AttrValue, FileBuilder};
use proptest::prelude::*;
use skewfit_envs::Ending;

use super::faulty::FaultyFs;
use super::fs::{DiskFs, enough_disk, names_in};
use super::*;
use crate::error::Error;
use crate::learn::episode::Episode;
use crate::learn::episode::{EpisodeGoal, GoalOrigin};

pub(super) fn root() -> ShardRoot {
    ShardRoot { run_id: "00112233aabbccdd".into(), seed: u64::MAX, env: "door".into() }
}

/// An episode with every array filled, different for each (id, salt).
fn episode(id: u64, salt: u8, [steps, side, proprio, action, latent, states]: [usize; 6]) -> Episode {
    let bytes = |n: usize| (0..n).map(|i| (i as u8).wrapping_mul(37) ^ salt ^ id as u8).collect::<Vec<_>>();
    let reals = |n: usize| (0..n).map(|i| (i as f32 - 1.5) / 7.0 + f32::from(salt)).collect::<Vec<_>>();
    Episode {
        id,
        image_size: side,
        frames: bytes((steps + 1) * side * side * 3),
        proprio: reals((steps + 1) * proprio),
        proprio_dim: proprio,
        actions: reals(steps * action),
        action_dim: action,
        goal: EpisodeGoal::first(
            bytes(side * side * 3),
            reals(latent),
            [GoalOrigin::Prior, GoalOrigin::Replay, GoalOrigin::SkewedReplay][id as usize % 3],
        ),
        later_goals: vec![],
        states: reals((steps + 1) * states).into_iter().map(|x| f64::from(x) / 3.0).collect(),
        state_names: (0..states).map(|i| format!("Gelenk_{i}_\u{b0}")).collect(),
        ending: if id.is_multiple_of(2) { Ending::Truncated } else { Ending::Terminated },
    }
}

pub(super) fn small(id: u64) -> Episode {
    episode(id, 0, [2, 2, 1, 2, 2, 2])
}

/// A run with `n` small episodes.
pub(crate) fn run(dir: &Path, n: u64) -> Store {
    let mut store = Store::create(dir, root()).unwrap();
    for id in 0..n {
        assert_eq!(store.commit(&small(id), 2 * (id + 1)).unwrap(), Committed { diverged: false });
    }
    store
}

fn files(dir: &Path) -> Vec<String> {
    let inside = |part: &str| names_in(&DiskFs, &dir.join(part)).unwrap();
    [inside(""), inside("episodes")].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_encoded_is_decoded(id: u64, salt: u8, seed: u64, shape in (1..4_usize, 1..4_usize, 0..3_usize, 1..3_usize, 1..4_usize, 0..3_usize)) {
        let episode = episode(id, salt, shape.into());
        let root = ShardRoot { seed, ..root() };
        let bytes = shard::encode(&episode, &root).unwrap();
        prop_assert_eq!(&shard::encode(&episode, &root).unwrap(), &bytes);
        prop_assert_eq!(shard::decode(&bytes).unwrap(), (episode, root));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(matches!(shard::decode(&bytes), Err(Error::Damaged(_))));
        let _ = journal::parse(&bytes);
    }
}

#[test]
fn damaged_shards_are_parsed_without_a_panic() {
    let bytes = shard::encode(&small(0), &root()).unwrap();
    for cut in 0..bytes.len() {
        assert!(shard::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    for i in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[i] ^= 1 << (i % 8);
        let _ = shard::decode(&flipped); // flipped bits in array data are detected by the hash instead
    }
}

#[test]
fn arrays_that_do_not_fit_together_are_refused() {
    let check = |change: &dyn Fn(&mut Episode)| {
        let mut bad = small(0);
        change(&mut bad);
        assert!(matches!(shard::encode(&bad, &root()), Err(Error::Usage(_))), "{bad:?}");
    };
    check(&|e| e.frames.truncate(1));
    check(&|e| e.proprio.truncate(1));
    check(&|e| e.actions.truncate(1));
    check(&|e| e.goal.picture.truncate(1));
    check(&|e| e.states.truncate(1));
    check(&|e| e.goal.latent.clear());
    check(&|e| e.actions.clear());
    check(&|e| e.action_dim = 0);
    check(&|e| e.image_size = usize::MAX);
}

#[test]
fn newer_formats_are_refused_with_advice() {
    let mut file = FileBuilder::new();
    file.set_attr("format_version", AttrValue::U64(shard::FORMAT_VERSION + 1));
    let newer_shard = shard::decode(&file.finish().unwrap()).unwrap_err();

    let dir = tempfile::tempdir().unwrap();
    drop(run(dir.path(), 1));
    let newer = seal(&RunFile { format_version: FORMAT_VERSION + 1, root: root() }).unwrap();
    disk::write(dir.path().join(RUN_FILE), newer).unwrap();
    let newer_run = Store::open(dir.path()).err().unwrap();
    for refused in [newer_shard, newer_run] {
        assert!(matches!(&refused, Error::Usage(why) if why.contains("use the newer skewfit")), "{refused}");
    }
}
