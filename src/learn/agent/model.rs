//! The trait of an agent. It takes and returns slices, never tensors, so an implementation may use any tensor library.
//!
//! [`Sac`](super::Sac) is the hand-written implementation. Another one gets the same settings, the same initial values (from
//! the state of a [`Sac`](super::Sac)) and the same noise, so it differs only by rounding.

use super::Noise;
use super::host::HostActor;
use crate::error::Result;
use crate::learn::goals::Batch;
use crate::learn::nn::ModelState;

/// Facts about one SAC update, for the log.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SacInfo {
    /// Mean squared error over the batch, summed over the critics.
    pub critic_loss: f64,
    /// Mean of temperature log pi - Q; Q is the minimum of two critics or the mean of more.
    pub actor_loss: f64,
    /// temperature before the update.
    pub temperature: f64,
    /// -mean log pi, nats.
    pub entropy: f64,
    /// Mean Q of the batch's actions, over all critics.
    pub q_mean: f64,
    /// 2-norm of the joint gradient of policy and critics.
    pub grad_norm: f64,
}

impl SacInfo {
    /// The facts with the names of their columns in `metrics.csv`.
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

/// Policy, critics, target critics, temperature, and their optimisers.
pub trait Agent: Send + Sync {
    /// One update of temperature, policy, critics and target critics, with the learning rate halved `halvings` times.
    ///
    /// # Errors
    /// `NotFinite` if a gradient is not finite: the parameters that it belongs to are then unchanged. With `critic-first`,
    /// others may have been updated before.
    fn update(&mut self, batch: &Batch, noise: &Noise, halvings: u32) -> Result<SacInfo>;

    /// Q(s, a) (R) of observations (R, 2Z) and actions (R, A): the minimum of two critics, or the mean of more. And log pi (R)
    /// of actions sampled from the current policy with standard normal `noise` (R, A).
    ///
    /// # Errors
    /// Errors of the device.
    fn q_and_log_prob(&self, observation: &[f32], action: &[f32], noise: &[f32]) -> Result<(Vec<f32>, Vec<f32>)>;

    /// The temperature after the last update; does not wait for a device.
    fn temperature(&self) -> f32;

    /// The actor for the control loop, with the current parameters. An implementation on a device keeps a copy on the host
    /// and updates it after each update.
    ///
    /// # Errors
    /// Errors of the device.
    fn actor(&self) -> Result<HostActor<'_>>;

    /// Parameters and moments: `policy.*`, `critic0.*`, ..., `target0.*`, ..., `log_temperature`, and the optimisers
    /// `policy`, `critics`, `log_temperature`.
    ///
    /// # Errors
    /// Errors of the device.
    fn state(&self) -> Result<ModelState>;

    /// The inverse of [`state`](Self::state); other tensors are ignored.
    ///
    /// # Errors
    /// `Damaged` if a tensor is missing or has another shape; some tensors may have been restored then.
    fn restore(&mut self, state: &ModelState) -> Result<()>;
}
