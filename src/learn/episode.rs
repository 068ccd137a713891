//! An episode: the unit that is collected, committed and replayed.

use std::ops::Range;

use skewfit_envs::{Ending, Image};

/// Where an episode's goal came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoalOrigin {
    /// A latent z ~ N(0, I).
    Prior,
    /// A stored frame, drawn uniformly.
    Replay,
    /// A stored frame, drawn from the skewed distribution.
    SkewedReplay,
}

impl GoalOrigin {
    /// The name in the shard's `goal_source`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prior => "prior",
            Self::Replay => "replay",
            Self::SkewedReplay => "skewed-replay",
        }
    }

    /// The inverse of [`name`](Self::name).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Prior, Self::Replay, Self::SkewedReplay].into_iter().find(|o| o.name() == name)
    }
}

/// A goal of an episode: it is active from step `start` until the next goal's start.
#[derive(Clone, Debug, PartialEq)]
pub struct EpisodeGoal {
    /// Its first step; 0 for the first goal.
    pub start: usize,
    /// (H, W, 3) u8; for a goal from the prior, the decoded latent.
    pub picture: Vec<u8>,
    /// (Z), from the VAE at the time of the rollout.
    pub latent: Vec<f32>,
    /// Where it came from.
    pub origin: GoalOrigin,
    /// The instant in `start..=T` at which the rollout noticed that it was reached. `None` if it was not reached, and
    /// always if the episode keeps its goal after reaching it.
    pub reached: Option<usize>,
    /// The stored frame that it shows: episode and instant; `None` for a goal that is no stored frame, and where a shard does
    /// not say it, because the episode has no other goal.
    pub frame: Option<(u64, usize)>,
}

impl EpisodeGoal {
    /// A goal that is active from the start.
    #[must_use]
    pub fn first(picture: Vec<u8>, latent: Vec<f32>, origin: GoalOrigin) -> Self {
        Self { start: 0, picture, latent, origin, reached: None, frame: None }
    }
}

/// T steps with T + 1 observations.
///
/// ```
/// use skewfit::learn::episode::{Episode, EpisodeGoal, GoalOrigin};
///
/// let episode = Episode {
///     id: 0, image_size: 1, frames: vec![0, 0, 0, 9, 9, 9], proprio: vec![], proprio_dim: 0,
///     actions: vec![0.5, -0.5], action_dim: 2, states: vec![], state_names: vec![],
///     goal: EpisodeGoal::first(vec![9; 3], vec![0.0; 4], GoalOrigin::Prior), later_goals: vec![],
///     ending: skewfit_envs::Ending::Truncated,
/// };
/// assert_eq!(episode.steps(), 1);
/// assert_eq!(episode.frame(1), [9, 9, 9]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Number of the episode in its run, from 0.
    pub id: u64,
    /// H = W, pixels.
    pub image_size: usize,
    /// (T+1, H, W, 3) u8.
    pub frames: Vec<u8>,
    /// (T+1, P); empty when P = 0.
    pub proprio: Vec<f32>,
    /// P.
    pub proprio_dim: usize,
    /// (T, A), as executed.
    pub actions: Vec<f32>,
    /// A.
    pub action_dim: usize,
    /// The first goal.
    pub goal: EpisodeGoal,
    /// The goals after it, by rising `start`.
    pub later_goals: Vec<EpisodeGoal>,
    /// (T+1, S) true states; empty if the environment gives no true state.
    pub states: Vec<f64>,
    /// S names; empty if the environment gives no true state.
    pub state_names: Vec<String>,
    /// How it ended.
    pub ending: Ending,
}

impl Episode {
    /// The number of steps, T.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.actions.len() / self.action_dim.max(1)
    }

    /// Frame `t` in `0..=T`, (H, W, 3).
    #[must_use]
    pub fn frame(&self, t: usize) -> &[u8] {
        let bytes = self.image_size * self.image_size * 3;
        &self.frames[t * bytes..(t + 1) * bytes]
    }

    /// A copy of frame `t` in `0..=T`.
    #[must_use]
    pub fn image(&self, t: usize) -> Image {
        Image { size: self.image_size, pixels: self.frame(t).to_vec() }
    }

    /// All goals, in order.
    pub fn goals(&self) -> impl DoubleEndedIterator<Item = &EpisodeGoal> {
        std::iter::once(&self.goal).chain(&self.later_goals)
    }

    /// Each goal with the steps at which it was active.
    pub fn goal_spans(&self) -> impl Iterator<Item = (&EpisodeGoal, Range<usize>)> {
        let ends = self.later_goals.iter().map(|next| next.start).chain([self.steps()]);
        self.goals().zip(ends).map(|(goal, end)| (goal, goal.start..end))
    }

    /// The goal of step `t`; at T the last one.
    #[must_use]
    pub fn goal_at(&self, t: usize) -> &EpisodeGoal {
        self.goals().rev().find(|goal| goal.start <= t).unwrap_or(&self.goal)
    }

    /// A copy of the picture of [`goal_at`](Self::goal_at).
    #[must_use]
    pub fn goal_image_at(&self, t: usize) -> Image {
        Image { size: self.image_size, pixels: self.goal_at(t).picture.clone() }
    }

    /// The vector that coverage counts at `t` in `0..=T`: the true state, or proprioception if there is no true state.
    #[must_use]
    pub fn counted(&self, t: usize) -> Vec<f64> {
        match self.state(t) {
            [] => {
                self.proprio[t * self.proprio_dim..(t + 1) * self.proprio_dim].iter().map(|p| f64::from(*p)).collect()
            }
            state => state.to_vec(),
        }
    }

    /// Names of the entries of [`counted`](Self::counted); proprioception is numbered, because a shard has no names for it.
    #[must_use]
    pub fn counted_names(&self) -> Vec<String> {
        match self.state_names.as_slice() {
            [] => (0..self.proprio_dim).map(|i| format!("proprio_{i}")).collect(),
            names => names.to_vec(),
        }
    }

    /// True state (S) at `t` in `0..=T`; empty if the environment gives no true state.
    #[must_use]
    pub fn state(&self, t: usize) -> &[f64] {
        let dim = self.state_names.len();
        &self.states[t * dim..(t + 1) * dim]
    }
}
