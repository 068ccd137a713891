//! The policy's loss, for actions a = tanh(u), u = mu + sigma * eps, sampled by [`squash`](super::squash):
//!
//! L = mean_i [ temperature log pi(a_i | s_i) - Q(s_i, a_i) ]   (arXiv 1812.05905, equation 7)
//!
//! Q is the minimum of two critics, or the mean of more ([`ensemble`](super::ensemble)). With eps fixed:
//! d log pi / du = 2 tanh(u),  da/du = 1 - a^2,  and log sigma also enters as -log sigma.

use super::ensemble::{actor_q, actor_q_slope};
use super::nets::Nets;
use super::rows::Rows;
use super::squash::{LOG_STD_RANGE, sample};
use super::workspace::SacWorkspace;
use crate::learn::nn::gemm::MatrixView;

/// Adds the block's actor gradient to the workspace, and its loss and log pi to the sums.
pub fn add_gradient(nets: &Nets, rows: &Rows, temperature: f32, workspace: &mut SacWorkspace) {
    let (n, dim) = (rows.len(), rows.action_dim);
    let scale = 1.0 / rows.batch_size as f32;
    let observation = MatrixView::new(rows.observation, n, rows.observation_dim);
    nets.policy_shape.forward(nets.policy, observation, n, &mut workspace.policy);
    sample(&workspace.policy.y, rows.noise, dim, &mut workspace.action, &mut workspace.log_pi);

    workspace.join(rows.observation, None, rows);
    let x = MatrixView::new(&workspace.joined, n, nets.critic_shape.inputs);
    for (critic, act) in nets.critics.iter().zip(&mut workspace.critics) {
        nets.critic_shape.forward(critic, x, n, act);
    }
    for i in 0..n {
        let loss = temperature * workspace.log_pi[i] - actor_q(&workspace.critics, i);
        workspace.sums.actor_loss += f64::from(loss);
        workspace.sums.log_pi += f64::from(workspace.log_pi[i]);
    }
    workspace.d_action.fill(0.0);
    for (j, critic) in nets.critics.iter().enumerate() {
        for i in 0..n {
            workspace.dq[i] = -scale * actor_q_slope(&workspace.critics, j, i);
        }
        nets.critic_shape.backward_input(
            critic,
            &workspace.dq,
            n,
            dim,
            &mut workspace.critics[j],
            &mut workspace.d_action,
        );
    }
    head_gradient(rows, temperature * scale, workspace);
    nets.policy_shape.backward(
        nets.policy,
        observation,
        &workspace.d_head,
        n,
        &mut workspace.policy,
        &mut workspace.policy_gradient,
    );
}

/// dL/d(mean, raw log sigma) from dL/da = workspace.d_action; `weight` = temperature / B.
fn head_gradient(rows: &Rows, weight: f32, workspace: &mut SacWorkspace) {
    let dim = rows.action_dim;
    for i in 0..rows.len() {
        let head = &workspace.policy.y[i * 2 * dim..(i + 1) * 2 * dim];
        let d_head = &mut workspace.d_head[i * 2 * dim..(i + 1) * 2 * dim];
        for k in 0..dim {
            let (action, eps) = (workspace.action[i * dim + k], rows.noise[i * dim + k]);
            let d_action = workspace.d_action[i * dim + k];
            let raw = head[dim + k];
            let inside = (LOG_STD_RANGE.0..=LOG_STD_RANGE.1).contains(&raw);
            let std = raw.clamp(LOG_STD_RANGE.0, LOG_STD_RANGE.1).exp();
            let du = weight * 2.0 * action + d_action * (1.0 - action * action);
            d_head[k] = du;
            d_head[dim + k] = if inside { du * std * eps - weight } else { 0.0 };
        }
    }
}
