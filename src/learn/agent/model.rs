//! What an agent must do. Slices cross this line, tensors never do, so that it may be written on a tensor library.
//!
//! [`Sac`](super::Sac) is the hand-written one. Another has the same settings, the same initial values (its own are taken
//! from a [`Sac`](super::Sac)'s state) and the same noise, so that it differs by rounding alone.

use super::Noise;
use super::host::HostActor;
use crate::error::Result;
use crate::learn::goals::Batch;
use crate::learn::nn::ModelState;

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

/// Policy, critics, their targets, temperature, and their optimisers.
pub trait Agent: Send + Sync {
    /// One update of temperature, policy, critics and targets, at the learning rate after so many `halvings`.
    ///
    /// # Errors
    /// `NotFinite` if a gradient is not finite; the parameters it belongs to are unchanged then.
    fn update(&mut self, batch: &Batch, noise: &Noise, halvings: u32) -> Result<SacInfo>;

    /// Q(s, a) as the actor climbs it (R): of two critics the smaller, of more the mean; and log pi (R) of a draw of the
    /// present policy with standard normal `noise` (R, A), for observations (R, 2Z) and actions (R, A).
    ///
    /// # Errors
    /// What the device reports.
    fn q_and_log_prob(&self, observation: &[f32], action: &[f32], noise: &[f32]) -> Result<(Vec<f32>, Vec<f32>)>;

    /// alpha, after the last update: no wait for a device.
    fn temperature(&self) -> f32;

    /// What acts in the control loop, with the parameters as they are. An implementation elsewhere keeps a copy on
    /// the host, which it brings up to date after an update.
    ///
    /// # Errors
    /// What the device reports.
    fn actor(&self) -> Result<HostActor<'_>>;

    /// Parameters and moments: `policy.*`, `critic0.*`, ..., `target0.*`, ..., `log_temperature`, and the optimisers
    /// `policy`, `critics`, `log_temperature`.
    ///
    /// # Errors
    /// What the device reports.
    fn state(&self) -> Result<ModelState>;

    /// The inverse of [`state`](Self::state); other tensors are ignored.
    ///
    /// # Errors
    /// `Damaged` where a tensor is missing or has another shape; a part may have been restored then.
    fn restore(&mut self, state: &ModelState) -> Result<()>;
}
