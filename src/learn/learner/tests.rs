mod candle;
mod implementations;

use super::*;
use crate::learn::density::PICTURES_AT_ONCE;
use crate::learn::latent::density::{Estimator, EstimatorConfig};
use crate::learn::settings::DensityConfig;
use rand::Rng as _;
use skewfit_envs::Ending;

fn learner(threads: usize) -> Learner {
    let mut cfg = crate::config::Config::resolve("corridor-tiny", vec![]).unwrap();
    cfg.run.threads = threads;
    Learner::new(&cfg.learner(), 2).unwrap()
}

/// An episode of noise pictures.
fn episode(steps: usize) -> Episode {
    let size = 24 * 24 * 3;
    let noise = normals((steps + 1) * size, &mut rng::stream(0, "test-pictures", &[]));
    let frames: Vec<u8> = noise.iter().map(|v| (128.0 + 60.0 * v) as u8).collect();
    Episode {
        id: 0,
        image_size: 24,
        goal: crate::learn::episode::EpisodeGoal::first(
            frames[..size].to_vec(),
            vec![0.0; 4],
            crate::learn::episode::GoalOrigin::Prior,
        ),
        frames,
        proprio: vec![],
        proprio_dim: 0,
        actions: vec![0.5; steps * 2],
        action_dim: 2,
        later_goals: vec![],
        states: vec![],
        state_names: vec![],
        ending: Ending::Truncated,
    }
}

/// A hundred refits of the VAE in a random schedule: after each refresh, stored latents and rewards equal those of the
/// pictures under the current VAE to the bit; between a VAE update and the refresh, SAC updates are refused.
#[test]
fn g16_latents_are_never_stale() {
    let begun = skewfit_dev::begin();
    let mut learner = learner(1);
    let mut draws = rng::stream(16, "test-schedule", &[]);
    let mut id = 0;
    for refit in 0..100 {
        for _ in 0..draws.random_range(u32::from(refit == 0)..3) {
            let pictures = episode(draws.random_range(1..4));
            let added = Episode { id, ..pictures };
            let latents = learner.latents(&added).unwrap();
            learner.add(added, latents).unwrap();
            id += 1;
        }
        for _ in 0..draws.random_range(0..3) {
            learner.update_vae(0.1).unwrap();
            assert!(matches!(learner.update_agent(), Err(Error::Misuse(why)) if why.contains("refresh")));
        }
        learner.refresh(refit % 3 == 1, &mut || {}).unwrap();
        let stored: Vec<_> = learner.replay.episodes().map(|e| (e.id(), e.steps())).collect();
        for (k, (_, steps)) in stored.into_iter().enumerate() {
            let held = |learner: &Learner| {
                learner.replay.episodes().nth(k).unwrap().latents(learner.replay.version()).unwrap().to_vec()
            };
            let frames: Vec<Vec<u8>> =
                (0..=steps).map(|t| learner.replay.episodes().nth(k).unwrap().frame(t).to_vec()).collect();
            let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
            let fresh = learner.latent.encode(&frames).unwrap();
            assert_eq!(held(&learner), fresh, "refit {refit}");
        }
        learner.update_agent().unwrap();
        let batch = &learner.batch;
        let z = batch.latent_dim;
        for row in 0..batch.size {
            let next = &batch.next_observation[row * 2 * z..(row + 1) * 2 * z];
            let distance = crate::learn::goals::reward::latent_distance(&next[..z], &next[z..]);
            assert_eq!(batch.reward[row], -distance, "refit {refit}");
        }
    }
    let what = "refits in a random schedule: every cached latent and reward is that of the pictures, exactly";
    skewfit_dev::record(("G16", 16), what, 100, begun);
}

/// `beat` is called twice per episode: when it is added, and when its densities are recomputed.
#[test]
fn replay_is_restored_as_it_was_and_not_in_silence() {
    let [mut first, mut second] = [1, 1].map(learner);
    let episodes: Vec<Episode> = (0..4).map(|id| Episode { id, ..episode(2) }).collect();
    for added in episodes.clone() {
        let latents = first.latents(&added).unwrap();
        first.add(added, latents).unwrap();
    }
    first.refresh(true, &mut || {}).unwrap();
    second.counts = first.counts.clone();
    let mut beats = 0;
    second.restore_replay(episodes, &mut || beats += 1).unwrap();
    let weights = |learner: &Learner| learner.skewed.weights().unwrap().p.clone();
    assert_eq!((beats, weights(&second)), (8, weights(&first)));
}

/// Each update draws a new pair of target critics, and every critic is drawn sometimes; of two critics it is always both.
#[test]
fn an_update_draws_its_pair_of_all_critics() {
    for critics in [2, 5] {
        let mut cfg = crate::config::Config::resolve("corridor-tiny", vec![]).unwrap();
        (cfg.agent.critics, cfg.run.threads) = (critics, 1);
        let mut learner = Learner::new(&cfg.learner(), 2).unwrap();
        let latents = learner.latents(&episode(3)).unwrap();
        learner.add(episode(3), latents).unwrap();
        let mut times = vec![0; critics];
        for update in 0..40 {
            learner.counts.updates = update;
            learner.draw_batch().unwrap();
            learner.noise.pair.iter().for_each(|j| times[*j] += 1);
        }
        assert!(times.iter().all(|n| (1..=40).contains(n)) && times.iter().sum::<u32>() == 80, "{times:?}");
    }
}

#[test]
fn an_update_without_episodes_is_refused() {
    let mut learner = learner(1);
    assert!(matches!(learner.update_agent(), Err(Error::Damaged(_))));
    assert_eq!((learner.counts.updates, learner.agent.temperature()), (0, 1.0));
}

#[test]
fn densities_in_chunks_equal_those_of_the_whole_episode() {
    let steps = 2 * PICTURES_AT_ONCE + 37;
    for threads in [1, 2, 3] {
        let mut learner = learner(threads);
        let episode = episode(steps);
        let pictures: Vec<&[u8]> = (0..=steps).map(|t| episode.frame(t)).chain([&episode.goal.picture[..]]).collect();
        let mut rows = vec![0.0; (steps + 2) * 2 * 4];
        learner.latent.posteriors(&pictures, &mut rows).unwrap();
        let mut whole = vec![0.0; steps];
        let DensityConfig { latents, decoder_variance, .. } = learner.cfg.density;
        let cfg = EstimatorConfig { estimator: Estimator::Iwae, latents, decoder_variance };
        let noise = normals(steps * cfg.latents * 4, &mut rng::stream(learner.cfg.seed, "density", &[0, 0]));
        let (seen, own) = (&pictures[1..=steps], &rows[2 * 4..(steps + 1) * 2 * 4]);
        learner.latent.log_density(&cfg, seen, own, &noise, &mut whole).unwrap();
        let latents = learner.latents(&episode).unwrap();
        learner.add(episode.clone(), latents).unwrap();
        assert_eq!(learner.log_density(&rows, &mut || {}).unwrap(), whole, "{threads} threads");
    }
}

/// Evicted transitions leave the skewed distribution too, so every position in it is a stored transition.
#[test]
fn a_full_replay_forgets_its_oldest_densities() {
    let mut learner = learner(1);
    learner.replay = Replay::new(6, 4);
    let push = |learner: &mut Learner, id| {
        let added = Episode { id, ..episode(2) };
        let latents = learner.latents(&added).unwrap();
        learner.add(added, latents).unwrap();
    };
    (0..3).for_each(|id| push(&mut learner, id));
    learner.refresh(true, &mut || {}).unwrap();
    assert_eq!(
        learner.densities().map(|(e, log_p)| (e.id(), log_p.len())).collect::<Vec<_>>(),
        [(0, 2), (1, 2), (2, 2)]
    );
    let known = learner.skewed.log_density().to_vec();
    push(&mut learner, 3);
    assert_eq!((learner.replay.transitions(), learner.skewed.log_density()), (6, &known[2..]));
    assert_eq!(learner.densities().map(|(e, _)| e.id()).collect::<Vec<_>>(), [1, 2]);
}

/// References and ranks depend on all frames of the refresh; `restore_replay` gets those evicted since, too.
#[test]
fn densities_of_all_frames_survive_evictions_and_a_resume() {
    let mut cfg = crate::config::Config::resolve("corridor-tiny", vec![]).unwrap();
    (cfg.run.threads, cfg.skew.target_ess) = (2, 0.4);
    for (estimator, episodes, steps, capacity) in [("rank-mix", 6, 7, 30), ("latent-knn", 44, 100, 4300)] {
        (cfg.density.estimator, cfg.replay.capacity) = (estimator.into(), capacity);
        let [mut first, mut second] = [(); 2].map(|()| Learner::new(&cfg.learner(), 2).unwrap());
        let mut all: Vec<Episode> = (0..episodes).map(|id| Episode { id, ..episode(steps) }).collect();
        all.iter_mut().for_each(|e| e.frames.rotate_left(5 * e.id as usize)); // no two episodes have a picture in common
        for (n, added) in all.clone().into_iter().enumerate() {
            if n + 1 == all.len() {
                let info = first.refresh(true, &mut || {}).unwrap().unwrap();
                assert!((info.ess - 0.4).abs() < 1e-6 && info.power < 0.0, "{info:?}");
            }
            let latents = first.latents(&added).unwrap();
            first.add(added, latents).unwrap();
        }
        second.counts = first.counts.clone();
        second.restore_replay(all, &mut || {}).unwrap();
        assert_eq!(second.skewed.log_density(), first.skewed.log_density(), "{estimator}");
        assert_eq!(second.skewed.weights(), first.skewed.weights());
        assert!(first.skewed.log_density().len() > crate::learn::density::REFERENCES || estimator == "rank-mix");
    }
}
