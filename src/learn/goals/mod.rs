//! Which goals to practise: goal sources, hindsight relabelling, and the latent reward.

pub mod batch;
pub mod relabel;
pub mod reward;
pub mod source;

pub use batch::Batch;
pub use relabel::{RelabelMix, sample_batch};
pub use reward::{latent_distance, reward};
pub use source::{Drawn, Goal, GoalSource, PriorGoals, ReplayGoals};
