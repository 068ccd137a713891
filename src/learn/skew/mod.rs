//! Skew-Fit: the densities of stored transitions give weights p^power, and the weights give a table to draw from.

pub mod alias;
pub mod distribution;
#[cfg(test)]
mod totality;
pub mod weights;

pub use alias::AliasTable;
pub use distribution::{SkewInfo, SkewedDistribution};
pub use weights::{Weights, skew_weights};
