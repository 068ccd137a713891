//! Episodes whose every number says where it comes from, and the laws of the ring.

use super::*;
use crate::learn::episode::GoalOrigin;
use crate::learn::rng::stream;
use proptest::{collection::vec, prop_assert, prop_assert_eq, proptest};
use skewfit_envs::Ending;

/// Stands for t in the code of a rollout's goal.
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

/// Episode `id`: 1 x 1 frames (id, t, 7), actions (id, t), coded goal; odd ones terminate.
pub(crate) fn episode(id: u64, steps: usize) -> Episode {
    Episode {
        id,
        image_size: 1,
        frames: (0..=steps).flat_map(|t| [id as u8, t as u8, 7]).collect(),
        proprio: vec![],
        proprio_dim: 0,
        actions: (0..steps).flat_map(|t| [id as f32, t as f32]).collect(),
        action_dim: 2,
        goal_image: vec![id as u8; 3],
        goal_latent: coded(id, CODED_GOAL),
        goal_origin: GoalOrigin::Prior,
        states: vec![],
        state_names: vec![],
        ending: if id % 2 == 1 { Ending::Terminated } else { Ending::Truncated },
    }
}

fn latents(id: u64, steps: usize) -> Vec<f32> {
    (0..=steps).flat_map(|t| coded(id, t)).collect()
}

fn push(replay: &mut Replay, id: u64, steps: usize) {
    replay.push(episode(id, steps), latents(id, steps), replay.version()).unwrap();
}

/// Replay after pushing episodes 0, 1, .. of these lengths.
pub(crate) fn filled(capacity: usize, lengths: &[usize]) -> Replay {
    let mut replay = Replay::new(capacity, Z);
    lengths.iter().enumerate().for_each(|(id, &steps)| push(&mut replay, id as u64, steps));
    replay
}

/// log p that depends on where the transition is, and not smoothly.
fn density(id: u64, t: usize) -> f64 {
    -(((id * 31 + t as u64 * 17) % 13) as f64)
}

fn skew(replay: &mut Replay, alpha: f64) -> SkewInfo {
    let log_density = replay.episodes().map(|e| (0..e.steps()).map(|t| density(e.id(), t)).collect()).collect();
    replay.set_log_density(log_density, alpha, 0.0).unwrap()
}

/// Probability of each stored transition that the skewed draws show, (id, t) -> share.
fn shares(replay: &Replay, n: usize) -> std::collections::BTreeMap<(u64, usize), f64> {
    let (mut rng, mut shares) = (stream(1, "replay", &[]), std::collections::BTreeMap::new());
    for _ in 0..n {
        let slot = replay.draw_skewed(&mut rng).unwrap();
        *shares.entry((replay.episode(slot).id(), slot.step)).or_insert(0.0) += 1.0 / n as f64;
    }
    shares
}

/// The draws follow p^alpha over exactly the transitions of these (id, steps).
fn follows(replay: &Replay, of: &[(u64, usize)], alpha: f64) {
    let keys: Vec<_> = of.iter().flat_map(|&(id, steps)| (0..steps).map(move |t| (id, t))).collect();
    let want = skew_weights(&keys.iter().map(|&(id, t)| density(id, t)).collect::<Vec<_>>(), alpha);
    assert_eq!(replay.skew.as_ref().map_or(0, |s| s.table.len()), keys.len());
    let n = 200_000;
    let got = shares(replay, n);
    assert!(got.keys().all(|key| keys.contains(key)));
    for (key, p) in keys.iter().zip(&want.p) {
        let share = got.get(key).copied().unwrap_or(0.0);
        assert!((share - p).abs() < 5.0 * (p / n as f64).sqrt() + 1e-9, "{key:?}: {share} is not {p}");
    }
}

#[test]
fn slots_name_next_observations() {
    let replay = filled(100, &[3, 1, 0, 5]);
    let slots: Vec<_> = (0..replay.transitions()).map(|i| replay.slot(i)).collect();
    assert_eq!(slots.iter().map(|s| s.episode).collect::<Vec<_>>(), [0, 0, 0, 1, 3, 3, 3, 3, 3]);
    for slot in slots {
        let id = slot.episode as u64;
        assert_eq!(replay.next_latent(slot), coded(id, slot.step + 1));
        assert_eq!(replay.next_frame(slot), [id as u8, slot.step as u8 + 1, 7]);
    }
}

#[test]
fn whole_oldest_episodes_are_evicted() {
    let ids = |replay: &Replay| replay.episodes().map(Stored::id).collect::<Vec<_>>();
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
fn oracle_16_skew_covers_the_buffer_of_the_last_refresh() {
    let mut replay = filled(100, &[6, 4, 5]);
    assert!(!replay.skewed());
    let info = skew(&mut replay, -0.5);
    assert!(replay.skewed() && info.alpha == -0.5);
    let known: Vec<f64> = replay.episodes().flat_map(|e| e.log_density().unwrap().to_vec()).collect();
    let weights = skew_weights(&known, -0.5);
    assert_eq!(replay.skew_weights(), Some(weights.clone()));
    assert_eq!((info.ess, info.max_weight), (weights.ess() / weights.p.len() as f64, weights.max()));
    push(&mut replay, 3, 9);
    assert_eq!(replay.episodes().map(|e| e.log_density().is_some()).collect::<Vec<_>>(), [true, true, true, false]);
    follows(&replay, &[(0, 6), (1, 4), (2, 5)], -0.5);
}

#[test]
fn evicted_mass_goes_to_the_rest() {
    let mut replay = filled(15, &[6, 4, 5]);
    skew(&mut replay, -0.4);
    push(&mut replay, 3, 3);
    follows(&replay, &[(1, 4), (2, 5)], -0.4);
    push(&mut replay, 4, 14);
    assert!(!replay.skewed() && replay.draw_skewed(&mut stream(0, "replay", &[])).is_some());
}

#[test]
fn a_mass_hoarder_evicted_leaves_a_sound_distribution() {
    let mut replay = filled(4, &[2, 2]);
    replay.set_log_density(vec![vec![-5000.0; 2], vec![0.0, -1.0]], -1.0, 0.0).unwrap();
    push(&mut replay, 2, 2);
    let odds = shares(&replay, 100_000);
    assert!((odds[&(1, 1)] / odds[&(1, 0)] - std::f64::consts::E).abs() < 0.1);
}

#[test]
fn oracle_17_alpha_zero_draws_as_if_there_were_no_skewing() {
    let (mut rig, mut plain) = (filled(100, &[6, 4, 5]), filled(100, &[6, 4, 5]));
    skew(&mut rig, 0.0);
    push(&mut rig, 3, 9);
    push(&mut plain, 3, 9);
    let (mut a, mut b) = (stream(17, "replay", &[]), stream(17, "replay", &[]));
    assert!((0..2000).all(|_| rig.draw_skewed(&mut a) == plain.draw_uniform(&mut b)));
    assert!(a == b && !rig.skewed());
}

#[test]
fn latents_change_version_together() {
    let mut replay = filled(100, &[3, 2]);
    let stale = replay.version();
    skew(&mut replay, -1.0);
    let fresh = |steps: usize| Encoded { latents: vec![2.5; (steps + 1) * Z], goal_latent: vec![3.5; Z] };

    assert!(replay.refresh(LatentVersion(1), vec![fresh(3)]).is_err());
    assert!(replay.refresh(LatentVersion(1), vec![fresh(3), fresh(3)]).is_err());
    assert!(replay.version() == stale && replay.skewed() && replay.next_latent(replay.slot(0)) == coded(0, 1));

    replay.refresh(LatentVersion(1), vec![fresh(3), fresh(2)]).unwrap();
    assert_eq!(replay.version(), LatentVersion(1));
    for stored in replay.episodes() {
        assert!(stored.latents(stale).is_none() && stored.latents(LatentVersion(2)).is_none());
        assert_eq!(stored.latents(LatentVersion(1)).unwrap(), fresh(stored.steps()).latents);
        assert_eq!(stored.goal_latent(), [3.5; Z]);
        assert_eq!(stored.log_density(), None); // the old encoder's
    }
    assert!(!replay.skewed());
    let error = replay.push(episode(2, 4), latents(2, 4), stale).unwrap_err();
    assert!(error.to_string().contains("episode 2 must bring latents of version 1"), "{error}");
}

#[test]
fn an_empty_replay_takes_the_version_of_what_comes_first() {
    let mut replay = Replay::new(100, Z);
    replay.push(episode(0, 2), latents(0, 2), LatentVersion(5)).unwrap();
    assert_eq!(replay.version(), LatentVersion(5));
    assert_eq!(replay.episodes().next().unwrap().latents(LatentVersion(5)), Some(&latents(0, 2)[..]));
}

#[test]
fn what_does_not_fit_is_refused_and_named() {
    type Break = fn(&mut Episode, &mut Vec<f32>);
    let cases: [(Break, &str); 6] = [
        (|_, latents| latents.truncate(23), "latents of 4 numbers for each of 6 frames"),
        (|e, _| e.goal_latent.truncate(3), "goal latent of 4 numbers"),
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
    let mut replay = filled(100, &[3]);
    assert!(replay.set_log_density(vec![vec![0.0; 2]], -1.0, 0.0).is_err() && !replay.skewed());
}

proptest! {
    #[test]
    fn the_ring_is_the_newest_episodes_that_fit(lengths in vec(0usize..20, 1..40), capacity in 1usize..100) {
        let replay = filled(capacity, &lengths);
        let kept: Vec<_> = replay.episodes().map(|e| (e.id() as usize, e.steps())).collect();
        let first = lengths.len() - kept.len();
        let total: usize = lengths[first..].iter().sum();
        prop_assert!(kept.iter().enumerate().all(|(k, &(id, steps))| id == first + k && steps == lengths[id]));
        prop_assert_eq!(replay.transitions(), total);
        prop_assert!(total <= capacity || kept.len() == 1);
        prop_assert!(first == 0 || total + lengths[first - 1] > capacity);
        let slots = (0..total).map(|i| replay.slot(i)).map(|s| (s.episode + first, s.step));
        let want = (first..lengths.len()).flat_map(|id| (0..lengths[id]).map(move |t| (id, t)));
        prop_assert!(slots.eq(want));
    }
}
