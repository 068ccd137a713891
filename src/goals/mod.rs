//! Which goals to practise: skewed weights over replay, goal sources, hindsight relabelling, and the latent reward.

pub mod alias;
pub mod batch;
pub mod relabel;
pub mod reward;
pub mod skew;
pub mod source;
#[cfg(test)]
mod totality;

pub use alias::AliasTable;
pub use batch::Batch;
pub use relabel::{RelabelMix, sample_batch};
pub use reward::{latent_distance, reward};
pub use skew::{Weights, skew_weights};
pub use source::{Drawn, Goal, GoalSource, PriorGoals, ReplayGoals};
