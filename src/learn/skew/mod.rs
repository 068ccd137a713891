//! Skew-Fit's weights p(x)^alpha, and drawing from them in constant time.

pub mod alias;
#[cfg(test)]
mod totality;
pub mod weights;

pub use alias::AliasTable;
pub use weights::{Weights, skew_weights};
