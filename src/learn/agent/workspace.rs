//! One thread's buffers for a SAC update, reused from block to block and from update to update.

use super::rows::Rows;
use crate::learn::nn::Mlp;
use crate::learn::nn::mlp::Activations;

/// Rows per block. A layer's activations stay in a core's L2 cache, and its weights are packed only a few times per batch.
pub const BLOCK: usize = 256;
/// Threads' shares are multiples of this many rows.
pub const SHARE: usize = 32;

/// Sums over rows; the caller divides them by the batch size B.
#[derive(Clone, Copy, Debug, Default)]
pub struct LossSums {
    /// Sum of temperature log pi - Q.
    pub actor_loss: f64,
    /// Sum of log pi.
    pub log_pi: f64,
    /// Sum of the squared errors of all critics.
    pub critic_loss: f64,
    /// Sum of the critics' mean Q.
    pub q: f64,
}

/// Buffers and gradient sums of one thread.
pub struct SacWorkspace {
    pub policy: Activations,
    /// One for each critic.
    pub critics: Vec<Activations>,
    /// (R, 2Z + A).
    pub joined: Vec<f32>,
    pub action: Vec<f32>,
    pub log_pi: Vec<f32>,
    pub target: Vec<f32>,
    /// dL/dQ of one critic, (R).
    pub dq: Vec<f32>,
    /// dL/da, summed over the critics, (R, A).
    pub d_action: Vec<f32>,
    pub d_head: Vec<f32>,
    pub policy_gradient: Vec<f32>,
    /// The gradients of all critics, one after the other.
    pub critic_gradient: Vec<f32>,
    pub sums: LossSums,
}

impl SacWorkspace {
    /// Buffers for this policy and `critics` critics of this shape.
    pub fn new(policy: &Mlp, critic: &Mlp, critics: usize) -> Self {
        let row = |width: usize| vec![0.0; BLOCK * width];
        let actions = policy.outputs / 2;
        Self {
            policy: policy.activations(BLOCK),
            critics: (0..critics).map(|_| critic.activations(BLOCK)).collect(),
            joined: row(critic.inputs),
            action: row(actions),
            log_pi: row(1),
            target: row(1),
            dq: row(1),
            d_action: row(actions),
            d_head: row(2 * actions),
            policy_gradient: vec![0.0; policy.size()],
            critic_gradient: vec![0.0; critics * critic.size()],
            sums: LossSums::default(),
        }
    }

    /// Sets gradients and sums to zero; called before a batch.
    pub fn clear(&mut self) {
        self.policy_gradient.fill(0.0);
        self.critic_gradient.fill(0.0);
        self.sums = LossSums::default();
    }

    /// `joined` = concat(observation, action); `None` takes the actions sampled last.
    pub fn join(&mut self, observation: &[f32], action: Option<&[f32]>, rows: &Rows) {
        let (o, a) = (rows.observation_dim, rows.action_dim);
        let action = action.unwrap_or(&self.action);
        for ((x, s), act) in
            self.joined.chunks_exact_mut(o + a).zip(observation.chunks_exact(o)).zip(action.chunks_exact(a))
        {
            x[..o].copy_from_slice(s);
            x[o..].copy_from_slice(act);
        }
    }
}
