//! The critics' values against stored returns: Q(s_t, g, a_t) as in the actor's loss, and the soft return of a stored episode,
//!
//! G_t = r_t + sum_{k > t} gamma^{k-t} (r_k + temperature h_k) + gamma^{T-t} / (1 - gamma) * (mean of r_k + temperature h_k over the last quarter)
//!
//! with h_k = -log pi of a new sample at s_k (0 if `agent.entropy_in_target` is off). After a time limit the episode is
//! assumed to continue like its last quarter, so the critics are not needed; after a termination nothing is added.
//! Slightly older policies collected the episodes.

use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::{Episode, EpisodeGoal};
use crate::learn::goals::{self, Reward, Step};
use crate::learn::learner::Learner;
use crate::learn::rng;
use crate::learn::rng::normals;
use crate::statistics::{mean, spearman};
use skewfit_envs::Ending;

/// Every 5th step is compared.
const EVERY: usize = 5;

/// Soft returns and Q values at steps of the latest episodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Returns {
    /// (G, Q) of each compared step.
    pub points: Vec<(f64, f64)>,
    /// The scale of Q: the return of a constant mean reward, |mean r| / (1 - gamma).
    pub scale: f64,
}

impl Returns {
    /// Mean of Q - G, divided by the scale.
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

/// An episode in the latents of the checkpoint's VAE.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedEpisode {
    /// Latents of its pictures, (T+1, Z).
    pub latents: Vec<f32>,
    /// The latent of each step's goal, (T, Z).
    pub goals: Vec<f32>,
    /// Z.
    pub dim: usize,
}

/// Encodes an episode. If it is older than the last refresh, its goal pictures are encoded too, as in replay.
///
/// # Errors
/// Those of the latent model.
pub fn encode_episode(learner: &mut Learner, episode: &Episode) -> Result<EncodedEpisode> {
    let (steps, dim) = (episode.steps(), learner.latent.dim());
    let pictures = episode.goals().map(|goal| &goal.picture[..]);
    let pictures: Vec<&[u8]> = (0..=steps).map(|t| episode.frame(t)).chain(pictures).collect();
    let mut latents = learner.latent.encode(&pictures)?;
    let encoded = latents.split_off((steps + 1) * dim);
    let refreshed = episode.id < learner.counts.refreshed_episodes;
    let goal = |(goal, encoded): (&EpisodeGoal, &[f32])| if refreshed { encoded.to_vec() } else { goal.latent.clone() };
    let each: Vec<Vec<f32>> = episode.goals().zip(encoded.chunks_exact(dim)).map(goal).collect();
    let active = |t| episode.goals().filter(|goal| goal.start <= t).count().saturating_sub(1);
    let goals = (0..steps).flat_map(|t| each[active(t)].iter().copied()).collect();
    Ok(EncodedEpisode { latents, goals, dim })
}

/// Compares Q with the soft returns of `episodes`, given also as `encoded`; `radius` is that of the goals; `None` without steps, or if the scale is 0 or
/// infinite.
///
/// # Errors
/// Those of the agent.
pub fn returns(
    learner: &Learner,
    cfg: &Config,
    episodes: &[Episode],
    encoded: &[EncodedEpisode],
    radius: f32,
) -> Result<Option<Returns>> {
    let reward = &*goals::reward(&cfg.goals.reward, &cfg.agent, radius);
    let (gamma, mut points, mut rewards) = (cfg.agent.discount, Vec::new(), Vec::new());
    for (episode, encoded) in episodes.iter().zip(encoded) {
        let (earned, q) = rewards_and_q(learner, cfg, reward, episode, encoded)?;
        rewards.extend(earned.iter().map(|step| step.reward));
        let soft_returns = soft_returns(&earned, gamma, episode.ending == Ending::Truncated);
        points.extend(soft_returns.into_iter().zip(q).step_by(EVERY));
    }
    let scale = mean(&rewards).abs() / (1.0 - gamma);
    Ok((scale.is_finite() && scale > 0.0).then_some(Returns { points, scale }))
}

/// What one step earns.
#[derive(Clone, Copy)]
struct SoftReward {
    /// r_t.
    reward: f64,
    /// temperature h_t.
    entropy: f64,
}

/// Soft rewards and Q values of an episode's steps.
fn rewards_and_q(
    learner: &Learner,
    cfg: &Config,
    reward: &dyn Reward,
    episode: &Episode,
    encoded: &EncodedEpisode,
) -> Result<(Vec<SoftReward>, Vec<f64>)> {
    let (z, steps) = (cfg.latent.dim, episode.steps());
    let [latent, goal] = [&encoded.latents, &encoded.goals].map(|rows| |t: usize| &rows[t * z..(t + 1) * z]);
    let observation: Vec<f32> = (0..steps).flat_map(|t| [latent(t), goal(t)].concat()).collect();
    let noise = normals(episode.actions.len(), &mut rng::stream(cfg.seed, "diagnose-policy", &[episode.id]));
    let (q, log_pi) = learner.agent.q_and_log_prob(&observation, &episode.actions, &noise)?;
    let temperature = if cfg.agent.entropy_in_target { learner.agent.temperature() } else { 0.0 };
    let a = episode.action_dim;
    let earned = (0..steps).map(|t| {
        let action = &episode.actions[t * a..(t + 1) * a];
        let step = Step { z: latent(t), z_next: latent(t + 1), goal: goal(t), action };
        SoftReward { reward: f64::from(reward.of(&step)), entropy: f64::from(-temperature * log_pi[t]) }
    });
    Ok((earned.collect(), q.into_iter().map(f64::from).collect()))
}

/// G_t of each step; `truncated` if the episode ended by its time limit.
fn soft_returns(earned: &[SoftReward], gamma: f64, truncated: bool) -> Vec<f64> {
    let soft: Vec<f64> = earned.iter().map(|step| step.reward + step.entropy).collect();
    let last = &soft[soft.len() - soft.len().div_ceil(4)..];
    // The return from step t + 1 on, its entropy included.
    let mut after = if truncated { mean(last) / (1.0 - gamma) } else { 0.0 };
    let mut returns: Vec<f64> = earned
        .iter()
        .rev()
        .map(|step| {
            let g = step.reward + gamma * after;
            after = g + step.entropy;
            g
        })
        .collect();
    returns.reverse();
    returns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_returns_of_known_rewards() {
        let gains = |earned: &[(f64, f64)], gamma, truncated| {
            let earned: Vec<_> = earned.iter().map(|&(reward, entropy)| SoftReward { reward, entropy }).collect();
            soft_returns(&earned, gamma, truncated)
        };
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9) && a.len() == b.len();
        let steady = [(-1.0, 0.0); 8];
        assert!(close(&gains(&steady, 0.9, true), &[-10.0; 8]), "continues for ever as before");
        assert!(close(&gains(&steady[..3], 0.5, false), &[-1.75, -1.5, -1.0]), "nothing after a termination");
        // The entropy of a step belongs to the return of earlier steps, not of the step itself.
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
