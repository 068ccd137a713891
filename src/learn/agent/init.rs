//! Initial weights: hidden layers U(+-1/sqrt(units)), the critics' last layers U(+-3e-3), the policy's heads U(+-1e-3).

use crate::learn::nn::mlp::Init;
use crate::learn::nn::{Mlp, Params};
use crate::learn::rng::Rng;

/// A policy from (2Z) to (2A); the biases of the means are 0, those of the log sigmas U(+-1e-3).
pub fn policy(shape: &Mlp, hidden_bias: f64, rng: &mut Rng) -> Params {
    let mut policy = shape.init("policy", Init { hidden_bias, last_weight: 1e-3 }, rng);
    let last_bias = policy.tensors.len() - 1;
    policy.uniform(last_bias, 1e-3, rng);
    policy.get_mut(last_bias)[..shape.outputs / 2].fill(0.0);
    policy
}

/// Critics from (2Z + A) to (1), called `name0`, `name1`, ..., one after the other in one memory.
pub fn critics(name: &str, count: usize, shape: &Mlp, hidden_bias: f64, rng: &mut Rng) -> Params {
    let init = Init { hidden_bias, last_weight: 3e-3 };
    Params::joined((0..count).map(|j| shape.init(&format!("{name}{j}"), init, rng)))
}
