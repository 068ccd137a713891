//! The task: the scene, its coverage, attempts to reach goal pictures, and their scores.

pub mod attempt;
pub mod coverage;
pub mod knn_entropy;
pub mod opened;
pub mod practice_facts;
pub mod reached;
pub mod scene;
pub mod scores;
pub mod true_distances;
