//! Goal sources, hindsight relabelling and rewards. Each source has a row of [`SOURCES`], each reward a row of [`REWARDS`].

pub mod batch;
pub mod radius;
pub mod relabel;
pub mod reward;
pub mod source;

use crate::learn::choices;
use crate::learn::settings::AgentConfig;
pub use batch::Batch;
pub use relabel::{RelabelMix, sample_batch};
pub use reward::{LatentDistance, Reward, Step, StepsToGoal, latent_distance};
pub use source::{GoalDraw, GoalInputs, GoalSource, LatentGoal, PriorGoals, ReplayGoals};

/// A kind of goal source.
#[derive(Clone, Copy, Debug)]
pub struct GoalSourceKind {
    /// Builds the source.
    pub make: for<'a> fn(GoalInputs<'a>) -> Box<dyn GoalSource + 'a>,
    /// Whether it needs log p of all stored transitions, even if nothing is skewed.
    pub wants_densities: bool,
}

/// All sources, by the values of `goals.source`.
pub const SOURCES: [(&str, GoalSourceKind); 2] = [
    (
        "replay",
        GoalSourceKind {
            make: |k| Box::new(ReplayGoals { replay: k.replay, skewed: k.skewed }),
            wants_densities: false,
        },
    ),
    ("prior", GoalSourceKind { make: |k| Box::new(PriorGoals { dim: k.replay.latent_dim() }), wants_densities: false }),
];

/// The names in [`SOURCES`].
pub const SOURCE_NAMES: [&str; SOURCES.len()] = choices::names(&SOURCES);

/// The source with this name; the first one for an unknown name, which `config` refuses earlier.
#[must_use]
pub fn source(name: &str) -> GoalSourceKind {
    SOURCES.iter().find(|(word, _)| *word == name).unwrap_or(&SOURCES[0]).1
}

/// Builds a reward from the settings and the latent distance within which a goal is reached.
pub type MakeReward = fn(&AgentConfig, f32) -> Box<dyn Reward>;

/// All rewards, by the values of `goals.reward`.
pub const REWARDS: [(&str, MakeReward); 2] = [
    ("latent-distance", |cfg, _| Box::new(LatentDistance { scale: cfg.reward_scale as f32 })),
    ("steps", |cfg, radius| Box::new(StepsToGoal { scale: cfg.reward_scale as f32, radius })),
];

/// The names in [`REWARDS`].
pub const REWARD_NAMES: [&str; REWARDS.len()] = choices::names(&REWARDS);

/// The reward with this name; the first one for an unknown name, which `config` refuses earlier.
#[must_use]
pub fn reward(name: &str, cfg: &AgentConfig, radius: f32) -> Box<dyn Reward> {
    (REWARDS.iter().find(|(word, _)| *word == name).unwrap_or(&REWARDS[0]).1)(cfg, radius)
}
