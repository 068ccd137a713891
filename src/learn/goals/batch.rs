//! A SAC batch in flat memory, refilled in place.

/// B relabelled transitions; the buffers are reused from one update to the next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// B.
    pub size: usize,
    /// Z.
    pub latent_dim: usize,
    /// A.
    pub action_dim: usize,
    /// (B, 2Z): (z_t, z_g).
    pub observation: Vec<f32>,
    /// (B, 2Z): (z_{t+1}, z_g).
    pub next_observation: Vec<f32>,
    /// (B, A), as executed.
    pub action: Vec<f32>,
    /// (B).
    pub reward: Vec<f32>,
    /// (B): 0 where the step terminated its episode, else 1; a time limit is not a termination.
    pub mask: Vec<f32>,
}

impl Batch {
    /// Sets the shapes; allocates only to grow.
    pub fn resize(&mut self, size: usize, latent_dim: usize, action_dim: usize) {
        (self.size, self.latent_dim, self.action_dim) = (size, latent_dim, action_dim);
        self.observation.resize(size * 2 * latent_dim, 0.0);
        self.next_observation.resize(size * 2 * latent_dim, 0.0);
        self.action.resize(size * action_dim, 0.0);
        self.reward.resize(size, 0.0);
        self.mask.resize(size, 0.0);
    }
}
