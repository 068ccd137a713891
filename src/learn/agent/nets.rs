//! The networks that a block of rows goes through.

use crate::learn::nn::Mlp;

/// All parameters a block reads.
pub struct Nets<'a> {
    /// (2Z) to (2A).
    pub policy_shape: &'a Mlp,
    /// (2Z + A) to (1).
    pub critic_shape: &'a Mlp,
    /// The policy's parameters.
    pub policy: &'a [f32],
    /// Each critic's parameters.
    pub critics: Vec<&'a [f32]>,
    /// Each target's parameters.
    pub targets: Vec<&'a [f32]>,
}

/// Each of `count` equal networks that lie in one memory.
pub fn each(values: &[f32], count: usize) -> Vec<&[f32]> {
    values.chunks_exact(values.len() / count).collect()
}
