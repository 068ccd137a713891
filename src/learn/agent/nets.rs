//! The networks that a block of rows goes through.

use crate::learn::nn::Mlp;

/// All parameters a block reads.
pub struct Nets<'a> {
    /// (2Z) to (2A).
    pub policy_shape: Mlp,
    /// (2Z + A) to (1).
    pub critic_shape: Mlp,
    /// The policy's parameters.
    pub policy: &'a [f32],
    /// Each critic's parameters.
    pub critics: [&'a [f32]; 2],
    /// Each target's parameters.
    pub targets: [&'a [f32]; 2],
}

/// min(a, b), and NaN if either is: `f32::min` would hide the broken one of two critics.
pub fn minimum(a: f32, b: f32) -> f32 {
    if a < b || a.is_nan() { a } else { b }
}

/// Each of two networks that lie in one memory.
pub fn halves(values: &[f32]) -> [&[f32]; 2] {
    let (first, second) = values.split_at(values.len() / 2);
    [first, second]
}
