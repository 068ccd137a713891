//! What a policy does with observations, one by one in the control loop, and what the critics say of actions.

use super::ensemble::climbed;
use super::nets::each;
use super::sac::Sac;
use super::squash::{sample, squash};
use crate::learn::nn::gemm::View;
use crate::learn::nn::mlp::Activations;

/// Buffers of one who acts.
pub type Scratch = Activations;

impl Sac {
    /// Buffers to act with.
    #[must_use]
    pub fn scratch(&self) -> Scratch {
        self.policy_shape.activations(1)
    }

    /// tanh(mean) for one observation concat(z, z_g): evaluation's action, (A).
    pub fn act_mean(&self, scratch: &mut Scratch, observation: &[f32]) -> Vec<f32> {
        let dim = self.cfg.action_dim;
        self.head(scratch, observation)[..dim].iter().map(|mean| mean.tanh()).collect()
    }

    /// A draw of the policy for one observation, with standard normal `noise` (A).
    pub fn act_sample(&self, scratch: &mut Scratch, observation: &[f32], noise: &[f32]) -> Vec<f32> {
        let dim = self.cfg.action_dim;
        let head = self.head(scratch, observation);
        (0..dim).map(|k| squash(head[k], head[dim + k], noise[k]).action).collect()
    }

    /// Q(s, a) as the actor climbs it (R): of two critics the smaller, of more the mean; and log pi (R) of a draw of the present policy with standard normal `noise` (R, A), for
    /// observations (R, 2Z) and actions (R, A).
    #[must_use]
    pub fn judge(&self, observation: &[f32], action: &[f32], noise: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (o, a) = (2 * self.cfg.latent_dim, self.cfg.action_dim);
        let rows = action.len() / a;
        let mut policy = self.policy_shape.activations(rows);
        self.policy_shape.forward(&self.policy.values, View::new(observation, rows, o), rows, &mut policy);
        let (mut drawn, mut log_pi) = (vec![0.0; rows * a], vec![0.0; rows]);
        sample(&policy.y, noise, a, &mut drawn, &mut log_pi);
        let joined: Vec<f32> =
            observation.chunks_exact(o).zip(action.chunks_exact(a)).flat_map(|(s, a)| [s, a].concat()).collect();
        let judged = each(&self.critics.values, self.cfg.agent.critics).into_iter().map(|critic| {
            let mut act = self.critic_shape.activations(rows);
            self.critic_shape.forward(critic, View::new(&joined, rows, o + a), rows, &mut act);
            act
        });
        let judged: Vec<Activations> = judged.collect();
        ((0..rows).map(|i| climbed(&judged, i)).collect(), log_pi)
    }

    pub(super) fn head<'s>(&self, scratch: &'s mut Scratch, observation: &[f32]) -> &'s [f32] {
        let x = View::new(observation, 1, observation.len());
        self.policy_shape.forward(&self.policy.values, x, 1, scratch);
        &scratch.y
    }
}
