//! What the critics say of actions, and the policy of its own.

use super::ensemble::climbed;
use super::nets::each;
use super::sac::Sac;
use super::squash::sample;
use crate::learn::nn::gemm::View;
use crate::learn::nn::mlp::Activations;

impl Sac {
    /// See [`Agent::judge`](super::Agent::judge).
    pub(super) fn judged(&self, observation: &[f32], action: &[f32], noise: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (o, a) = (2 * self.cfg.latent_dim, self.cfg.action_dim);
        let rows = action.len() / a;
        let mut policy = self.policy_shape.activations(rows);
        self.policy_shape.forward(&self.policy.values, View::new(observation, rows, o), rows, &mut policy);
        let (mut drawn, mut log_pi) = (vec![0.0; rows * a], vec![0.0; rows]);
        sample(&policy.y, noise, a, &mut drawn, &mut log_pi);
        let joined: Vec<f32> =
            observation.chunks_exact(o).zip(action.chunks_exact(a)).flat_map(|(s, a)| [s, a].concat()).collect();
        let critics = each(&self.critics.values, self.cfg.agent.critics).into_iter().map(|critic| {
            let mut act = self.critic_shape.activations(rows);
            self.critic_shape.forward(critic, View::new(&joined, rows, o + a), rows, &mut act);
            act
        });
        let critics: Vec<Activations> = critics.collect();
        ((0..rows).map(|i| climbed(&critics, i)).collect(), log_pi)
    }
}
