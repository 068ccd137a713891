//! What is explored: the scene, how much of it was visited, attempts at goal pictures, and how near they came.

pub mod attempt;
pub mod coverage;
pub mod knn_entropy;
pub mod opened;
pub mod scene;
pub mod scores;
