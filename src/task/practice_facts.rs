//! How practice went: for each goal of an episode, when it was reached and how long the robot stood at it.

use std::ops::Range;

use crate::learn::episode::{Episode, EpisodeGoal};
use crate::learn::goals::latent_distance;

/// The outcome of one goal; it was active from step `start` to instant `end`.
#[derive(Clone, Debug, PartialEq)]
pub struct GoalOutcome {
    /// Its first step.
    pub start: usize,
    /// The next goal's start, or T.
    pub end: usize,
    /// The first instant within the radius.
    pub reached: Option<usize>,
    /// Steps that ended within the radius after `reached`, unless the robot moved on or wandered by its rule.
    pub idle: usize,
    /// Latent distance of the goal where it was set.
    pub distance: f64,
}

/// The outcome of every goal of `episode`, given its `latents` (T+1, Z), the latent (Z) of each goal, and the `radius` within
/// which a goal is reached; without a radius nothing is reached.
#[must_use]
pub fn outcomes<'a>(
    episode: &'a Episode,
    latents: &[f32],
    latent_of: impl Fn(&'a EpisodeGoal) -> &'a [f32],
    radius: Option<f32>,
) -> Vec<GoalOutcome> {
    episode.goal_spans().map(|(goal, span)| outcome(goal.reached, span, latents, latent_of(goal), radius)).collect()
}

fn outcome(
    seen: Option<usize>,
    Range { start, end }: Range<usize>,
    latents: &[f32],
    goal: &[f32],
    radius: Option<f32>,
) -> GoalOutcome {
    let dim = goal.len();
    let distance = |t: usize| latent_distance(&latents[t * dim..][..dim], goal);
    let near = |t: &usize| radius.is_some_and(|radius| distance(*t) < radius);
    let reached = seen.or_else(|| (start..=end).find(near));
    let stood = |first: usize| if seen.is_some() { 0 } else { (first + 1..=end).filter(near).count() };
    let idle = reached.map_or(0, stood);
    GoalOutcome { start, end, reached, idle, distance: f64::from(distance(start)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::episode::GoalOrigin;
    use skewfit_envs::Ending;

    /// One latent, z_t = t.
    fn walk(goals: &[(usize, f32, Option<usize>)]) -> Vec<GoalOutcome> {
        let goal = |&(start, z, reached): &(usize, f32, Option<usize>)| EpisodeGoal {
            start,
            reached,
            ..EpisodeGoal::first(vec![], vec![z], GoalOrigin::Replay)
        };
        let episode = Episode {
            id: 0,
            image_size: 0,
            frames: vec![],
            proprio: vec![],
            proprio_dim: 0,
            actions: vec![0.0; 10],
            action_dim: 1,
            goal: goal(&goals[0]),
            later_goals: goals[1..].iter().map(goal).collect(),
            states: vec![],
            state_names: vec![],
            ending: Ending::Truncated,
        };
        let latents: Vec<f32> = (0..=10u8).map(f32::from).collect();
        outcomes(&episode, &latents, |goal| &goal.latent, Some(2.5))
    }

    #[test]
    fn who_stays_is_idle_within_the_radius_after_the_first_arrival() {
        let stayed = walk(&[(0, 5.0, None)]); // within 2.5 of 5 at 3, 4, 5, 6, 7
        assert_eq!(stayed, [GoalOutcome { start: 0, end: 10, reached: Some(3), idle: 4, distance: 5.0 }]);
        assert_eq!(walk(&[(0, 50.0, None)])[0].reached, None);
    }

    #[test]
    fn who_moves_on_or_wanders_is_not_idle() {
        let outcomes = walk(&[(0, 5.0, Some(3)), (5, 9.0, Some(7)), (9, -9.0, None)]);
        assert_eq!(
            outcomes.iter().map(|o| (o.end, o.reached, o.idle)).collect::<Vec<_>>(),
            [(5, Some(3), 0), (9, Some(7), 0), (10, None, 0)]
        );
        assert_eq!(outcomes.iter().map(|o| o.distance).collect::<Vec<_>>(), [5.0, 4.0, 18.0]);
    }
}
