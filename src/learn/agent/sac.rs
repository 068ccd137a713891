//! The hand-written SAC agent: policy, critics, target critics, temperature, and the optimisers' moments.

use super::host::HostActor;
use super::model::{Agent, SacInfo};
use super::nets::{Nets, each};
use super::rows::{Noise, Rows};
use super::workspace::{BLOCK, LossSums, SHARE, SacWorkspace};
use super::{actor, critic, init, temperature};
use crate::error::{Error, Result};
use crate::learn::goals::Batch;
use crate::learn::nn::adam::{Polyak, halved};
use crate::learn::nn::{Adam, Mlp, ModelState, Params, Workers, reduce};
use crate::learn::rng::Rng;
use crate::learn::settings::AgentConfig;

/// Sizes and settings of a [`Sac`].
#[derive(Clone, Debug, PartialEq)]
pub struct SacConfig {
    /// Z.
    pub latent_dim: usize,
    /// A.
    pub action_dim: usize,
    /// `[agent]`.
    pub agent: AgentConfig,
}

/// The agent's state.
pub struct Sac {
    pub(super) cfg: SacConfig,
    pub(super) policy_shape: Mlp,
    pub(super) critic_shape: Mlp,
    /// `policy.*`.
    pub policy: Params,
    /// `critic0.*`, `critic1.*`, ...
    pub critics: Params,
    /// `target0.*`, `target1.*`, ...
    pub targets: Params,
    /// `log_temperature`, ().
    pub log_temperature: Params,
    /// Moments of policy, all critics, and temperature.
    pub adams: [Adam; 3],
    pub(super) workspaces: Vec<SacWorkspace>,
    workers: Workers,
}

#[derive(Clone, Copy)]
pub(super) enum Losses {
    Actor,
    Critic,
    Both,
}

impl Sac {
    /// A new agent on these `workers`; initial weights are drawn from `rng` in the order policy, critics, target critics.
    ///
    /// ```
    /// use skewfit::config::Config;
    /// use skewfit::learn::{agent::{Agent, Sac, SacConfig}, nn::Workers, rng::stream};
    ///
    /// # fn main() -> skewfit::error::Result<()> {
    /// let cfg = SacConfig { latent_dim: 2, action_dim: 1, agent: Config::resolve("door", vec![])?.agent };
    /// let sac = Sac::new(cfg, &Workers::new(1), &mut stream(0, "agent-init", &[]));
    /// let actor = sac.actor()?;
    /// let action = actor.mean_action(&mut actor.scratch(), &[0.1, -0.3, 0.0, 0.5]);
    /// assert!(sac.temperature() == 1.0 && action[0].abs() < 1.0);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn new(cfg: SacConfig, workers: &Workers, rng: &mut Rng) -> Self {
        let (observation, actions) = (2 * cfg.latent_dim, cfg.action_dim);
        let AgentConfig { hidden, hidden_bias, critics: count, layer_norm, .. } = &cfg.agent;
        let policy_shape = Mlp::new(observation, hidden, 2 * actions, false);
        let critic_shape = Mlp::new(observation + actions, hidden, 1, *layer_norm);
        let policy = init::policy(&policy_shape, *hidden_bias, rng);
        let critics = init::critics("critic", *count, &critic_shape, *hidden_bias, rng);
        let mut targets = init::critics("target", *count, &critic_shape, *hidden_bias, rng);
        if cfg.agent.copy_targets_at_start {
            targets.values.copy_from_slice(&critics.values);
        }
        let adams = [policy.values.len(), critics.values.len(), 1].map(Adam::new);
        let workspaces =
            (0..workers.count()).map(|_| SacWorkspace::new(&policy_shape, &critic_shape, *count)).collect();
        let log_temperature = Params::zeros([("log_temperature".to_owned(), vec![])]);
        let workers = workers.clone();
        Self { cfg, policy_shape, critic_shape, policy, critics, targets, log_temperature, adams, workspaces, workers }
    }

    /// Computes each thread's gradients of its rows; returns the sums over the batch.
    pub(super) fn gradients(&mut self, losses: Losses, batch: &Batch, noise: &Noise, temperature: f32) -> LossSums {
        let agent = &self.cfg.agent;
        let entropy_weight = if agent.entropy_in_target { temperature } else { 0.0 };
        let bellman = critic::Bellman { discount: agent.discount as f32, entropy_weight };
        let nets = Nets {
            policy_shape: &self.policy_shape,
            critic_shape: &self.critic_shape,
            policy: &self.policy.values,
            critics: each(&self.critics.values, agent.critics),
            targets: each(&self.targets.values, agent.critics),
        };
        let workers = &self.workers;
        let shares = workers.shares(batch.size, SHARE);
        workers.each(&mut self.workspaces, |i, workspace| {
            workspace.clear();
            let share = shares[i].clone();
            for start in share.clone().step_by(BLOCK) {
                let rows = Rows::of(batch, noise, start..(start + BLOCK).min(share.end));
                if matches!(losses, Losses::Actor | Losses::Both) {
                    actor::add_gradient(&nets, &rows, temperature, workspace);
                }
                if matches!(losses, Losses::Critic | Losses::Both) {
                    critic::add_gradient(&nets, &rows, bellman, workspace);
                }
            }
        });
        self.workspaces.iter().fold(LossSums::default(), |a, workspace| LossSums {
            actor_loss: a.actor_loss + workspace.sums.actor_loss,
            log_pi: a.log_pi + workspace.sums.log_pi,
            critic_loss: a.critic_loss + workspace.sums.critic_loss,
            q: a.q + workspace.sums.q,
        })
    }

    pub(super) fn policy_norm2(&mut self) -> Result<f64> {
        let mut parts: Vec<&mut [f32]> = self.workspaces.iter_mut().map(|l| &mut l.policy_gradient[..]).collect();
        finite("actor", reduce::sum_into_first(&self.workers, &mut parts))
    }

    pub(super) fn critic_norm2(&mut self) -> Result<f64> {
        let mut parts: Vec<&mut [f32]> = self.workspaces.iter_mut().map(|l| &mut l.critic_gradient[..]).collect();
        finite("critic", reduce::sum_into_first(&self.workers, &mut parts))
    }

    fn temperature_gradient(&self, sums: &LossSums, batch: usize) -> Result<f64> {
        let target = self.cfg.agent.target_entropy.unwrap_or(-(self.cfg.action_dim as f64));
        finite("temperature", temperature::gradient(sums.log_pi / batch as f64, target))
    }

    fn step_temperature(&mut self, rate: f64, gradient: f64) {
        temperature::update(&mut self.log_temperature.values, &mut self.adams[2], rate, gradient);
    }

    fn step_policy(&mut self, rate: f64) {
        let gradient = &self.workspaces[0].policy_gradient;
        self.adams[0].step(&self.workers, rate, &mut self.policy.values, gradient, None);
    }

    fn step_critics(&mut self, rate: f64) {
        let follow = Polyak { target: &mut self.targets.values, tau: self.cfg.agent.tau as f32 };
        let gradient = &self.workspaces[0].critic_gradient;
        self.adams[1].step(&self.workers, rate, &mut self.critics.values, gradient, Some(follow));
    }
}

impl Agent for Sac {
    /// Actor-first takes all gradients before any parameter moves (the official code's later version). Critic-first steps the
    /// temperature, then the critics, then the policy against the new critics (its first version).
    fn update(&mut self, batch: &Batch, noise: &Noise, halvings: u32) -> Result<SacInfo> {
        let (start, rate) = (self.temperature(), halved(self.cfg.agent.learning_rate, halvings));
        let (sums, norm2) = if self.cfg.agent.actor_first {
            let sums = self.gradients(Losses::Both, batch, noise, start);
            let norm2 = [self.policy_norm2()?, self.critic_norm2()?];
            let slope = self.temperature_gradient(&sums, batch.size)?;
            self.step_temperature(rate, slope);
            self.step_policy(rate);
            self.step_critics(rate);
            (sums, norm2)
        } else {
            let drawn = self.gradients(Losses::Actor, batch, noise, start);
            self.policy_norm2()?;
            let slope = self.temperature_gradient(&drawn, batch.size)?;
            self.step_temperature(rate, slope);
            let critic = self.gradients(Losses::Critic, batch, noise, self.temperature());
            let critic_norm2 = self.critic_norm2()?;
            self.step_critics(rate);
            let actor = self.gradients(Losses::Actor, batch, noise, self.temperature());
            let policy_norm2 = self.policy_norm2()?;
            self.step_policy(rate);
            (LossSums { actor_loss: actor.actor_loss, log_pi: actor.log_pi, ..critic }, [policy_norm2, critic_norm2])
        };
        let n = batch.size as f64;
        Ok(SacInfo {
            critic_loss: sums.critic_loss / n,
            actor_loss: sums.actor_loss / n,
            temperature: f64::from(start),
            entropy: -sums.log_pi / n,
            q_mean: sums.q / n,
            grad_norm: (norm2[0] + norm2[1]).sqrt(),
        })
    }

    fn q_and_log_prob(&self, observation: &[f32], action: &[f32], noise: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        Ok(self.q_values(observation, action, noise))
    }

    fn temperature(&self) -> f32 {
        self.log_temperature.values[0].exp()
    }

    fn actor(&self) -> Result<HostActor<'_>> {
        Ok(HostActor { shape: &self.policy_shape, params: &self.policy })
    }

    fn state(&self) -> Result<ModelState> {
        let ([policy, critics, temperature], mut state) = (&self.adams, ModelState::default());
        state.push(&self.policy, Some(("policy", policy)));
        state.push(&self.critics, Some(("critics", critics)));
        state.push(&self.targets, None);
        state.push(&self.log_temperature, Some(("log_temperature", temperature)));
        Ok(state)
    }

    fn restore(&mut self, state: &ModelState) -> Result<()> {
        let [policy, critics, temperature] = &mut self.adams;
        state.read(&mut self.policy, Some(("policy", policy)))?;
        state.read(&mut self.critics, Some(("critics", critics)))?;
        state.read(&mut self.targets, None)?;
        state.read(&mut self.log_temperature, Some(("log_temperature", temperature)))
    }
}

fn finite(which: &str, gradient: f64) -> Result<f64> {
    if gradient.is_finite() {
        return Ok(gradient);
    }
    Err(Error::NotFinite(format!("the {which}'s gradient is not finite; lower agent.learning_rate")))
}
