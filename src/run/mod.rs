//! Running: the exploration loop, evaluation on goal pictures, and estimates of a run's cost.

pub mod estimate;
pub mod evaluate;
pub mod explore;
pub mod goal_folder;
pub mod progress;
pub mod threads;
