//! The actor for the control loop: on the host, with the hand-written kernels. Threads may share it, each with its own scratch.

use super::squash::squash;
use crate::learn::nn::gemm::MatrixView;
use crate::learn::nn::mlp::Activations;
use crate::learn::nn::{Mlp, Params};

/// The actor's network, borrowed from the hand-written agent or from another implementation's copy on the host.
#[derive(Clone, Copy)]
pub struct HostActor<'a> {
    /// (2Z) to (2A).
    pub shape: &'a Mlp,
    /// `policy.*`.
    pub params: &'a Params,
}

/// Buffers of one thread that acts.
pub type ActorScratch = Activations;

impl HostActor<'_> {
    /// Buffers for one thread.
    #[must_use]
    pub fn scratch(&self) -> ActorScratch {
        self.shape.activations(1)
    }

    /// The deterministic action tanh(mean) (A) for one observation concat(z, z_g), used in evaluation.
    pub fn mean_action(&self, scratch: &mut ActorScratch, observation: &[f32]) -> Vec<f32> {
        let dim = self.shape.outputs / 2;
        self.head(scratch, observation)[..dim].iter().map(|mean| mean.tanh()).collect()
    }

    /// An action (A) sampled for one observation with standard normal `noise` (A).
    pub fn sample(&self, scratch: &mut ActorScratch, observation: &[f32], noise: &[f32]) -> Vec<f32> {
        let dim = self.shape.outputs / 2;
        let head = self.head(scratch, observation);
        (0..dim).map(|k| squash(head[k], head[dim + k], noise[k]).action).collect()
    }

    /// Means and raw log sigmas (2A) for one observation.
    pub(super) fn head<'s>(&self, scratch: &'s mut ActorScratch, observation: &[f32]) -> &'s [f32] {
        let x = MatrixView::new(observation, 1, observation.len());
        self.shape.forward(&self.params.values, x, 1, scratch);
        &scratch.y
    }
}
