//! What acts: (picture, goal) -> action. It borrows the networks that the host has and may be shared by threads;
//! who acts brings the scratch.

use crate::learn::agent::{ActorScratch, HostActor};
use crate::learn::latent::{EncoderScratch, HostEncoder};

/// The encoder that sees, and the actor that answers.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    encoder: HostEncoder<'a>,
    actor: HostActor<'a>,
}

/// Buffers of one who acts.
pub struct PolicyScratch {
    encoder: EncoderScratch,
    actor: ActorScratch,
}

impl<'a> Policy<'a> {
    /// Acts by these networks as they are.
    #[must_use]
    pub fn new(encoder: HostEncoder<'a>, actor: HostActor<'a>) -> Self {
        Self { encoder, actor }
    }

    /// Buffers for one who acts.
    #[must_use]
    pub fn scratch(&self) -> PolicyScratch {
        PolicyScratch { encoder: self.encoder.scratch(), actor: self.actor.scratch() }
    }

    /// Posterior mean (Z) of a picture (H, W, 3).
    pub fn encode(&self, scratch: &mut PolicyScratch, picture: &[u8]) -> Vec<f32> {
        self.encoder.encode(&mut scratch.encoder, picture)
    }

    /// tanh(mean) for an observation concat(z, z_g): evaluation's action, (A).
    pub fn mean(&self, scratch: &mut PolicyScratch, observation: &[f32]) -> Vec<f32> {
        self.actor.mean(&mut scratch.actor, observation)
    }

    /// A draw for an observation concat(z, z_g), with standard normal `noise` (A).
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
