//! The agent in candle.

use candle_core::{DType, Tensor};

use super::Network;
use crate::error::Result;
use crate::learn::agent::reference::{Data, SacReference, scalar};
use crate::learn::agent::{Agent, HostActor, Noise, Sac, SacInfo};
use crate::learn::goals::Batch;
use crate::learn::nn::adam::halved;
use crate::learn::nn::{Mlp, ModelState};
use crate::learn::settings::AgentConfig;

pub struct CandleSac {
    reference: SacReference,
    policy: Network,
    critics: Network,
    targets: Network,
    log_temperature: Network,
    shape: Mlp,
    cfg: AgentConfig,
    actions: usize,
}

/// A loss's gradients and their squared 2-norm.
type Gradients = (Vec<Tensor>, f64);

impl CandleSac {
    /// An agent with the parameters of `sac`, which has these settings.
    pub fn new(sac: &Sac, cfg: &AgentConfig, actions: usize) -> Result<Self> {
        let r = SacReference::new(sac, cfg, actions, DType::F32)?;
        Ok(Self {
            policy: Network::new(&r.policy, &sac.policy, Some("policy"))?,
            critics: Network::new(&r.critics, &sac.critics, Some("critics"))?,
            targets: Network::new(&r.targets, &sac.targets, None)?,
            log_temperature: Network::new(
                std::slice::from_ref(&r.log_temperature),
                &sac.log_temperature,
                Some("log_temperature"),
            )?,
            reference: r,
            shape: sac.actor()?.shape.clone(),
            cfg: cfg.clone(),
            actions,
        })
    }

    /// The actor's gradients, its loss, mean log pi.
    fn actor_gradients(&self, data: &Data, temperature: f64) -> Result<(Gradients, f64, f64)> {
        let (loss, log_pi) = self.reference.actor_loss(data, temperature)?;
        Ok((self.policy.gradients(&loss)?, scalar(&loss)?, log_pi))
    }

    fn critic_gradients(&self, data: &Data, temperature: f64) -> Result<(Gradients, f64)> {
        let loss = self.reference.critic_loss(data, temperature)?;
        Ok((self.critics.gradients(&loss)?, scalar(&loss)?))
    }

    /// One step on L = -log T (mean log pi + H).
    fn step_temperature(&mut self, rate: f64, log_pi: f64) -> Result<()> {
        let entropy = self.cfg.target_entropy.unwrap_or(-(self.actions as f64));
        let loss = (self.reference.log_temperature.as_tensor() * -(log_pi + entropy))?;
        let (slope, _) = self.log_temperature.gradients(&loss)?;
        self.log_temperature.step(&slope, rate)
    }

    fn step_critics(&mut self, rate: f64, gradients: &[Tensor]) -> Result<()> {
        self.critics.step(gradients, rate)?;
        for (target, source) in self.reference.targets.iter().zip(&self.reference.critics) {
            target.set(&(target.as_tensor() + ((source.as_tensor() - target.as_tensor())? * self.cfg.tau)?)?)?;
        }
        self.targets.download()
    }
}

impl Agent for CandleSac {
    fn update(&mut self, batch: &Batch, noise: &Noise, halvings: u32) -> Result<SacInfo> {
        let (data, rate) = (Data::new(batch, noise, DType::F32)?, halved(self.cfg.learning_rate, halvings));
        let start = self.reference.temperature()?;
        let q_mean = self.reference.q_mean(&data)?;
        let (mut actor, mut actor_loss, mut log_pi) = self.actor_gradients(&data, start)?;
        let (critic, critic_loss) = if self.cfg.actor_first {
            let critic = self.critic_gradients(&data, start)?;
            self.step_temperature(rate, log_pi)?;
            self.policy.step(&actor.0, rate)?;
            self.step_critics(rate, &critic.0.0)?;
            critic
        } else {
            self.step_temperature(rate, log_pi)?;
            let critic = self.critic_gradients(&data, self.reference.temperature()?)?;
            self.step_critics(rate, &critic.0.0)?;
            (actor, actor_loss, log_pi) = self.actor_gradients(&data, self.reference.temperature()?)?;
            self.policy.step(&actor.0, rate)?;
            critic
        };
        let grad_norm = (actor.1 + critic.1).sqrt();
        Ok(SacInfo { critic_loss, actor_loss, temperature: start, entropy: -log_pi, q_mean, grad_norm })
    }

    fn q_and_log_prob(&self, observation: &[f32], action: &[f32], noise: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let size = action.len() / self.actions;
        let batch = Batch { size, observation: observation.to_vec(), action: action.to_vec(), ..Batch::default() };
        let data = Data::new(&batch, &Noise { current: noise.to_vec(), ..Noise::default() }, DType::F32)?;
        let [q, log_pi] = self.reference.q_and_log_prob(&data)?.map(|x| x.flatten_all()?.to_vec1());
        Ok((q?, log_pi?))
    }

    fn temperature(&self) -> f32 {
        self.log_temperature.host.values[0].exp()
    }

    fn actor(&self) -> Result<HostActor<'_>> {
        Ok(HostActor { shape: &self.shape, params: &self.policy.host })
    }

    fn state(&self) -> Result<ModelState> {
        let mut state = ModelState::default();
        let networks = [&self.policy, &self.critics, &self.targets, &self.log_temperature];
        networks.into_iter().try_for_each(|network| network.push(&mut state))?;
        Ok(state)
    }

    fn restore(&mut self, state: &ModelState) -> Result<()> {
        let networks = [&mut self.policy, &mut self.critics, &mut self.targets, &mut self.log_temperature];
        networks.into_iter().try_for_each(|network| network.read(state))
    }
}
