//! The learner's models as one [`ModelState`]: saved and restored.

use super::Learner;
use crate::error::{Error, Result};
use crate::learn::nn::ModelState;

impl Learner {
    /// Parameters and moments of both models, the latent model first.
    ///
    /// # Errors
    /// Errors of the models.
    pub fn models(&self) -> Result<ModelState> {
        let (mut state, agent) = (self.latent.state()?, self.agent.state()?);
        state.params.extend(agent.params);
        state.optimizer.extend(agent.optimizer);
        Ok(state)
    }

    /// The inverse of [`models`](Self::models); counters do not change. Replay's latents are stale afterwards: SAC updates
    /// are refused until the next refresh.
    ///
    /// # Errors
    /// `Damaged` if a tensor is missing, has another shape or belongs to no network of this learner; some tensors may have
    /// been restored then.
    pub fn restore_models(&mut self, state: &ModelState) -> Result<()> {
        let own = self.models()?.params;
        if let Some(other) = state.params.iter().find(|tensor| own.iter().all(|t| t.name != tensor.name)) {
            let advice = "restore the configuration that the checkpoint was made with";
            return Err(Error::Damaged(format!(
                "tensor `{}` belongs to no network of this configuration: {advice}",
                other.name
            )));
        }
        self.stale = true;
        self.latent.restore(state)?;
        self.agent.restore(state)
    }
}
