//! The networks of one update, borrowed.

use crate::learn::nn::Mlp;

/// Shapes and parameters of all networks.
pub struct Nets<'a> {
    /// (2Z) to (2A).
    pub policy_shape: &'a Mlp,
    /// (2Z + A) to (1).
    pub critic_shape: &'a Mlp,
    /// Parameters of the policy.
    pub policy: &'a [f32],
    /// Parameters of each critic.
    pub critics: Vec<&'a [f32]>,
    /// Parameters of each target critic.
    pub targets: Vec<&'a [f32]>,
}

/// The parameters of each of `count` equal networks, which are contiguous in `values`.
pub fn each(values: &[f32], count: usize) -> Vec<&[f32]> {
    values.chunks_exact(values.len() / count).collect()
}
