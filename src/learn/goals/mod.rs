//! Which goals to practise: goal sources, hindsight relabelling, and rewards.

pub mod batch;
pub mod relabel;
pub mod reward;
pub mod source;

pub use batch::Batch;
pub use relabel::{RelabelMix, sample_batch};
pub use reward::{LatentDistance, Reward, Step, latent_distance};
pub use source::{Drawn, Goal, GoalSource, Known, PriorGoals, ReplayGoals};
