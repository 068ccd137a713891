//! How the latest episodes practised: steps that stand at a reached goal, and the share of goals reached by distance.

use super::returns::EncodedEpisode;
use crate::config::Config;
use crate::learn::episode::Episode;
use crate::learn::goals::{latent_distance, radius::median};
use crate::task::practice_facts::{GoalOutcome, outcomes};

/// Upper ends of the parts in which distances are counted, in median steps; the last part is open.
const PARTS: [f64; 3] = [5.0, 10.0, 20.0];

/// Practice in the latest episodes, in the latents of the checkpoint's VAE.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PracticeFacts {
    /// Latent distance within which a goal is reached: `goals.radius` median steps of these episodes.
    pub radius: Option<f32>,
    /// Share of steps that stand at a goal that was reached; `None` without a step.
    pub idle: Option<f64>,
    /// For each part of the distance of a goal where it was set: (text, goals, share reached); empty parts are left out.
    pub reached: Vec<(String, usize, f64)>,
    /// Of each goal: distance where it was set, in median steps, and 1 if it was reached, else 0.
    pub goals: Vec<(f64, f64)>,
}

/// Measures `episodes`, which are given encoded, too.
#[must_use]
pub fn practice(cfg: &Config, episodes: &[Episode], encoded: &[EncodedEpisode]) -> PracticeFacts {
    let step = median(encoded.iter().flat_map(steps).collect());
    let radius = step.map(|step| cfg.goals.radius as f32 * step);
    let of = |(episode, e): (_, &EncodedEpisode)| {
        outcomes(episode, &e.latents, |goal| &e.goals[goal.start * e.dim..][..e.dim], radius)
    };
    let all: Vec<GoalOutcome> = episodes.iter().zip(encoded).flat_map(of).collect();
    let total: usize = episodes.iter().map(Episode::steps).sum();
    let idle: usize = all.iter().map(|goal| goal.idle).sum();
    let far = |goal: &GoalOutcome| goal.distance / f64::from(step.unwrap_or(1.0)).max(f64::MIN_POSITIVE);
    let part = |k: usize| {
        let low = if k == 0 { 0.0 } else { PARTS[k - 1] };
        let high = PARTS.get(k).copied().unwrap_or(f64::INFINITY);
        let inside = |goal: &&GoalOutcome| (low..high).contains(&far(goal));
        let reached: Vec<bool> = all.iter().filter(inside).map(|goal| goal.reached.is_some()).collect();
        let share = reached.iter().filter(|reached| **reached).count() as f64 / reached.len().max(1) as f64;
        let text = if high.is_finite() { format!("{low} to {high}") } else { format!("{low} and more") };
        (!reached.is_empty()).then_some((text, reached.len(), share))
    };
    let idle = (total > 0).then(|| idle as f64 / total.max(1) as f64);
    let goals = all.iter().map(|goal| (far(goal), f64::from(goal.reached.is_some()))).collect();
    PracticeFacts { radius, idle, reached: (0..=PARTS.len()).filter_map(part).collect(), goals }
}

/// Latent distances of an episode's steps.
fn steps(encoded: &EncodedEpisode) -> impl Iterator<Item = f32> + '_ {
    let rows = encoded.latents.chunks_exact(encoded.dim);
    rows.clone().zip(rows.skip(1)).map(|(z, z_next)| latent_distance(z, z_next))
}
