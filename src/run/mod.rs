//! What runs: the exploration loop, evaluation on goal pictures, and what a run will take.

pub mod estimate;
pub mod evaluate;
pub mod explore;
pub mod goal_folder;
pub mod progress;
pub mod threads;
