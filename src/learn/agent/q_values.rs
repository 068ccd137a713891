//! Q of given actions, and log pi of actions sampled from the policy.

use super::ensemble::actor_q;
use super::nets::each;
use super::sac::Sac;
use super::squash::sample;
use crate::learn::nn::gemm::MatrixView;
use crate::learn::nn::mlp::Activations;

impl Sac {
    /// See [`Agent::q_and_log_prob`](super::Agent::q_and_log_prob).
    pub(super) fn q_values(&self, observation: &[f32], action: &[f32], noise: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (o, a) = (2 * self.cfg.latent_dim, self.cfg.action_dim);
        let rows = action.len() / a;
        let mut policy = self.policy_shape.activations(rows);
        self.policy_shape.forward(&self.policy.values, MatrixView::new(observation, rows, o), rows, &mut policy);
        let (mut drawn, mut log_pi) = (vec![0.0; rows * a], vec![0.0; rows]);
        sample(&policy.y, noise, a, &mut drawn, &mut log_pi);
        let joined: Vec<f32> =
            observation.chunks_exact(o).zip(action.chunks_exact(a)).flat_map(|(s, a)| [s, a].concat()).collect();
        let critics = each(&self.critics.values, self.cfg.agent.critics).into_iter().map(|critic| {
            let mut act = self.critic_shape.activations(rows);
            self.critic_shape.forward(critic, MatrixView::new(&joined, rows, o + a), rows, &mut act);
            act
        });
        let critics: Vec<Activations> = critics.collect();
        ((0..rows).map(|i| actor_q(&critics, i)).collect(), log_pi)
    }
}
