//! Skew-Fit's step: densities of stored transitions become weights p^alpha, and a table to draw from.

pub mod alias;
pub mod distribution;
#[cfg(test)]
mod totality;
pub mod weights;

pub use alias::AliasTable;
pub use distribution::{SkewInfo, SkewedDistribution};
pub use weights::{Weights, skew_weights};
