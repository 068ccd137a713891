//! The learner's models as one state, and back.

use super::Learner;
use crate::error::{Error, Result};
use crate::learn::nn::ModelState;

impl Learner {
    /// Parameters and moments of both models: the latent model's first.
    ///
    /// # Errors
    /// Those of the models.
    pub fn models(&self) -> Result<ModelState> {
        let (mut state, agent) = (self.latent.state()?, self.agent.state()?);
        state.params.extend(agent.params);
        state.optimizer.extend(agent.optimizer);
        Ok(state)
    }

    /// The inverse of [`models`](Self::models); counters are not touched. Replay's latents are those of another model then:
    /// nothing is learned from them before a refresh.
    ///
    /// # Errors
    /// `Damaged` where a tensor is missing, has another shape or is of no network here; a part may have been restored then.
    pub fn restore_models(&mut self, state: &ModelState) -> Result<()> {
        let own = self.models()?.params;
        if let Some(other) = state.params.iter().find(|tensor| own.iter().all(|t| t.name != tensor.name)) {
            let way = "put the configuration back that it was made with";
            return Err(Error::Damaged(format!(
                "tensor `{}` is of no network of this configuration: {way}",
                other.name
            )));
        }
        self.stale = true;
        self.latent.restore(state)?;
        self.agent.restore(state)
    }
}
