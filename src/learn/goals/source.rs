//! Goal sources: the prior N(0, I), or the replay buffer (skewed once there is a skewed distribution; an empty buffer falls
//! back to the prior).

use rand::Rng as _;
use rand_distr::StandardNormal;

use crate::learn::episode::GoalOrigin;
use crate::learn::replay::{Replay, Slot};
use crate::learn::rng::Rng;
use crate::learn::skew::SkewedDistribution;

/// A goal in latent space.
#[derive(Clone, Debug, PartialEq)]
pub struct LatentGoal {
    /// (Z).
    pub latent: Vec<f32>,
    /// The stored transition whose next observation is the goal; valid until the next push.
    pub slot: Option<Slot>,
    /// Where it came from.
    pub origin: GoalOrigin,
}

/// Slot and origin of a goal that [`GoalSource::write`] drew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GoalDraw {
    /// As in [`LatentGoal`].
    pub slot: Option<Slot>,
    /// As in [`LatentGoal`].
    pub origin: GoalOrigin,
}

/// A distribution over goals.
pub trait GoalSource {
    /// Z.
    fn dim(&self) -> usize;

    /// Draws one goal; its latent goes to `out` (Z).
    fn write(&self, rng: &mut Rng, out: &mut [f32]) -> GoalDraw;

    /// `n` independent goals.
    fn sample(&self, n: usize, rng: &mut Rng) -> Vec<LatentGoal> {
        let one = |_| {
            let mut latent = vec![0.0; self.dim()];
            let GoalDraw { slot, origin } = self.write(rng, &mut latent);
            LatentGoal { latent, slot, origin }
        };
        (0..n).map(one).collect()
    }
}

/// The data that a goal source may draw from.
#[derive(Clone, Copy, Debug)]
pub struct GoalInputs<'a> {
    /// The replay buffer.
    pub replay: &'a Replay,
    /// The skewed distribution over it, with log p of each transition.
    pub skewed: &'a SkewedDistribution,
}

/// Goals from the prior, z ~ N(0, I).
///
/// ```
/// use skewfit::learn::goals::{GoalSource, PriorGoals};
/// use skewfit::learn::rng::stream;
///
/// let goals = PriorGoals { dim: 4 }.sample(3, &mut stream(0, "goal", &[]));
/// assert!(goals.len() == 3 && goals.iter().all(|goal| goal.latent.len() == 4));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PriorGoals {
    /// Z.
    pub dim: usize,
}

impl GoalSource for PriorGoals {
    fn dim(&self) -> usize {
        self.dim
    }

    fn write(&self, rng: &mut Rng, out: &mut [f32]) -> GoalDraw {
        out.fill_with(|| rng.sample(StandardNormal));
        GoalDraw { slot: None, origin: GoalOrigin::Prior }
    }
}

/// Next observations of stored transitions, drawn from the skewed distribution if there is one, else uniformly.
#[derive(Clone, Copy, Debug)]
pub struct ReplayGoals<'a> {
    /// The replay buffer.
    pub replay: &'a Replay,
    /// The skewed distribution over it.
    pub skewed: &'a SkewedDistribution,
}

impl GoalSource for ReplayGoals<'_> {
    fn dim(&self) -> usize {
        self.replay.latent_dim()
    }

    fn write(&self, rng: &mut Rng, out: &mut [f32]) -> GoalDraw {
        let Some(slot) = self.replay.draw(self.skewed, rng) else {
            return PriorGoals { dim: self.dim() }.write(rng, out);
        };
        out.copy_from_slice(self.replay.next_latent(slot));
        let origin = if self.skewed.is_skewed() { GoalOrigin::SkewedReplay } else { GoalOrigin::Replay };
        GoalDraw { slot: Some(slot), origin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::replay::StoredEpisode;
    use crate::learn::replay::tests::{coded, filled};
    use crate::learn::rng::stream;

    #[test]
    fn oracle_26_prior_goals_are_standard_normal() {
        let goals = PriorGoals { dim: 3 }.sample(10_000, &mut stream(26, "goals", &[]));
        for k in 0..3 {
            let z = || goals.iter().map(|g| f64::from(g.latent[k]));
            let mean = z().sum::<f64>() / 1e4;
            let variance = z().map(|z| (z - mean).powi(2)).sum::<f64>() / 1e4;
            assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "{mean} {variance}");
        }
        assert!(goals.iter().all(|g| g.origin == GoalOrigin::Prior && g.slot.is_none()));
    }

    #[test]
    fn oracle_26_replay_goals_are_stored_latents() {
        let replay = filled(50, &[7, 4, 9]);
        let mut rng = stream(26, "goals", &[1]);
        let mut check = |skewed: &SkewedDistribution, origin| {
            for goal in (ReplayGoals { replay: &replay, skewed }).sample(500, &mut rng) {
                let slot = goal.slot.unwrap();
                let stored = replay.episodes().nth(slot.episode).unwrap();
                assert_eq!(goal.latent, coded(stored.id(), slot.step + 1));
                assert_eq!(goal.origin, origin);
            }
        };
        check(&SkewedDistribution::default(), GoalOrigin::Replay);
        let rare = |id, t| if (id, t) == (1, 2) { -100.0 } else { 0.0 };
        let log_density = |e: &StoredEpisode| (0..e.steps()).map(|t| rare(e.id(), t)).collect::<Vec<_>>();
        let (skewed, _) = SkewedDistribution::new(replay.episodes().flat_map(log_density).collect(), -1.0, 0.0);
        check(&skewed, GoalOrigin::SkewedReplay);
        let goals = ReplayGoals { replay: &replay, skewed: &skewed }.sample(100, &mut rng);
        assert!(goals.iter().all(|goal| goal.latent == coded(1, 3)));
    }

    #[test]
    fn an_empty_replay_falls_back_to_the_prior() {
        let replay = Replay::new(10, 3);
        let (mut a, mut b) = (stream(0, "goals", &[]), stream(0, "goals", &[]));
        let goals = ReplayGoals { replay: &replay, skewed: &SkewedDistribution::default() }.sample(5, &mut a);
        assert_eq!(goals, PriorGoals { dim: 3 }.sample(5, &mut b));
    }
}
