//! Which goals to practise: goal sources, hindsight relabelling, and rewards. One file a source or a reward, one row of
//! [`SOURCES`] or [`REWARDS`] each.

pub mod batch;
pub mod relabel;
pub mod reward;
pub mod source;

use crate::learn::choices;
use crate::learn::settings::AgentConfig;
pub use batch::Batch;
pub use relabel::{RelabelMix, sample_batch};
pub use reward::{LatentDistance, Reward, Step, latent_distance};
pub use source::{GoalDraw, GoalInputs, GoalSource, LatentGoal, PriorGoals, ReplayGoals};

/// A kind of goal source.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Makes it of what is known.
    pub make: for<'a> fn(GoalInputs<'a>) -> Box<dyn GoalSource + 'a>,
    /// Whether it wants log p of all that was seen, even where nothing is skewed.
    pub wants_densities: bool,
}

/// All sources by the words of `goals.source`.
pub const SOURCES: [(&str, Source); 2] = [
    (
        "replay",
        Source { make: |k| Box::new(ReplayGoals { replay: k.replay, skewed: k.skewed }), wants_densities: false },
    ),
    ("prior", Source { make: |k| Box::new(PriorGoals { dim: k.replay.latent_dim() }), wants_densities: false }),
];

/// The words of [`SOURCES`].
pub const SOURCE_NAMES: [&str; SOURCES.len()] = choices::names(&SOURCES);

/// The source of that name; the first one for a word that is none, which `config` refuses before.
#[must_use]
pub fn source(name: &str) -> Source {
    SOURCES.iter().find(|(word, _)| *word == name).unwrap_or(&SOURCES[0]).1
}

/// Makes a reward from the settings.
pub type MakeReward = fn(&AgentConfig) -> Box<dyn Reward>;

/// All rewards by the words of `goals.reward`.
pub const REWARDS: [(&str, MakeReward); 1] =
    [("latent-distance", |cfg| Box::new(LatentDistance { scale: cfg.reward_scale as f32 }))];

/// The words of [`REWARDS`].
pub const REWARD_NAMES: [&str; REWARDS.len()] = choices::names(&REWARDS);

/// The reward of that name; the first one for a word that is none, which `config` refuses before.
#[must_use]
pub fn reward(name: &str, cfg: &AgentConfig) -> Box<dyn Reward> {
    (REWARDS.iter().find(|(word, _)| *word == name).unwrap_or(&REWARDS[0]).1)(cfg)
}
