//! True distance of goals where they were set: the scene's first metric between the state there and the state of the stored
//! frame that the goal shows.
//!
//! True states only measure exploration; nothing is learned from them.

use std::collections::VecDeque;

use skewfit_envs::{StateVec, Truth};

use crate::learn::episode::Episode;

/// True states of the newest episodes.
#[derive(Clone, Debug)]
pub struct TrueDistances {
    capacity: usize,
    steps: usize,
    /// Oldest first.
    episodes: VecDeque<States>,
}

/// The true states (T+1, S) of an episode of T steps.
#[derive(Clone, Debug)]
struct States {
    episode: u64,
    steps: usize,
    states: Vec<f64>,
}

impl TrueDistances {
    /// Starts with no states; holds those of the newest `capacity` steps, as replay does.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { capacity, steps: 0, episodes: VecDeque::new() }
    }

    /// Adds an episode, which is newer than the others.
    pub fn observe(&mut self, episode: &Episode) {
        let (steps, states) = (episode.steps(), episode.states.clone());
        self.episodes.push_back(States { episode: episode.id, steps, states });
        self.steps += steps;
        while self.steps > self.capacity && self.episodes.len() > 1 {
            self.steps -= self.episodes.pop_front().map_or(0, |oldest| oldest.steps);
        }
    }

    /// The true distances of this episode's goals, in the unit of the first metric of `truth`; goals that show no stored frame
    /// are left out.
    pub fn of<'a>(&'a self, episode: &'a Episode, truth: &'a dyn Truth) -> impl Iterator<Item = f64> + 'a {
        episode.goals().filter_map(|goal| {
            let (id, t) = goal.frame?;
            let (here, there) = (episode.state(goal.start), self.state(id, t)?);
            let metrics = truth.metrics(&StateVec(here.to_vec()), &StateVec(there.to_vec()));
            metrics.first().map(|(_, distance)| *distance)
        })
    }

    fn state(&self, id: u64, t: usize) -> Option<&[f64]> {
        let at = self.episodes.binary_search_by_key(&id, |held| held.episode).ok()?;
        let States { steps, states, .. } = &self.episodes[at];
        let dim = states.len() / (steps + 1);
        states.get(t * dim..(t + 1) * dim).filter(|state| !state.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::learn::episode::{EpisodeGoal, GoalOrigin};
    use crate::task::scene::build;

    /// A disc that walks from x to x + .2 in two steps.
    fn walk(id: u64, x: f64, goals: &[(usize, Option<(u64, usize)>)]) -> Episode {
        let goal = |&(start, frame): &(usize, Option<(u64, usize)>)| EpisodeGoal {
            start,
            frame,
            ..EpisodeGoal::first(vec![], vec![0.0], GoalOrigin::Replay)
        };
        Episode {
            id,
            image_size: 0,
            frames: vec![],
            proprio: vec![],
            proprio_dim: 0,
            actions: vec![0.0; 4],
            action_dim: 2,
            goal: goal(&goals[0]),
            later_goals: goals[1..].iter().map(goal).collect(),
            states: vec![x, 0.8, x + 0.1, 0.8, x + 0.2, 0.8],
            state_names: vec!["x".into(), "y".into()],
            ending: skewfit_envs::Ending::Truncated,
        }
    }

    #[test]
    fn distances_are_the_scenes_first_metric_between_true_states() {
        let corridor = build(&Config::resolve("corridor", vec![]).unwrap().env, 0).unwrap();
        let mut known = TrueDistances::new(4);
        (0..3).for_each(|id| known.observe(&walk(id, 0.0, &[(0, None)])));
        let episode = walk(3, 0.5, &[(0, Some((1, 0))), (1, Some((2, 2))), (2, None), (2, Some((0, 1)))]);
        let distances: Vec<f64> = known.of(&episode, corridor.truth().unwrap()).collect();
        // The third goal shows no stored frame; the frame of the fourth is no longer held.
        assert_eq!(distances.len(), 2, "{distances:?}");
        assert!((distances[0] - 0.5).abs() < 1e-12 && (distances[1] - 0.4).abs() < 1e-12, "{distances:?}");
    }
}
