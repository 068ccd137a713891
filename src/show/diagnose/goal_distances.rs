//! Which goals does the agent train on, and does the policy approach its episode's goal?
//!
//! D_own = mean |z' - z_g| with goals from the goal source, D_future with goals from the same episode's future (hindsight).
//! The mean distance in training is D = s D_own + (1 - s) D_future, and the mean reward in `metrics.csv` gives D. So s, the
//! share of training goals from the goal source, can be estimated from rewards as well as read from the configuration.

use super::encoded::EncodedFrames;
use super::returns::EncodedEpisode;
use super::sample::Sample;
use crate::config::Config;
use crate::learn::goals::reward::latent_distance;
use crate::learn::rng;
use crate::learn::rng::normals;
use crate::statistics::mean;

/// Goals sampled from the prior if `goals.source` is `prior`.
const PRIOR_DRAWS: usize = 200;
/// Smallest D_own / D_future at which rewards determine the share.
const SMALLEST_RATIO: f64 = 1.2;
/// Fewest episodes that are compared.
const FEWEST: usize = 4;

/// Mean latent distances from next observations to goals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distances {
    /// With goals from the goal source.
    pub own: f64,
    /// With goals from the same episode's future.
    pub future: f64,
}

impl Distances {
    /// Computed over the sampled frames; goals from replay have `weights` (one per frame).
    #[must_use]
    pub fn of(cfg: &Config, sample: &Sample, encoded: &EncodedFrames, weights: &[f64]) -> Self {
        let n = sample.frames.len();
        let drawn = normals(PRIOR_DRAWS * encoded.dim, &mut rng::stream(cfg.seed, "diagnose-prior", &[]));
        let (goals, weights): (Vec<&[f32]>, Vec<f64>) = match cfg.goals.source.as_str() {
            "prior" => (drawn.chunks_exact(encoded.dim).collect(), vec![1.0; PRIOR_DRAWS]),
            _ => ((0..n).map(|i| encoded.mean(i)).collect(), weights.to_vec()),
        };
        let total: f64 = weights.iter().sum();
        let to_goals = |i: usize| {
            let each = goals.iter().zip(&weights).filter(|(_, w)| **w > 0.0);
            each.map(|(goal, w)| w * f64::from(latent_distance(encoded.mean(i), goal))).sum::<f64>() / total
        };
        let own: Vec<f64> = (0..n).map(to_goals).collect();
        let later = |i: usize| (i + 1..n).take_while(move |j| sample.frames[*j].episode == sample.frames[i].episode);
        let pairs = (0..n).flat_map(|i| later(i).map(move |j| (i, j)));
        let future: Vec<f64> =
            pairs.map(|(i, j)| f64::from(latent_distance(encoded.mean(i), encoded.mean(j)))).collect();
        Self { own: mean(&own), future: mean(&future) }
    }

    /// The share s for a mean reward, in [0, 1]; `None` if the two distances are too similar.
    #[must_use]
    pub fn own_share(&self, mean_reward: f64, reward_scale: f64) -> Option<f64> {
        let trained = -mean_reward / reward_scale;
        let differ = self.own > SMALLEST_RATIO * self.future && trained.is_finite();
        differ.then(|| ((trained - self.future) / (self.own - self.future)).clamp(0.0, 1.0))
    }
}

/// Mean final distance to the episode's own last goal over that to the other episodes' last goals; 1 = goals make no difference.
/// `None` for fewer than four episodes.
#[must_use]
pub fn progress(episodes: &[EncodedEpisode]) -> Option<f64> {
    let last = |rows: &[f32], dim: usize| rows[rows.len() - dim..].to_vec();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for (i, episode) in episodes.iter().enumerate() {
        let end = last(&episode.latents, episode.dim);
        for (j, other) in episodes.iter().enumerate() {
            let distance = f64::from(latent_distance(&end, &last(&other.goals, episode.dim)));
            if i == j { &mut own } else { &mut others }.push(distance);
        }
    }
    let ratio = mean(&own) / mean(&others);
    (episodes.len() >= FEWEST && ratio.is_finite()).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewards_determine_the_share_of_own_goals() {
        let distances = Distances { own: 3.0, future: 1.0 };
        for (reward, scale, share) in [(-1.0, 1.0, 0.0), (-3.0, 1.0, 1.0), (-4.8, 2.0, 0.7), (-9.0, 1.0, 1.0)] {
            assert!((distances.own_share(reward, scale).unwrap() - share).abs() < 1e-9);
        }
        assert_eq!(distances.own_share(f64::NAN, 1.0), None);
        assert_eq!(Distances { own: 1.1, future: 1.0 }.own_share(-1.0, 1.0), None);
    }

    #[test]
    fn progress_is_one_where_goals_make_no_difference() {
        let episode = |end: f32, goal: f32| EncodedEpisode { latents: vec![9.0, end], goals: vec![goal], dim: 1 };
        let episodes = |ends: [f32; 4]| [0, 1, 2, 3].map(|i| episode(ends[i], i as f32));
        assert_eq!(progress(&episodes([0.0, 1.0, 2.0, 3.0])), Some(0.0));
        assert_eq!(progress(&episodes([100.0; 4])).map(|r| (r * 100.0).round()), Some(100.0));
        assert_eq!(progress(&episodes([0.0; 4])[..3]), None);
    }
}
