//! Hindsight relabelling of uniformly drawn transitions. Some keep the goal that was active, some get a goal from a source,
//! and the rest get a goal that the same episode reached later (Skew-Fit's 20 / 50 / 30 %).
//!
//! Future goals (Andrychowicz et al. 2017, arXiv 1707.01495): at step t of T, j ~ U{t, .., T-1}, z_g = z_{j+1}.
//! The given [`Reward`] is computed for every row; both observations of a row have the same goal.

use rand::Rng as _;

use super::batch::Batch;
use super::reward::{Reward, Step};
use super::source::GoalSource;
use crate::learn::replay::Replay;
use crate::learn::rng::Rng;

/// Fractions of a batch by the kind of goal; the rest gets future goals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RelabelMix {
    /// Rows that keep the rollout's goal, in [0, 1].
    pub keep: f64,
    /// Rows with a goal from the source, in [0, 1 - keep].
    pub source: f64,
}

impl RelabelMix {
    /// Numbers of rows with (the rollout's goal, a source's goal, a future goal): floor, floor, rest.
    ///
    /// ```
    /// use skewfit::learn::goals::RelabelMix;
    ///
    /// assert_eq!(RelabelMix { keep: 0.2, source: 0.5 }.counts(1024), (204, 512, 308));
    /// ```
    #[must_use]
    pub fn counts(self, batch: usize) -> (usize, usize, usize) {
        let share = |fraction: f64| (fraction * batch as f64) as usize;
        let keep = share(self.keep).min(batch);
        let source = share(self.source).min(batch - keep);
        (keep, source, batch - keep - source)
    }
}

/// Fills `out` with `batch` relabelled transitions: first those with the rollout's goal, then those with a goal from
/// `source`, then those with a future goal. An empty replay buffer gives an empty batch.
pub fn sample_batch(
    replay: &Replay,
    source: &dyn GoalSource,
    mix: RelabelMix,
    batch: usize,
    reward: &dyn Reward,
    rng: &mut Rng,
    out: &mut Batch,
) {
    let (z, a) = (replay.latent_dim(), replay.action_dim());
    let (keep, from_source, _) = mix.counts(batch);
    out.resize(batch, z, a);
    for row in 0..batch {
        let Some(slot) = replay.draw_uniform(rng) else {
            return out.resize(0, z, a);
        };
        let episode = replay.episode(slot);
        let observation = &mut out.observation[row * 2 * z..][..2 * z];
        let (next, goal) = out.next_observation[row * 2 * z..][..2 * z].split_at_mut(z);
        if row < keep {
            goal.copy_from_slice(&episode.goal_at(slot.step).latent);
        } else if row < keep + from_source {
            source.write(rng, goal);
        } else {
            goal.copy_from_slice(episode.latent(rng.random_range(slot.step..episode.steps()) + 1));
        }
        next.copy_from_slice(episode.latent(slot.step + 1));
        observation[..z].copy_from_slice(episode.latent(slot.step));
        observation[z..].copy_from_slice(goal);
        out.action[row * a..][..a].copy_from_slice(episode.action(slot.step));
        let (z, action) = (episode.latent(slot.step), episode.action(slot.step));
        out.reward[row] = reward.of(&Step { z, z_next: next, goal, action });
        out.mask[row] = if episode.terminates_at(slot.step) { 0.0 } else { 1.0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::goals::{GoalDraw, LatentDistance, PriorGoals, ReplayGoals, latent_distance};
    use crate::learn::replay::tests::{CODED_GOAL, coded, decode, filled};
    use crate::learn::rng::stream;
    use crate::learn::skew::SkewedDistribution;
    use proptest::{collection::vec, prop_assert, prop_assert_eq, proptest};

    const OFFICIAL: RelabelMix = RelabelMix { keep: 0.2, source: 0.5 };
    const FUTURE: RelabelMix = RelabelMix { keep: 0.0, source: 0.0 };

    /// A reward that depends on all fields of a step; 0 at the goal.
    struct TestReward;

    impl Reward for TestReward {
        fn of(&self, Step { z, z_next, goal, action }: &Step<'_>) -> f32 {
            -latent_distance(z_next, goal) * (1.0 + z[1] + 2.0 * action[1])
        }
    }

    fn sample(replay: &Replay, mix: RelabelMix, batch: usize, seed: u64) -> Batch {
        let mut out = Batch::default();
        sample_batch(
            replay,
            &ReplayGoals { replay, skewed: &SkewedDistribution::default() },
            mix,
            batch,
            &TestReward,
            &mut stream(seed, "relabel", &[]),
            &mut out,
        );
        out
    }

    /// (episode id, t, (id, t) of the goal) of a row; asserts that the row is a transition of that episode.
    fn decoded(batch: &Batch, row: usize) -> (u64, usize, (u64, usize)) {
        let z = batch.latent_dim;
        let (now, goal) = batch.observation[row * 2 * z..][..2 * z].split_at(z);
        let (next, same_goal) = batch.next_observation[row * 2 * z..][..2 * z].split_at(z);
        let (id, t) = decode(now);
        assert_eq!((next, same_goal), (&coded(id, t + 1)[..], goal));
        assert_eq!(batch.action[row * batch.action_dim..][..batch.action_dim], [id as f32, t as f32]);
        assert_eq!(
            batch.reward[row],
            TestReward.of(&Step { z: now, z_next: next, goal, action: &[id as f32, t as f32] })
        );
        (id, t, decode(goal))
    }

    #[test]
    fn oracle_12_counts() {
        assert_eq!(OFFICIAL.counts(1024), (204, 512, 308));
        assert_eq!(OFFICIAL.counts(128), (25, 64, 39));
        assert_eq!(RelabelMix { keep: 1.0, source: 0.0 }.counts(7), (7, 0, 0));
    }

    #[test]
    fn oracle_12_goals_come_in_blocks() {
        let replay = filled(1000, &[30; 20]);
        let batch = sample(&replay, OFFICIAL, 1024, 12);
        assert_eq!((batch.size, batch.observation.len(), batch.reward.len()), (1024, 1024 * 2 * 4, 1024));
        let rows: Vec<_> = (0..1024).map(|row| decoded(&batch, row)).collect();
        assert!(rows[..204].iter().all(|&(id, _, goal)| goal == (id, CODED_GOAL)));
        assert!(rows[204..716].iter().all(|&(_, _, (_, t))| (1..=30).contains(&t)));
        assert!(rows[204..716].iter().filter(|(id, _, goal)| goal.0 == *id).count() < 60); // 1 in 20
        assert!(rows[716..].iter().all(|&(id, t, goal)| goal.0 == id && goal.1 > t && goal.1 <= 30));
    }

    #[test]
    fn oracle_13_future_is_uniform_and_stays_in_its_episode() {
        let (steps, n) = (10, 200_000);
        let mut counts = vec![vec![0.0; steps]; steps];
        let batch = sample(&filled(35, &[steps; 8]), FUTURE, n, 13); // 3 episodes survive
        for row in 0..n {
            let (id, t, (goal_id, j)) = decoded(&batch, row);
            assert!(goal_id == id && (5..8).contains(&id));
            counts[t][j - 1] += 1.0;
        }
        for (t, counts) in counts.iter().enumerate() {
            let expect = counts.iter().sum::<f64>() / (steps - t) as f64;
            let chi2: f64 = counts[t..].iter().map(|c| (c - expect).powi(2) / expect).sum();
            assert!(counts[..t].iter().all(|&c| c == 0.0) && chi2 < 39.0, "t {t}: chi2 {chi2}"); // <= 9 dof, p = 1e-5
        }
        let zero = batch.reward.iter().filter(|&&r| r == 0.0).count() as f64 / n as f64;
        let expect = (1..=steps).map(|k| 1.0 / k as f64).sum::<f64>() / steps as f64;
        assert!((zero - expect).abs() < 4.0 * (expect / n as f64).sqrt(), "{zero} is not {expect}");
    }

    #[test]
    fn oracle_13_share_of_goals_that_are_the_next_state() {
        let batch = sample(&filled(1000, &[100; 10]), FUTURE, 100_000, 14);
        let zero = batch.reward.iter().filter(|&&r| r == 0.0).count() as f64 / 1e5;
        assert!((zero - 0.0519).abs() < 0.003, "{zero}");
    }

    #[test]
    fn only_termination_cuts_the_bootstrap() {
        let batch = sample(&filled(1000, &[5; 6]), OFFICIAL, 2000, 15); // odd ids terminate
        let cut = (0..2000).filter(|&row| batch.mask[row] == 0.0).count();
        for row in 0..2000 {
            let (id, t, _) = decoded(&batch, row);
            assert_eq!(batch.mask[row], if id % 2 == 1 && t == 4 { 0.0 } else { 1.0 });
        }
        assert!((120..280).contains(&cut)); // 1 in 10
    }

    #[test]
    fn an_empty_replay_gives_an_empty_batch() {
        let replay = Replay::new(10, 4);
        let batch = sample(&replay, OFFICIAL, 64, 0);
        assert_eq!((batch.size, batch.observation.len(), batch.reward.len()), (0, 0, 0));
    }

    #[test]
    fn buffers_are_reused() {
        let (replay, mut out) = (filled(1000, &[30; 20]), Batch::default());
        let (source, mut rng) = (PriorGoals { dim: 4 }, stream(0, "relabel", &[]));
        sample_batch(&replay, &source, OFFICIAL, 256, &LatentDistance { scale: 1.0 }, &mut rng, &mut out);
        let before = (out.observation.as_ptr(), out.action.as_ptr());
        sample_batch(&replay, &source, OFFICIAL, 256, &LatentDistance { scale: 1.0 }, &mut rng, &mut out);
        assert_eq!(before, (out.observation.as_ptr(), out.action.as_ptr()));
    }

    /// A source that always returns the goal of the only rollout in `filled(_, &[_])`.
    struct RolloutGoals(Vec<f32>);

    impl GoalSource for RolloutGoals {
        fn dim(&self) -> usize {
            self.0.len()
        }

        fn write(&self, _: &mut Rng, out: &mut [f32]) -> GoalDraw {
            out.copy_from_slice(&self.0);
            GoalDraw { slot: None, origin: crate::learn::episode::GoalOrigin::Prior }
        }
    }

    proptest! {
        #[test]
        fn relabelling_with_the_original_goal_changes_nothing(steps in 1usize..60, seed: u64) {
            let replay = filled(100, &[steps]);
            let goal = RolloutGoals(coded(0, CODED_GOAL));
            let [kept, relabelled] = [RelabelMix { keep: 1.0, source: 0.0 }, RelabelMix { keep: 0.0, source: 1.0 }]
                .map(|mix| {
                    let mut out = Batch::default();
                    sample_batch(&replay, &goal, mix, 32, &LatentDistance { scale: 0.7 }, &mut stream(seed, "relabel", &[]), &mut out);
                    out
                });
            prop_assert_eq!(kept, relabelled);
        }

        #[test]
        fn no_leakage_between_episodes(lengths in vec(1usize..20, 1..40), capacity in 1usize..100, seed: u64) {
            let batch = sample(&filled(capacity, &lengths), FUTURE, 64, seed);
            for row in 0..64 {
                let (id, t, goal) = decoded(&batch, row);
                prop_assert!(goal.0 == id && t < goal.1 && goal.1 <= lengths[id as usize]);
            }
        }
    }
}
