//! The policy as a control loop needs it: on the host, by the kernels, shared by threads; who acts brings the scratch.

use super::squash::squash;
use crate::learn::nn::gemm::MatrixView;
use crate::learn::nn::mlp::Activations;
use crate::learn::nn::{Mlp, Params};

/// Borrowed from the hand-written agent, or from the copy on the host that another implementation keeps.
#[derive(Clone, Copy)]
pub struct HostActor<'a> {
    /// (2Z) to (2A).
    pub shape: &'a Mlp,
    /// `policy.*`.
    pub params: &'a Params,
}

/// Buffers of one who acts.
pub type ActorScratch = Activations;

impl HostActor<'_> {
    /// Buffers to act with.
    #[must_use]
    pub fn scratch(&self) -> ActorScratch {
        self.shape.activations(1)
    }

    /// tanh(mean) for one observation concat(z, z_g): evaluation's action, (A).
    pub fn mean(&self, scratch: &mut ActorScratch, observation: &[f32]) -> Vec<f32> {
        let dim = self.shape.outputs / 2;
        self.head(scratch, observation)[..dim].iter().map(|mean| mean.tanh()).collect()
    }

    /// A draw for one observation, with standard normal `noise` (A).
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
