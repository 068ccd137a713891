//! The agent in candle, in f64 for comparisons: losses by definition, candle's gradients, candle's Adam.
//!
//! log pi(a|s) = log N(u; mu, sigma^2) - log(1 - tanh^2 u);  ReLU and the clamp of log sigma are products with masks.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

use super::{Noise, Sac};
use crate::learn::goals::Batch;
use crate::learn::nn::tests::reference::{Margin, perceptron, vars};
use crate::learn::settings::AgentConfig;

/// Parameters in the order and layout of [`Params`](crate::learn::nn::Params), critics one after the other.
pub struct SacReference {
    pub policy: Vec<Var>,
    pub critics: Vec<Var>,
    pub targets: Vec<Var>,
    pub log_temperature: Var,
    optimisers: [AdamW; 3],
    dtype: DType,
    cfg: AgentConfig,
    actions: usize,
    /// Smallest distance of an argument from its kink (of ReLU, clamp, minimum of two critics).
    pub margin: Margin,
}

/// A batch and its noise, (B, .) each, and the pair of target critics.
pub struct Data {
    observation: Tensor,
    next_observation: Tensor,
    action: Tensor,
    reward: Tensor,
    mask: Tensor,
    noise: Tensor,
    next_noise: Tensor,
    pair: [usize; 2],
}

impl Data {
    pub fn new(batch: &Batch, noise: &Noise, dtype: DType) -> Result<Self> {
        let table = |values: &[f32]| {
            Tensor::from_slice(values, (batch.size, values.len() / batch.size), &Device::Cpu)?.to_dtype(dtype)
        };
        Ok(Self {
            observation: table(&batch.observation)?,
            next_observation: table(&batch.next_observation)?,
            action: table(&batch.action)?,
            reward: table(&batch.reward)?,
            mask: table(&batch.mask)?,
            noise: table(&noise.current)?,
            next_noise: table(&noise.next)?,
            pair: noise.pair,
        })
    }
}

impl SacReference {
    pub fn new(sac: &Sac, cfg: &AgentConfig, actions: usize, dtype: DType) -> Result<Self> {
        let [policy, critics, targets] = [&sac.policy, &sac.critics, &sac.targets].map(|p| vars(p, dtype));
        let (policy, critics, targets) = (policy?, critics?, targets?);
        let log_temperature = vars(&sac.log_temperature, dtype)?.remove(0);
        let adam = |vars: &[Var]| {
            let params = ParamsAdamW { lr: cfg.learning_rate, weight_decay: 0.0, ..ParamsAdamW::default() };
            AdamW::new(vars.to_vec(), params)
        };
        let optimisers = [adam(&policy)?, adam(&critics)?, adam(std::slice::from_ref(&log_temperature))?];
        let margin = Margin::new(f64::INFINITY);
        Ok(Self { policy, critics, targets, log_temperature, optimisers, dtype, cfg: cfg.clone(), actions, margin })
    }

    pub fn temperature(&self) -> Result<f64> {
        scalar(&self.log_temperature.exp()?)
    }

    /// a ~ pi(.|s), (B, A).
    pub fn actions(&self, data: &Data) -> Result<Tensor> {
        Ok(self.draw(&data.observation, &data.noise)?.0)
    }

    /// (loss, mean log pi), with loss = mean [ temperature log pi(a|s) - Q(s, a) ];  Q is the minimum of two critics or the mean of more.
    pub fn actor_loss(&self, data: &Data, temperature: f64) -> Result<(Tensor, f64)> {
        let (action, log_pi) = self.draw(&data.observation, &data.noise)?;
        let loss = ((&log_pi * temperature)? - self.actor_q(&data.observation, &action)?)?.mean_all()?;
        Ok((loss, scalar(&log_pi.mean_all()?)?))
    }

    /// The actor's Q(s, a) of the batch's actions, and log pi of sampled actions, (B, 1) each.
    pub fn q_and_log_prob(&self, data: &Data) -> Result<[Tensor; 2]> {
        Ok([self.actor_q(&data.observation, &data.action)?, self.draw(&data.observation, &data.noise)?.1])
    }

    fn actor_q(&self, observation: &Tensor, action: &Tensor) -> Result<Tensor> {
        if self.cfg.critics == 2 {
            return self.smaller(&self.critics, [0, 1], observation, action);
        }
        let all = self.each(&self.critics).map(|critic| self.q(critic, observation, action));
        Tensor::cat(&all.collect::<Result<Vec<_>>>()?, 1)?.mean_keepdim(1)
    }

    /// sum_j mean [ (Q_j(s, a) - y)^2 ],  y = r + gamma mask (min Qbar_j(s', a') - temperature log pi(a'|s')), a constant;
    /// the minimum is over the pair.
    pub fn critic_loss(&self, data: &Data, temperature: f64) -> Result<Tensor> {
        let (action, log_pi) = self.draw(&data.next_observation, &data.next_noise)?;
        let mut value = self.smaller(&self.targets, data.pair, &data.next_observation, &action)?;
        if self.cfg.entropy_in_target {
            value = (value - (log_pi * temperature)?)?;
        }
        let y = (&data.reward + ((value * &data.mask)? * self.cfg.discount)?)?.detach();
        let error = |critic: &[Var]| (self.q(critic, &data.observation, &data.action)? - &y)?.sqr()?.mean_all();
        self.each(&self.critics).map(error).reduce(|sum, e| sum? + e?).expect("a critic")
    }

    /// Mean Q(s, a) of the batch's actions, over all critics.
    pub fn q_mean(&self, data: &Data) -> Result<f64> {
        let of = |critic: &[Var]| scalar(&self.q(critic, &data.observation, &data.action)?.mean_all()?);
        Ok(self.each(&self.critics).map(of).sum::<Result<f64>>()? / self.cfg.critics as f64)
    }

    /// One update; returns both losses.
    pub fn update(&mut self, data: &Data) -> Result<(f64, f64)> {
        let temperature = self.temperature()?;
        let (mut actor, log_pi) = self.actor_loss(data, temperature)?;
        let critic = if self.cfg.actor_first {
            let critic = self.critic_loss(data, temperature)?;
            let (actor_gradients, critic_gradients) = (actor.backward()?, critic.backward()?);
            self.step_temperature(log_pi)?;
            self.optimisers[0].step(&actor_gradients)?;
            self.optimisers[1].step(&critic_gradients)?;
            critic
        } else {
            self.step_temperature(log_pi)?;
            let critic = self.critic_loss(data, self.temperature()?)?;
            self.optimisers[1].backward_step(&critic)?;
            actor = self.actor_loss(data, self.temperature()?)?.0;
            self.optimisers[0].backward_step(&actor)?;
            critic
        };
        for (target, source) in self.targets.iter().zip(&self.critics) {
            let tau = self.cfg.tau;
            target.set(&((target.as_tensor() * (1.0 - tau))? + (source.as_tensor() * tau)?)?)?;
        }
        Ok((scalar(&actor)?, scalar(&critic)?))
    }

    /// One step on L = -log T (mean log pi + H).
    fn step_temperature(&mut self, log_pi: f64) -> Result<()> {
        let entropy = self.cfg.target_entropy.unwrap_or(-(self.actions as f64));
        let loss = (self.log_temperature.as_tensor() * -(log_pi + entropy))?;
        self.optimisers[2].backward_step(&loss)
    }

    /// a (B, A) and log pi (B, 1).
    fn draw(&self, observation: &Tensor, noise: &Tensor) -> Result<(Tensor, Tensor)> {
        let head = self.mlp(&self.policy, observation, false)?;
        let (mean, raw) = (head.narrow(1, 0, self.actions)?, head.narrow(1, self.actions, self.actions)?);
        self.note(&raw.affine(1.0, 20.0)?)?;
        self.note(&raw.affine(1.0, -2.0)?)?;
        let mask = |condition: Tensor| condition.to_dtype(self.dtype).map(|m| m.detach());
        let (below, above) = (mask(raw.lt(-20.0)?)?, mask(raw.gt(2.0)?)?);
        let inside = (1.0 - (&below + &above)?)?;
        let log_std = ((raw * inside)? + ((below * -20.0)? + (above * 2.0)?)?)?;
        let u = (&mean + (log_std.exp()? * noise)?)?;
        let normal = ((noise.sqr()? * -0.5)? - log_std)?; // (u - mu) / sigma = eps
        // log(1 - tanh^2 u) = 2 log 2 - 2|u| - 2 log(1 + e^(-2|u|))
        let size = u.abs()?;
        let tail = ((&size * -2.0)?.exp()? + 1.0)?.log()?;
        let squash = ((size + tail)? * -2.0)?.affine(1.0, 2.0 * std::f64::consts::LN_2)?;
        let half_log_2pi = 0.5 * (2.0 * std::f64::consts::PI).ln();
        Ok((u.tanh()?, (normal - squash)?.affine(1.0, -half_log_2pi)?.sum_keepdim(1)?))
    }

    /// min_j Q_j over the pair, (B, 1).
    fn smaller(&self, critics: &[Var], pair: [usize; 2], observation: &Tensor, action: &Tensor) -> Result<Tensor> {
        let all: Vec<_> = self.each(critics).collect();
        let [first, second] = pair.map(|j| self.q(all[j], observation, action));
        let (first, second) = (first?, second?);
        self.note(&(&first - &second)?)?;
        first.minimum(&second)
    }

    /// The parameters of each critic.
    fn each<'v>(&self, critics: &'v [Var]) -> std::slice::Chunks<'v, Var> {
        critics.chunks(critics.len() / self.cfg.critics)
    }

    fn q(&self, critic: &[Var], observation: &Tensor, action: &Tensor) -> Result<Tensor> {
        self.mlp(critic, &Tensor::cat(&[observation, action], 1)?, self.cfg.layer_norm)
    }

    fn mlp(&self, vars: &[Var], x: &Tensor, norm: bool) -> Result<Tensor> {
        let tensors: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
        perceptron(&tensors, x, norm, &|x| self.note(x))
    }

    fn note(&self, distance: &Tensor) -> Result<()> {
        if self.dtype != DType::F64 {
            return Ok(()); // the margin is used in f64 only
        }
        let distances = distance.abs()?.flatten_all()?.to_vec1::<f64>()?;
        self.margin.set(distances.into_iter().fold(self.margin.get(), f64::min));
        Ok(())
    }
}

/// A scalar tensor as a number.
pub fn scalar(x: &Tensor) -> Result<f64> {
    x.to_dtype(DType::F64)?.to_scalar()
}
