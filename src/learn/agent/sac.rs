//! The agent: policy, critics, their targets, temperature, and the optimisers' moments.

use super::lane::{BLOCK, Lane, SHARE, Sums};
use super::nets::{Nets, each};
use super::rows::{Noise, Rows};
use super::{actor, critic, init, temperature};
use crate::error::{Error, Result};
use crate::learn::goals::Batch;
use crate::learn::nn::adam::{Polyak, halved};
use crate::learn::nn::{Adam, Mlp, Params, Workers, reduce};
use crate::learn::rng::Rng;
use crate::learn::settings::AgentConfig;

/// What an update depends on besides the state.
#[derive(Clone, Debug, PartialEq)]
pub struct SacConfig {
    /// Z.
    pub latent_dim: usize,
    /// A.
    pub action_dim: usize,
    /// `[agent]`.
    pub agent: AgentConfig,
}

/// Facts about one update, for the log.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SacInfo {
    /// Mean over the batch, all critics added.
    pub critic_loss: f64,
    /// Mean of alpha log pi - Q, the smaller of two critics or the mean of more.
    pub actor_loss: f64,
    /// alpha before the update.
    pub temperature: f64,
    /// -mean log pi, nats.
    pub entropy: f64,
    /// Mean Q of the stored actions, over all critics.
    pub q_mean: f64,
    /// 2-norm of the gradients of policy and critics together.
    pub grad_norm: f64,
}

impl SacInfo {
    /// The facts by their columns of `metrics.csv`.
    #[must_use]
    pub fn columns(&self) -> [(&'static str, f64); 6] {
        [
            ("train/critic_loss", self.critic_loss),
            ("train/actor_loss", self.actor_loss),
            ("train/temperature", self.temperature),
            ("train/entropy", self.entropy),
            ("train/q_mean", self.q_mean),
            ("train/grad_norm", self.grad_norm),
        ]
    }
}

/// The agent's whole state.
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
    /// Moments of the policy, of all critics, of the temperature.
    pub adams: [Adam; 3],
    /// Halvings of the learning rate, which guards may ask for.
    pub halvings: u32,
    pub(super) lanes: Vec<Lane>,
}

#[derive(Clone, Copy)]
pub(super) enum Losses {
    Actor,
    Critic,
    Both,
}

impl Sac {
    /// A fresh agent, its initial weights drawn from `rng`: policy, critics, targets.
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
        let lanes = (0..workers.count()).map(|_| Lane::new(&policy_shape, &critic_shape, *count)).collect();
        let log_temperature = Params::zeros([("log_temperature".to_owned(), vec![])]);
        Self { cfg, policy_shape, critic_shape, policy, critics, targets, log_temperature, adams, halvings: 0, lanes }
    }

    /// alpha.
    #[must_use]
    pub fn temperature(&self) -> f32 {
        self.log_temperature.values[0].exp()
    }

    /// One update of temperature, policy, critics and targets.
    ///
    /// Actor-first takes every gradient at the step's first parameters (the official code's later version);
    /// critic-first steps temperature, then critics, then the policy against the new critics (its first version).
    ///
    /// # Errors
    /// `NotFinite` if a gradient is not finite; the parameters it belongs to are unchanged then.
    pub fn update(&mut self, workers: &Workers, batch: &Batch, noise: &Noise) -> Result<SacInfo> {
        let start = self.temperature();
        let (sums, norm2) = if self.cfg.agent.actor_first {
            let sums = self.gradients(workers, Losses::Both, batch, noise, start);
            let norm2 = [self.policy_norm2(workers)?, self.critic_norm2(workers)?];
            let slope = self.temperature_gradient(&sums, batch.size)?;
            self.step_temperature(slope);
            self.step_policy(workers);
            self.step_critics(workers);
            (sums, norm2)
        } else {
            let drawn = self.gradients(workers, Losses::Actor, batch, noise, start);
            self.policy_norm2(workers)?;
            let slope = self.temperature_gradient(&drawn, batch.size)?;
            self.step_temperature(slope);
            let critic = self.gradients(workers, Losses::Critic, batch, noise, self.temperature());
            let critic_norm2 = self.critic_norm2(workers)?;
            self.step_critics(workers);
            let actor = self.gradients(workers, Losses::Actor, batch, noise, self.temperature());
            let policy_norm2 = self.policy_norm2(workers)?;
            self.step_policy(workers);
            (Sums { actor_loss: actor.actor_loss, log_pi: actor.log_pi, ..critic }, [policy_norm2, critic_norm2])
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

    /// Every lane's gradients of its rows; returns the sums over the batch.
    pub(super) fn gradients(
        &mut self,
        workers: &Workers,
        losses: Losses,
        batch: &Batch,
        noise: &Noise,
        alpha: f32,
    ) -> Sums {
        let agent = &self.cfg.agent;
        let entropy_weight = if agent.entropy_in_target { alpha } else { 0.0 };
        let bellman = critic::Bellman { discount: agent.discount as f32, entropy_weight };
        let nets = Nets {
            policy_shape: &self.policy_shape,
            critic_shape: &self.critic_shape,
            policy: &self.policy.values,
            critics: each(&self.critics.values, agent.critics),
            targets: each(&self.targets.values, agent.critics),
        };
        let shares = workers.shares(batch.size, SHARE);
        workers.each(&mut self.lanes, |i, lane| {
            lane.clear();
            let share = shares[i].clone();
            for start in share.clone().step_by(BLOCK) {
                let rows = Rows::of(batch, noise, start..(start + BLOCK).min(share.end));
                if matches!(losses, Losses::Actor | Losses::Both) {
                    actor::add_gradient(&nets, &rows, alpha, lane);
                }
                if matches!(losses, Losses::Critic | Losses::Both) {
                    critic::add_gradient(&nets, &rows, bellman, lane);
                }
            }
        });
        self.lanes.iter().fold(Sums::default(), |a, lane| Sums {
            actor_loss: a.actor_loss + lane.sums.actor_loss,
            log_pi: a.log_pi + lane.sums.log_pi,
            critic_loss: a.critic_loss + lane.sums.critic_loss,
            q: a.q + lane.sums.q,
        })
    }

    pub(super) fn policy_norm2(&mut self, workers: &Workers) -> Result<f64> {
        let mut parts: Vec<&mut [f32]> = self.lanes.iter_mut().map(|l| &mut l.policy_gradient[..]).collect();
        finite("actor", reduce::sum_into_first(workers, &mut parts))
    }

    pub(super) fn critic_norm2(&mut self, workers: &Workers) -> Result<f64> {
        let mut parts: Vec<&mut [f32]> = self.lanes.iter_mut().map(|l| &mut l.critic_gradient[..]).collect();
        finite("critic", reduce::sum_into_first(workers, &mut parts))
    }

    fn temperature_gradient(&self, sums: &Sums, batch: usize) -> Result<f64> {
        let target = self.cfg.agent.target_entropy.unwrap_or(-(self.cfg.action_dim as f64));
        finite("temperature", temperature::gradient(sums.log_pi / batch as f64, target))
    }

    /// Adam's step now.
    fn rate(&self) -> f64 {
        halved(self.cfg.agent.learning_rate, self.halvings)
    }

    fn step_temperature(&mut self, gradient: f64) {
        let rate = self.rate();
        temperature::update(&mut self.log_temperature.values, &mut self.adams[2], rate, gradient);
    }

    fn step_policy(&mut self, workers: &Workers) {
        let rate = self.rate();
        let gradient = &self.lanes[0].policy_gradient;
        self.adams[0].step(workers, rate, &mut self.policy.values, gradient, None);
    }

    fn step_critics(&mut self, workers: &Workers) {
        let (rate, tau) = (self.rate(), self.cfg.agent.tau as f32);
        let follow = Polyak { target: &mut self.targets.values, tau };
        let gradient = &self.lanes[0].critic_gradient;
        self.adams[1].step(workers, rate, &mut self.critics.values, gradient, Some(follow));
    }
}

fn finite(which: &str, gradient: f64) -> Result<f64> {
    if gradient.is_finite() {
        return Ok(gradient);
    }
    Err(Error::NotFinite(format!("the {which}'s gradient is not finite; lower agent.learning_rate")))
}
