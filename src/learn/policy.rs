//! The policy in the control loop: (picture, goal) -> action. It borrows encoder and actor on the host; threads may share
//! it, each with its own [`PolicyScratch`].

use crate::learn::agent::{ActorScratch, HostActor};
use crate::learn::latent::{EncoderScratch, HostEncoder};

/// An encoder and an actor.
///
/// ```
/// use skewfit::{config::Config, learn::learner::Learner};
///
/// # fn main() -> skewfit::error::Result<()> {
/// let learner = Learner::new(&Config::resolve("corridor-tiny", vec![])?.learner(), 2)?;
/// let policy = learner.policy()?;
/// let mut scratch = policy.scratch();
/// let z = policy.encode(&mut scratch, &[128; 24 * 24 * 3]);
/// let action = policy.mean_action(&mut scratch, &[z.clone(), z].concat()); // the goal is the picture itself
/// assert!(action.len() == 2 && action.iter().all(|a| a.abs() < 1.0));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    encoder: HostEncoder<'a>,
    actor: HostActor<'a>,
}

/// Buffers of one thread that acts.
pub struct PolicyScratch {
    encoder: EncoderScratch,
    actor: ActorScratch,
}

impl<'a> Policy<'a> {
    /// A policy that uses these networks.
    #[must_use]
    pub fn new(encoder: HostEncoder<'a>, actor: HostActor<'a>) -> Self {
        Self { encoder, actor }
    }

    /// Buffers for one thread.
    #[must_use]
    pub fn scratch(&self) -> PolicyScratch {
        PolicyScratch { encoder: self.encoder.scratch(), actor: self.actor.scratch() }
    }

    /// Posterior mean (Z) of a picture (H, W, 3).
    pub fn encode(&self, scratch: &mut PolicyScratch, picture: &[u8]) -> Vec<f32> {
        self.encoder.encode(&mut scratch.encoder, picture)
    }

    /// The deterministic action tanh(mean) (A) for an observation concat(z, z_g), used in evaluation.
    pub fn mean_action(&self, scratch: &mut PolicyScratch, observation: &[f32]) -> Vec<f32> {
        self.actor.mean_action(&mut scratch.actor, observation)
    }

    /// An action (A) sampled for an observation concat(z, z_g) with standard normal `noise` (A).
    pub fn sample(&self, scratch: &mut PolicyScratch, observation: &[f32], noise: &[f32]) -> Vec<f32> {
        self.actor.sample(&mut scratch.actor, observation, noise)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_shared_by_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Policy<'static>>();
        shared::<crate::learn::learner::Learner>();
    }
}
