//! The loss of the critics Q_j(s, a), with target networks Qbar_j.
//!
//! y = r + gamma * mask * (min_{j in M} Qbar_j(s', a') - temperature log pi(a'|s')),   L = sum_j mean_i (Q_j(s_i, a_i) - y_i)^2
//! (soft Bellman residual, arXiv 1812.05905, equations 5 and 6; M is the update's pair, [`ensemble`](super::ensemble)).

use super::ensemble::minimum;
use super::nets::Nets;
use super::rows::Rows;
use super::squash::sample;
use super::workspace::SacWorkspace;
use crate::learn::nn::gemm::MatrixView;

/// Discount and entropy weight of the Bellman target; weight 0 drops the entropy (the official code's first version).
#[derive(Clone, Copy, Debug)]
pub struct Bellman {
    /// gamma.
    pub discount: f32,
    /// temperature, or 0.
    pub entropy_weight: f32,
}

/// Adds the block's gradient of all critics to the workspace, and its loss and Q to the sums.
pub fn add_gradient(nets: &Nets, rows: &Rows, bellman: Bellman, workspace: &mut SacWorkspace) {
    bellman_target(nets, rows, bellman, workspace);
    let n = rows.len();
    let scale = 2.0 / rows.batch_size as f32;
    workspace.join(rows.observation, Some(rows.action), rows);
    let x = MatrixView::new(&workspace.joined, n, nets.critic_shape.inputs);
    let each = 1.0 / nets.critics.len() as f64;
    let gradients = workspace.critic_gradient.chunks_exact_mut(nets.critic_shape.size());
    for ((theta, act), gradient) in nets.critics.iter().zip(&mut workspace.critics).zip(gradients) {
        nets.critic_shape.forward(theta, x, n, act);
        for i in 0..n {
            let error = act.y[i] - workspace.target[i];
            workspace.dq[i] = scale * error;
            workspace.sums.critic_loss += f64::from(error * error);
            workspace.sums.q += each * f64::from(act.y[i]);
        }
        nets.critic_shape.backward(theta, x, &workspace.dq, n, act, gradient);
    }
}

/// Writes y (R) to `workspace.target`, with a' sampled from the current policy.
fn bellman_target(nets: &Nets, rows: &Rows, bellman: Bellman, workspace: &mut SacWorkspace) {
    let n = rows.len();
    let next = MatrixView::new(rows.next_observation, n, rows.observation_dim);
    nets.policy_shape.forward(nets.policy, next, n, &mut workspace.policy);
    sample(&workspace.policy.y, rows.next_noise, rows.action_dim, &mut workspace.action, &mut workspace.log_pi);
    workspace.join(rows.next_observation, None, rows);
    let x = MatrixView::new(&workspace.joined, n, nets.critic_shape.inputs);
    let pair = rows.pair;
    for j in pair {
        nets.critic_shape.forward(nets.targets[j], x, n, &mut workspace.critics[j]);
    }
    for i in 0..n {
        let smaller = minimum(workspace.critics[pair[0]].y[i], workspace.critics[pair[1]].y[i]);
        let value = smaller - bellman.entropy_weight * workspace.log_pi[i];
        workspace.target[i] = rows.reward[i] + bellman.discount * rows.mask[i] * value;
    }
}
