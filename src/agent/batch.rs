//! A batch of relabelled transitions, in buffers that are kept between updates.

/// B transitions; observations are concat(z, z_g).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// B.
    pub size: usize,
    /// Z.
    pub latent_dim: usize,
    /// A.
    pub action_dim: usize,
    /// (B, 2Z): concat(z_t, z_g).
    pub observation: Vec<f32>,
    /// (B, 2Z): concat(z_{t+1}, z_g).
    pub next_observation: Vec<f32>,
    /// (B, A) as executed.
    pub action: Vec<f32>,
    /// (B).
    pub reward: Vec<f32>,
    /// (B): 0 where the episode terminated at this step, else 1. A time limit is not a termination.
    pub mask: Vec<f32>,
}

impl Batch {
    /// Buffers for `size` transitions.
    #[must_use]
    pub fn new(size: usize, latent_dim: usize, action_dim: usize) -> Self {
        Self {
            size,
            latent_dim,
            action_dim,
            observation: vec![0.0; size * 2 * latent_dim],
            next_observation: vec![0.0; size * 2 * latent_dim],
            action: vec![0.0; size * action_dim],
            reward: vec![0.0; size],
            mask: vec![1.0; size],
        }
    }
}
