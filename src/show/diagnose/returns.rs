//! The critics' values against stored returns: Q(s_t, g, a_t) as in the actor's loss, and the soft return of a stored episode,
//!
//! G_t = r_t + sum_{k > t} gamma^{k-t} (r_k + temperature h_k) + gamma^{T-t} / (1 - gamma) * (mean of r_k + temperature h_k over the last quarter)
//!
//! with h_k = -log pi of a new sample at s_k (0 if `agent.entropy_in_target` is off). After a time limit the episode is
//! assumed to continue like its last quarter, so the critics are not needed; after a termination nothing is added. Where the
//! robot reached a goal and moved on, T is that instant, the last step counts for ever after it, as if the robot had stayed,
//! and the steps until the next goal are not compared. Slightly older policies collected the episodes.

use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::{Episode, EpisodeGoal};
use crate::learn::goals::{self, Reward, Step};
use crate::learn::learner::Learner;
use crate::learn::rng;
use crate::learn::rng::normals;
use crate::statistics::{mean, spearman};
use skewfit_envs::Ending;
use std::ops::Range;

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

/// Compares Q with the soft returns of `episodes`, given also as `encoded`; a goal is reached within the latent distance
/// `radius`. `None` without steps, or if the scale is 0 or infinite.
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
        for (steps, end) in stretches(episode) {
            let (earned, q) = (&earned[steps.clone()], &q[steps]);
            rewards.extend(earned.iter().map(|step| step.reward));
            points.extend(soft_returns(earned, gamma, end).into_iter().zip(q.iter().copied()).step_by(EVERY));
        }
    }
    let scale = mean(&rewards).abs() / (1.0 - gamma);
    Ok((scale.is_finite() && scale > 0.0).then_some(Returns { points, scale }))
}

/// How the steps towards a goal end.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The goal was reached, and the robot moved on.
    Reached,
    /// A time limit.
    Truncated,
    /// The environment's end.
    Terminated,
}

/// The steps towards each goal, without those after it was reached.
fn stretches(episode: &Episode) -> Vec<(Range<usize>, End)> {
    let last = if episode.ending == Ending::Truncated { End::Truncated } else { End::Terminated };
    let stretch = |(goal, span): (&EpisodeGoal, Range<usize>)| match goal.reached {
        Some(reached) => (span.start..reached, End::Reached),
        None => (span, last),
    };
    episode.goal_spans().map(stretch).filter(|(steps, _)| !steps.is_empty()).collect()
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

/// G_t of each step; there is at least one.
fn soft_returns(earned: &[SoftReward], gamma: f64, end: End) -> Vec<f64> {
    let soft: Vec<f64> = earned.iter().map(|step| step.reward + step.entropy).collect();
    let last = |steps: usize| mean(&soft[soft.len() - steps..]);
    // The return from step t + 1 on, its entropy included.
    let mut after = match end {
        End::Reached => last(1) / (1.0 - gamma),
        End::Truncated => last(soft.len().div_ceil(4)) / (1.0 - gamma),
        End::Terminated => 0.0,
    };
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
    use crate::learn::episode::GoalOrigin;

    #[test]
    fn soft_returns_of_known_rewards() {
        let gains = |earned: &[(f64, f64)], gamma, end| {
            let earned: Vec<_> = earned.iter().map(|&(reward, entropy)| SoftReward { reward, entropy }).collect();
            soft_returns(&earned, gamma, end)
        };
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9) && a.len() == b.len();
        let steady = [(-1.0, 0.0); 8];
        assert!(close(&gains(&steady, 0.9, End::Truncated), &[-10.0; 8]), "continues for ever as before");
        assert!(close(&gains(&steady[..3], 0.5, End::Terminated), &[-1.75, -1.5, -1.0]), "nothing after a termination");
        // The entropy of a step belongs to the return of earlier steps, not of the step itself.
        assert!(close(&gains(&[(-1.0, 100.0), (-2.0, 1.0)], 0.5, End::Terminated), &[-1.0 + 0.5 * (-2.0 + 1.0), -2.0]));
        // The last quarter of four steps is the last one: -4 + 2 for ever after it.
        let ends_badly = gains(&[(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (-4.0, 2.0)], 0.5, End::Truncated);
        assert!(close(&ends_badly, &[-0.5, -1.0, -2.0, -6.0]), "{ends_badly:?}");
        // At a reached goal the last step is repeated: one step of -1 before it.
        assert!(close(&gains(&[(-1.0, 0.0), (-1.0, 0.0), (0.0, 0.0)], 0.5, End::Reached), &[-1.5, -1.0, 0.0]));
    }

    #[test]
    fn steps_after_a_reached_goal_are_not_compared() {
        let goal =
            |start, reached| EpisodeGoal { start, reached, ..EpisodeGoal::first(vec![], vec![], GoalOrigin::Replay) };
        let mut episode = Episode {
            id: 0,
            image_size: 0,
            frames: vec![],
            proprio: vec![],
            proprio_dim: 0,
            actions: vec![0.0; 20],
            action_dim: 1,
            goal: goal(0, Some(4)),
            later_goals: vec![goal(9, Some(9)), goal(12, None)],
            states: vec![],
            state_names: vec![],
            ending: Ending::Truncated,
        };
        assert_eq!(stretches(&episode), [(0..4, End::Reached), (12..20, End::Truncated)]);
        (episode.later_goals, episode.goal.reached, episode.ending) = (vec![], None, Ending::Terminated);
        assert_eq!(stretches(&episode), [(0..20, End::Terminated)]);
    }

    #[test]
    fn bias_is_in_units_of_the_rewards() {
        let returns = Returns { points: vec![(-10.0, -5.0), (-8.0, -3.0), (-6.0, -1.0)], scale: 10.0 };
        assert!((returns.bias() - 0.5).abs() < 1e-12);
        assert_eq!(returns.rank(), Some(1.0));
    }
}
