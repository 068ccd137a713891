//! Tests of the ring, on episodes in which every number encodes its episode and step.

mod skewed;

use super::*;
use crate::learn::episode::{EpisodeGoal, GoalOrigin};
use crate::learn::rng::stream;
use proptest::{collection::vec, prop_assert, prop_assert_eq, proptest};
use skewfit_envs::Ending;

/// The t in the code of a rollout's goal.
pub(crate) const CODED_GOAL: usize = 9999;
const Z: usize = 4;

/// The latent (4) of frame `t` of episode `id`.
pub(crate) fn coded(id: u64, t: usize) -> Vec<f32> {
    vec![id as f32, t as f32, 0.25, -1.0]
}

/// The inverse of [`coded`].
pub(crate) fn decode(z: &[f32]) -> (u64, usize) {
    (z[0] as u64, z[1] as usize)
}

/// Episode `id`: 1 x 1 frames (id, t, 7), actions (id, t), coded goal; episodes with an odd id terminate.
pub(crate) fn episode(id: u64, steps: usize) -> Episode {
    Episode {
        id,
        image_size: 1,
        frames: (0..=steps).flat_map(|t| [id as u8, t as u8, 7]).collect(),
        proprio: vec![],
        proprio_dim: 0,
        actions: (0..steps).flat_map(|t| [id as f32, t as f32]).collect(),
        action_dim: 2,
        goal: EpisodeGoal::first(vec![id as u8; 3], coded(id, CODED_GOAL), GoalOrigin::Prior),
        later_goals: vec![],
        states: vec![],
        state_names: vec![],
        ending: if id % 2 == 1 { Ending::Terminated } else { Ending::Truncated },
    }
}

fn latents(id: u64, steps: usize) -> Vec<f32> {
    (0..=steps).flat_map(|t| coded(id, t)).collect()
}

/// Pushes an episode; returns how many transitions were evicted.
pub(super) fn push(replay: &mut Replay, id: u64, steps: usize) -> usize {
    replay.push(episode(id, steps), latents(id, steps), replay.version()).unwrap()
}

/// Replay after pushing episodes 0, 1, .. of these lengths.
pub(crate) fn filled(capacity: usize, lengths: &[usize]) -> Replay {
    let mut replay = Replay::new(capacity, Z);
    for (id, &steps) in lengths.iter().enumerate() {
        push(&mut replay, id as u64, steps);
    }
    replay
}

#[test]
fn slots_name_next_observations() {
    let replay = filled(100, &[3, 1, 0, 5]);
    let slots: Vec<_> = (0..replay.transitions()).map(|i| replay.slot(i).unwrap()).collect();
    assert_eq!(replay.slot(replay.transitions()), None);
    assert_eq!(slots.iter().map(|s| s.episode).collect::<Vec<_>>(), [0, 0, 0, 1, 3, 3, 3, 3, 3]);
    for slot in slots {
        let id = slot.episode as u64;
        assert_eq!(replay.next_latent(slot), coded(id, slot.step + 1));
        assert_eq!(replay.next_frame(slot), [id as u8, slot.step as u8 + 1, 7]);
    }
}

#[test]
fn whole_oldest_episodes_are_evicted() {
    let ids = |replay: &Replay| replay.episodes().map(StoredEpisode::id).collect::<Vec<_>>();
    let replay = filled(10, &[4, 4, 4, 1]);
    assert_eq!((ids(&replay), replay.transitions()), (vec![1, 2, 3], 9));
    let one_too_long = filled(10, &[4, 4, 25]);
    assert_eq!((ids(&one_too_long), one_too_long.transitions()), (vec![2], 25));
}

#[test]
fn uniform_draws_are_uniform() {
    let (replay, mut rng, mut counts) = (filled(100, &[3, 1, 5]), stream(2, "replay", &[]), [0.0f64; 9]);
    for _ in 0..90_000 {
        let slot = replay.draw_uniform(&mut rng).unwrap();
        counts[[0, 3, 4][slot.episode] + slot.step] += 1.0;
    }
    let chi2: f64 = counts.iter().map(|c| (c - 1e4).powi(2) / 1e4).sum();
    assert!(chi2 < 37.3, "chi2(8 dof, p = 1e-5) = 37.3 < {chi2}");
}

#[test]
fn latents_change_version_together() {
    let mut replay = filled(100, &[3, 2]);
    let stale = replay.version();
    let fresh = |steps: usize| EpisodeLatents { latents: vec![2.5; (steps + 1) * Z], goal_latents: vec![3.5; Z] };

    assert!(replay.refresh(LatentVersion(1), vec![fresh(3)]).is_err());
    assert!(replay.refresh(LatentVersion(1), vec![fresh(3), fresh(3)]).is_err());
    assert!(replay.version() == stale && replay.next_latent(replay.slot(0).unwrap()) == coded(0, 1));

    replay.refresh(LatentVersion(1), vec![fresh(3), fresh(2)]).unwrap();
    assert_eq!(replay.version(), LatentVersion(1));
    for stored in replay.episodes() {
        assert!(stored.latents(stale).is_none() && stored.latents(LatentVersion(2)).is_none());
        assert_eq!(stored.latents(LatentVersion(1)).unwrap(), fresh(stored.steps()).latents);
        assert_eq!(stored.goal_at(0).latent, [3.5; Z]);
    }
    let error = replay.push(episode(2, 4), latents(2, 4), stale).unwrap_err();
    assert!(error.to_string().contains("episode 2 must have latents of version 1"), "{error}");
}

#[test]
fn the_first_episode_sets_the_latent_version() {
    let mut replay = Replay::new(100, Z);
    replay.push(episode(0, 2), latents(0, 2), LatentVersion(5)).unwrap();
    assert_eq!(replay.version(), LatentVersion(5));
    assert_eq!(replay.episodes().next().unwrap().latents(LatentVersion(5)), Some(&latents(0, 2)[..]));
}

#[test]
fn episodes_of_wrong_shape_are_refused_by_name() {
    type Break = fn(&mut Episode, &mut Vec<f32>);
    let cases: [(Break, &str); 6] = [
        (|_, latents| latents.truncate(23), "latents of 4 numbers for each of 6 frames"),
        (|e, _| e.goal.latent.truncate(3), "goal latents of 4 numbers"),
        (|e, _| e.frames.truncate(17), "one frame more"),
        (|e, _| e.image_size = 2, "one frame more"),
        (|e, _| e.actions.push(0.0), "actions"),
        (|e, _| (e.action_dim, e.actions) = (1, vec![0.0; 5]), "actions"),
    ];
    for (damage, word) in cases {
        let mut replay = filled(100, &[3]);
        let (mut bad, mut z) = (episode(7, 5), latents(7, 5));
        damage(&mut bad, &mut z);
        let error = replay.push(bad, z, LatentVersion(0)).unwrap_err().to_string();
        assert!(error.contains("episode 7") && error.contains(word), "{error}");
        assert_eq!(replay.transitions(), 3);
    }
}

proptest! {
    #[test]
    fn the_ring_holds_the_newest_episodes_that_fit(lengths in vec(0usize..20, 1..40), capacity in 1usize..100) {
        let replay = filled(capacity, &lengths);
        let kept: Vec<_> = replay.episodes().map(|e| (e.id() as usize, e.steps())).collect();
        let first = lengths.len() - kept.len();
        let total: usize = lengths[first..].iter().sum();
        prop_assert!(kept.iter().enumerate().all(|(k, &(id, steps))| id == first + k && steps == lengths[id]));
        prop_assert_eq!(replay.transitions(), total);
        prop_assert!(total <= capacity || kept.len() == 1);
        prop_assert!(first == 0 || total + lengths[first - 1] > capacity);
        let slots = (0..total).map(|i| replay.slot(i).unwrap()).map(|s| (s.episode + first, s.step));
        let want = (first..lengths.len()).flat_map(|id| (0..lengths[id]).map(move |t| (id, t)));
        prop_assert!(slots.eq(want));
    }
}
