//! What the critics promise against what came: Q(s_t, g, a_t) as the actor climbs it, and the soft return of a stored episode,
//!
//! G_t = r_t + sum_{k > t} gamma^{k-t} (r_k + alpha h_k) + gamma^{T-t} / (1 - gamma) * (mean of r_k + alpha h_k over the last quarter)
//!
//! with h_k = -log pi of a fresh draw at s_k (0 where `agent.entropy_in_target` is off). A time limit ends no task: what
//! would have come after it is taken to be as good as the last quarter, without asking the critics. Nothing comes after a
//! termination. Episodes were collected by slightly older policies.

use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::Episode;
use crate::learn::goals::{self, Step};
use crate::learn::learner::Learner;
use crate::learn::rng;
use crate::learn::rng::normals;
use crate::statistics::{mean, spearman};
use skewfit_envs::Ending;

/// One in so many steps is compared.
const EVERY: usize = 5;

/// Promised and empirical returns of steps of the latest episodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Returns {
    /// (G, Q).
    pub points: Vec<(f64, f64)>,
    /// What the rewards of a step would add up to for ever, |mean r| / (1 - gamma): the scale of Q.
    pub scale: f64,
}

impl Returns {
    /// Mean of Q - G over the scale.
    #[must_use]
    pub fn bias(&self) -> f64 {
        mean(&self.points.iter().map(|(g, q)| q - g).collect::<Vec<_>>()) / self.scale
    }

    /// Rank correlation of Q with G.
    #[must_use]
    pub fn rank(&self) -> Option<f64> {
        let (g, q): (Vec<f64>, Vec<f64>) = self.points.iter().copied().unzip();
        spearman(&g, &q)
    }
}

/// An episode in the present latents.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// (T+1, Z).
    pub latents: Vec<f32>,
    /// (Z).
    pub goal: Vec<f32>,
}

/// Encodes an episode. After a refresh a goal is its picture's latent, as in replay.
///
/// # Errors
/// Those of the latent model.
pub fn track(learner: &mut Learner, episode: &Episode) -> Result<Track> {
    let frames: Vec<&[u8]> = (0..=episode.steps()).map(|t| episode.frame(t)).chain([&episode.goal_image[..]]).collect();
    let mut latents = learner.latent.encode(&frames)?;
    let encoded = latents.split_off(latents.len() - learner.latent.dim());
    let goal = if episode.id < learner.counts.refreshed_episodes { encoded } else { episode.goal_latent.clone() };
    Ok(Track { latents, goal })
}

/// Compares on `episodes` and their tracks; `None` without steps or where nothing is discounted.
///
/// # Errors
/// Those of the agent.
pub fn returns(learner: &Learner, cfg: &Config, episodes: &[Episode], tracks: &[Track]) -> Result<Option<Returns>> {
    let (gamma, mut points, mut rewards) = (cfg.agent.discount, Vec::new(), Vec::new());
    for (episode, track) in episodes.iter().zip(tracks) {
        let (earned, promised) = earned_and_promised(learner, cfg, episode, track)?;
        rewards.extend(earned.iter().map(|(r, _)| *r));
        let gains = gains(&earned, gamma, episode.ending == Ending::Truncated);
        points.extend(gains.into_iter().zip(promised).step_by(EVERY));
    }
    let scale = mean(&rewards).abs() / (1.0 - gamma);
    Ok((scale.is_finite() && scale > 0.0).then_some(Returns { points, scale }))
}

/// (r_t, alpha h_t) of a step.
type Earned = (f64, f64);

/// ((r_t, alpha h_t), Q_t) of an episode's steps.
fn earned_and_promised(
    learner: &Learner,
    cfg: &Config,
    episode: &Episode,
    track: &Track,
) -> Result<(Vec<Earned>, Vec<f64>)> {
    let (z, steps) = (cfg.latent.dim, episode.steps());
    let latent = |t: usize| &track.latents[t * z..(t + 1) * z];
    let observation: Vec<f32> = (0..steps).flat_map(|t| [latent(t), &track.goal].concat()).collect();
    let noise = normals(episode.actions.len(), &mut rng::stream(cfg.seed, "diagnose-policy", &[episode.id]));
    let (q, log_pi) = learner.agent.q_and_log_prob(&observation, &episode.actions, &noise)?;
    let alpha = if cfg.agent.entropy_in_target { learner.agent.temperature() } else { 0.0 };
    let (reward, a) = (goals::reward(&cfg.goals.reward, &cfg.agent), episode.action_dim);
    let earned = (0..steps).map(|t| {
        let action = &episode.actions[t * a..(t + 1) * a];
        let step = Step { z: latent(t), z_next: latent(t + 1), goal: &track.goal, action };
        (f64::from(reward.of(&step)), f64::from(-alpha * log_pi[t]))
    });
    Ok((earned.collect(), q.into_iter().map(f64::from).collect()))
}

/// G_t of steps that earned (r_t, alpha h_t).
fn gains(earned: &[Earned], gamma: f64, goes_on: bool) -> Vec<f64> {
    let soft: Vec<f64> = earned.iter().map(|(r, h)| r + h).collect();
    let last = &soft[soft.len() - soft.len().div_ceil(4)..];
    // After step t: everything from t + 1 on, entropy included.
    let mut after = if goes_on { mean(last) / (1.0 - gamma) } else { 0.0 };
    let mut gains: Vec<f64> = earned
        .iter()
        .rev()
        .map(|(r, h)| {
            let gain = r + gamma * after;
            after = gain + h;
            gain
        })
        .collect();
    gains.reverse();
    gains
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gains_of_known_rewards() {
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9) && a.len() == b.len();
        let steady = [(-1.0, 0.0); 8];
        assert!(close(&gains(&steady, 0.9, true), &[-10.0; 8]), "goes on for ever as it was");
        assert!(close(&gains(&steady[..3], 0.5, false), &[-1.75, -1.5, -1.0]), "nothing after the end");
        // The entropy of a step is earned by what leads to it, not by the step.
        assert!(close(&gains(&[(-1.0, 100.0), (-2.0, 1.0)], 0.5, false), &[-1.0 + 0.5 * (-2.0 + 1.0), -2.0]));
        // The last quarter of four steps is the last one: -4 + 2 for ever after it.
        let ends_badly = gains(&[(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (-4.0, 2.0)], 0.5, true);
        assert!(close(&ends_badly, &[-0.5, -1.0, -2.0, -6.0]), "{ends_badly:?}");
    }

    #[test]
    fn bias_is_in_units_of_the_rewards() {
        let returns = Returns { points: vec![(-10.0, -5.0), (-8.0, -3.0), (-6.0, -1.0)], scale: 10.0 };
        assert!((returns.bias() - 0.5).abs() < 1e-12);
        assert_eq!(returns.rank(), Some(1.0));
    }
}
