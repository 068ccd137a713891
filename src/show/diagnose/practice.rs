//! Which goals are practised, and does it get nearer to its own?
//!
//! D_own = mean |z' - z_g| with goals from the goal source, D_future with goals from the same episode's future. What was
//! practised lies between: D = s D_own + (1 - s) D_future, and D is in the log, as the mean reward. So s, the share of
//! practised goals that are no hindsight, is seen in the rewards and not only read off the configuration.

use super::returns::Track;
use super::sample::Sample;
use super::view::View;
use crate::config::Config;
use crate::learn::goals::reward::latent_distance;
use crate::learn::rng;
use crate::learn::rng::normals;
use crate::statistics::mean;

/// Draws from the prior, where goals come from there.
const PRIOR_DRAWS: usize = 200;
/// D_own must be so many times D_future before a share can be told from rewards.
const TOLD_APART: f64 = 1.2;
/// Fewest episodes whose ends are compared.
const FEWEST: usize = 4;

/// Mean latent distances from next observations to goals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Distances {
    /// Goals from the source.
    pub own: f64,
    /// Goals from the same episode's future.
    pub future: f64,
}

impl Distances {
    /// Over the sampled frames; goals from replay have `weights` (one a frame).
    #[must_use]
    pub fn of(cfg: &Config, sample: &Sample, view: &View, weights: &[f64]) -> Self {
        let n = sample.frames.len();
        let drawn = normals(PRIOR_DRAWS * view.dim, &mut rng::stream(cfg.seed, "diagnose-prior", &[]));
        let (goals, weights): (Vec<&[f32]>, Vec<f64>) = match cfg.goals.source.as_str() {
            "prior" => (drawn.chunks_exact(view.dim).collect(), vec![1.0; PRIOR_DRAWS]),
            _ => ((0..n).map(|i| view.mean(i)).collect(), weights.to_vec()),
        };
        let total: f64 = weights.iter().sum();
        let to_goals = |i: usize| {
            let each = goals.iter().zip(&weights).filter(|(_, w)| **w > 0.0);
            each.map(|(goal, w)| w * f64::from(latent_distance(view.mean(i), goal))).sum::<f64>() / total
        };
        let own: Vec<f64> = (0..n).map(to_goals).collect();
        let later = |i: usize| (i + 1..n).take_while(move |j| sample.frames[*j].episode == sample.frames[i].episode);
        let pairs = (0..n).flat_map(|i| later(i).map(move |j| (i, j)));
        let future: Vec<f64> = pairs.map(|(i, j)| f64::from(latent_distance(view.mean(i), view.mean(j)))).collect();
        Self { own: mean(&own), future: mean(&future) }
    }

    /// s of a mean reward, in [0, 1]; `None` where the distances are too alike to tell.
    #[must_use]
    pub fn own_share(&self, mean_reward: f64, reward_scale: f64) -> Option<f64> {
        let practised = -mean_reward / reward_scale;
        let told_apart = self.own > TOLD_APART * self.future && practised.is_finite();
        told_apart.then(|| ((practised - self.future) / (self.own - self.future)).clamp(0.0, 1.0))
    }
}

/// How near episodes end to their own goals, over how near to each other's; 1 = goals make no difference.
/// `None` for too few episodes.
#[must_use]
pub fn progress(tracks: &[Track]) -> Option<f64> {
    let end = |track: &'_ Track| track.latents[track.latents.len() - track.goal.len()..].to_vec();
    let (mut own, mut others) = (Vec::new(), Vec::new());
    for (i, track) in tracks.iter().enumerate() {
        let end = end(track);
        for (j, other) in tracks.iter().enumerate() {
            let distance = f64::from(latent_distance(&end, &other.goal));
            if i == j { &mut own } else { &mut others }.push(distance);
        }
    }
    let ratio = mean(&own) / mean(&others);
    (tracks.len() >= FEWEST && ratio.is_finite()).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rewards_tell_what_was_practised() {
        let distances = Distances { own: 3.0, future: 1.0 };
        for (reward, scale, share) in [(-1.0, 1.0, 0.0), (-3.0, 1.0, 1.0), (-4.8, 2.0, 0.7), (-9.0, 1.0, 1.0)] {
            assert!((distances.own_share(reward, scale).unwrap() - share).abs() < 1e-9);
        }
        assert_eq!(distances.own_share(f64::NAN, 1.0), None);
        assert_eq!(Distances { own: 1.1, future: 1.0 }.own_share(-1.0, 1.0), None);
    }

    #[test]
    fn progress_is_one_where_goals_make_no_difference() {
        let track = |end: f32, goal: f32| Track { latents: vec![9.0, end], goal: vec![goal] };
        let tracks = |ends: [f32; 4]| [0, 1, 2, 3].map(|i| track(ends[i], i as f32));
        assert_eq!(progress(&tracks([0.0, 1.0, 2.0, 3.0])), Some(0.0));
        assert_eq!(progress(&tracks([100.0; 4])).map(|r| (r * 100.0).round()), Some(100.0));
        assert_eq!(progress(&tracks([0.0; 4])[..3]), None);
    }
}
