//! An episode: the unit that is collected, committed, replayed.

use skewfit_envs::{Ending, Image};

/// Where an episode's goal came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoalOrigin {
    /// z ~ N(0, I).
    Prior,
    /// A stored frame, uniformly.
    Replay,
    /// A stored frame, by the skewed distribution.
    SkewedReplay,
}

impl GoalOrigin {
    /// The contract's word, as in the shard's `goal_source`.
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

/// T steps with T + 1 observations.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// Counts from 0 over the run.
    pub id: u64,
    /// H = W, pixels.
    pub image_size: usize,
    /// (T+1, H, W, 3) u8, one after the other.
    pub frames: Vec<u8>,
    /// (T+1, P); empty when P = 0.
    pub proprio: Vec<f32>,
    /// P.
    pub proprio_dim: usize,
    /// (T, A) as executed.
    pub actions: Vec<f32>,
    /// A.
    pub action_dim: usize,
    /// (H, W, 3) u8; a prior goal's is its decoding.
    pub goal_image: Vec<u8>,
    /// (Z), as it was when the episode was collected.
    pub goal_latent: Vec<f32>,
    /// Where the goal came from.
    pub goal_origin: GoalOrigin,
    /// (T+1, S) true states; empty where none is known.
    pub states: Vec<f64>,
    /// S names; empty where no state is known.
    pub state_names: Vec<String>,
    /// How it ended.
    pub ending: Ending,
}

impl Episode {
    /// T, the number of steps.
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

    /// Frame `t` in `0..=T`, as an image of its own.
    #[must_use]
    pub fn image(&self, t: usize) -> Image {
        Image { size: self.image_size, pixels: self.frame(t).to_vec() }
    }

    /// The goal's picture, as an image of its own.
    #[must_use]
    pub fn goal(&self) -> Image {
        Image { size: self.image_size, pixels: self.goal_image.clone() }
    }

    /// What visits are counted by at `t` in `0..=T`: the true state, or proprioception where there is none.
    #[must_use]
    pub fn counted(&self, t: usize) -> Vec<f64> {
        match self.state(t) {
            [] => {
                self.proprio[t * self.proprio_dim..(t + 1) * self.proprio_dim].iter().map(|p| f64::from(*p)).collect()
            }
            state => state.to_vec(),
        }
    }

    /// Their names; proprioception's are numbers, since a shard does not hold them.
    #[must_use]
    pub fn counted_names(&self) -> Vec<String> {
        match self.state_names.as_slice() {
            [] => (0..self.proprio_dim).map(|i| format!("proprio_{i}")).collect(),
            names => names.to_vec(),
        }
    }

    /// True state at `t` in `0..=T`; empty where none is known.
    #[must_use]
    pub fn state(&self, t: usize) -> &[f64] {
        let dim = self.state_names.len();
        &self.states[t * dim..(t + 1) * dim]
    }
}
