//! One thread's buffers for a SAC update, reused from block to block and from update to update.

use super::rows::Rows;
use crate::learn::nn::Mlp;
use crate::learn::nn::mlp::Activations;

/// Rows a block: a layer's activations stay in a core's L2 cache, and its weights are packed few times a batch.
pub const BLOCK: usize = 256;
/// Threads' shares are multiples of this many rows.
pub const SHARE: usize = 32;

/// Sums over rows; the caller divides by B.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sums {
    /// Of alpha log pi - min Q.
    pub actor_loss: f64,
    /// Of log pi.
    pub log_pi: f64,
    /// Of both critics' squared errors.
    pub critic_loss: f64,
    /// Of the critics' mean.
    pub q: f64,
}

/// Buffers and gradient sums of one thread.
pub struct Lane {
    pub policy: Activations,
    pub critics: [Activations; 2],
    /// (R, 2Z + A).
    pub joined: Vec<f32>,
    pub action: Vec<f32>,
    pub log_pi: Vec<f32>,
    pub target: Vec<f32>,
    pub dq: [Vec<f32>; 2],
    pub d_action: [Vec<f32>; 2],
    pub d_head: Vec<f32>,
    pub policy_gradient: Vec<f32>,
    /// Both critics', one after the other.
    pub critic_gradient: Vec<f32>,
    pub sums: Sums,
}

impl Lane {
    pub fn new(policy: Mlp, critic: Mlp) -> Self {
        let row = |width: usize| vec![0.0; BLOCK * width];
        let actions = policy.outputs / 2;
        Self {
            policy: policy.activations(BLOCK),
            critics: [critic.activations(BLOCK), critic.activations(BLOCK)],
            joined: row(critic.inputs),
            action: row(actions),
            log_pi: row(1),
            target: row(1),
            dq: [row(1), row(1)],
            d_action: [row(actions), row(actions)],
            d_head: row(2 * actions),
            policy_gradient: vec![0.0; policy.params("").values.len()],
            critic_gradient: vec![0.0; 2 * critic.params("").values.len()],
            sums: Sums::default(),
        }
    }

    /// Before a batch: nothing summed.
    pub fn clear(&mut self) {
        self.policy_gradient.fill(0.0);
        self.critic_gradient.fill(0.0);
        self.sums = Sums::default();
    }

    /// `joined` = concat(observation, action); `None` takes the action just drawn.
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
