//! Injects NaN into the batch, the noise, the densities or a parameter, as the fault plan says.

use super::Run;
use super::host::Host;
use crate::error::{Error, Result};
use crate::keep::faults::{FaultSite, NanTarget};
use crate::learn::learner::{Encoding, Learner};
use crate::learn::nn::ModelState;

impl Run<'_> {
    /// Injects the NaN faults scheduled for the `n`-th `place`. A density's fault is injected later, by
    /// [`Host::inject_nan_density`].
    pub(super) fn inject_nan(&mut self, place: FaultSite, n: u64) -> Result<()> {
        self.host.faults.nan_targets(place, n).try_for_each(|part| inject_nan(&mut self.learner, part))
    }
}

impl Host<'_> {
    /// Injects the NaN scheduled for the densities of the `n`-th refresh.
    pub(super) fn inject_nan_density(&self, n: u64, encoding: &mut Encoding) {
        if self.faults.nan_targets(FaultSite::Refresh, n).any(|part| part == NanTarget::Density) {
            encoding.log_density.iter_mut().flatten().take(1).for_each(|log_p| *log_p = f64::NAN);
        }
    }
}

/// Sets one value of `part` to NaN; of the noise, all values.
fn inject_nan(learner: &mut Learner, part: NanTarget) -> Result<()> {
    let nan = |values: &mut [f32]| values.iter_mut().take(1).for_each(|v| *v = f32::NAN);
    match part {
        NanTarget::Reward => nan(&mut learner.batch.reward),
        NanTarget::Latent => nan(&mut learner.batch.observation),
        NanTarget::Action => nan(&mut learner.batch.action),
        NanTarget::Noise => learner.minibatch.noise.fill(f32::NAN),
        NanTarget::Density => {}
        NanTarget::Policy => learner.agent.restore(&with_nan(learner.agent.state()?, "policy.")?)?,
        NanTarget::Critic => learner.agent.restore(&with_nan(learner.agent.state()?, "critic0.")?)?,
        NanTarget::Encoder => learner.restore_models(&with_nan(learner.models()?, "encoder.")?)?,
    }
    Ok(())
}

/// Sets the first value of the network `prefix` to NaN.
fn with_nan(mut models: ModelState, prefix: &str) -> Result<ModelState> {
    let first = models.params.iter_mut().find(|tensor| tensor.name.starts_with(prefix));
    let value = first.and_then(|tensor| tensor.data.first_mut());
    *value.ok_or_else(|| Error::Misuse(format!("no network `{prefix}` to inject NaN into")))? = f32::NAN;
    Ok(models)
}
