//! Oracles of the agent, and their common helpers.

mod gradients;
mod shapes;
mod updates;

use candle_core::DType;
use rand::Rng as _;
use rand_distr::{Distribution, StandardNormal};

use super::reference::{Data, SacReference};
use super::{Agent, Noise, Sac, SacConfig};
use crate::config::Config;
use crate::learn::goals::Batch;
use crate::learn::nn::{Params, Workers};
use crate::learn::rng::{Rng, stream};
use crate::learn::settings::AgentConfig;

const Z: usize = 3;
const ACTIONS: usize = 2;

fn config(hidden: &[usize]) -> AgentConfig {
    let door = Config::parse("name = \"oracle\"", "oracle.toml", vec![]).unwrap().agent;
    AgentConfig { hidden: hidden.to_vec(), tau: 0.05, learning_rate: 3e-3, discount: 0.9, ..door }
}

/// Five critics with layer norm.
fn five(hidden: &[usize]) -> AgentConfig {
    AgentConfig { critics: 5, layer_norm: true, ..config(hidden) }
}

fn fresh(agent: &AgentConfig, threads: usize) -> Sac {
    let cfg = SacConfig { latent_dim: Z, action_dim: ACTIONS, agent: agent.clone() };
    Sac::new(cfg, &Workers::new(threads), &mut stream(1, "oracle-sac", &[]))
}

/// A new agent; with `wide`, its weights are He-uniform, temperature = .3, and log sigma is around both ends of its clamp.
fn sac(agent: &AgentConfig, threads: usize, wide: bool) -> Sac {
    let mut sac = fresh(agent, threads);
    if wide {
        let mut rng = stream(2, "oracle-sac", &[]);
        for params in [&mut sac.policy, &mut sac.critics, &mut sac.targets] {
            widen(params, &mut rng);
        }
        let heads = sac.policy.tensors.len() - 1;
        sac.policy.get_mut(heads).copy_from_slice(&[0.1, -0.2, -20.0, 2.0]);
        sac.log_temperature.values[0] = 0.3f32.ln();
    }
    sac
}

fn widen(params: &mut Params, rng: &mut Rng) {
    for i in 0..params.tensors.len() {
        let bound = match params.tensors[i].shape[..] {
            [inputs, _] => (6.0 / inputs as f64).sqrt(),
            _ => 0.1,
        };
        params.uniform(i, bound, rng);
        if params.tensors[i].name.ends_with("gain") {
            params.get_mut(i).iter_mut().for_each(|gain| *gain += 1.0);
        }
    }
}

/// Random transitions for two critics; every fifth one is terminal.
fn data(n: usize, seed: u64) -> (Batch, Noise) {
    data_for(2, n, seed)
}

fn data_for(critics: usize, n: usize, seed: u64) -> (Batch, Noise) {
    let mut rng = stream(seed, "oracle-batch", &[n as u64]);
    let mut batch = Batch::default();
    batch.resize(n, Z, ACTIONS);
    for values in [&mut batch.observation, &mut batch.next_observation] {
        values.fill_with(|| StandardNormal.sample(&mut rng));
    }
    batch.action.fill_with(|| rng.random_range(-1.0..1.0));
    batch.reward.fill_with(|| rng.random_range(-3.0..0.0));
    batch.mask.iter_mut().enumerate().for_each(|(i, mask)| *mask = if i % 5 == 2 { 0.0 } else { 1.0 });
    let mut noise = Noise::default();
    noise.draw(n * ACTIONS, critics, &mut rng);
    (batch, noise)
}

fn reference(sac: &Sac, agent: &AgentConfig) -> SacReference {
    SacReference::new(sac, agent, ACTIONS, DType::F64).unwrap()
}

/// Every combination of update order and entropy in the target.
fn variants(agent: &AgentConfig) -> Vec<AgentConfig> {
    let mut all = Vec::new();
    for actor_first in [true, false] {
        for entropy_in_target in [true, false] {
            all.push(AgentConfig { actor_first, entropy_in_target, ..agent.clone() });
        }
    }
    all
}
