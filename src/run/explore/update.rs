//! Learning from replay: SAC updates, and the VAE phase with the refresh of latents and weights.

use std::time::Instant;

use super::Run;
use super::epoch_sums::{REFRESH_S, SAC_S, VAE_S};
use super::state::RunState;
use crate::error::{Error, Result};
use crate::keep::faults::FaultSite;
use crate::learn::nn::ModelState;
use crate::learn::skew::SkewInfo;

/// Updates between two progress reports, which also poll for requests.
const STRIDE: u64 = 16;

/// A copy of models and counters, in memory.
struct Savepoint {
    models: ModelState,
    state: RunState,
}

impl Run<'_> {
    /// One SAC update.
    pub(super) fn update_agent(&mut self) -> Result<()> {
        if self.learner.counts.updates.is_multiple_of(STRIDE) {
            self.tick("updating the agent");
        }
        let began = Instant::now();
        self.learner.draw_batch()?;
        self.inject_nan(FaultSite::Update, self.learner.counts.updates)?;
        let outcome = self.learner.fit_agent();
        let outcome = outcome.map(|(info, reward)| {
            info.columns().into_iter().for_each(|(column, fact)| self.state.sums.add_to_mean(column, fact));
            self.state.sums.add_to_mean("reward/mean", reward);
        });
        self.state.sums.add(SAC_S, began.elapsed().as_secs_f64());
        self.skip_non_finite(outcome)
    }

    /// Runs the VAE phase and its refresh, if one is due. Skewing starts one epoch after `start_epoch`. Returns false if
    /// a stop is requested meanwhile; the phase is then undone.
    pub(super) fn refit(&mut self, epoch: u64) -> Result<bool> {
        let updates = self.cfg.latent.updates_at(epoch);
        if updates == 0 || self.learner.replay.transitions() == 0 {
            return Ok(true);
        }
        let beta = self.cfg.latent.beta_at(epoch);
        let (began, before) = (Instant::now(), self.savepoint()?);
        for k in 0..updates {
            if k.is_multiple_of(STRIDE) {
                self.tick("fitting the VAE");
                if self.should_stop()? {
                    return self.restore_savepoint(before).map(|()| false);
                }
            }
            self.update_vae(beta)?;
        }
        self.state.sums.add(VAE_S, began.elapsed().as_secs_f64());
        let began = Instant::now();
        self.refresh(self.cfg.skew.acts_after(epoch))?;
        self.state.sums.add(REFRESH_S, began.elapsed().as_secs_f64());
        Ok(true)
    }

    /// One VAE update with this beta.
    fn update_vae(&mut self, beta: f64) -> Result<()> {
        self.learner.draw_minibatch();
        self.inject_nan(FaultSite::Vae, self.learner.counts.vae_updates)?;
        let outcome = self.learner.fit_vae(beta).map(|info| {
            info.columns().into_iter().for_each(|(column, fact)| self.state.sums.add_to_mean(column, fact));
            self.state.sums.set("vae/active_dims", info.active_dims as f64);
        });
        self.skip_non_finite(outcome)
    }

    /// Recomputes the latents of all stored frames and, with `skew`, densities and weights.
    fn refresh(&mut self, skew: bool) -> Result<()> {
        let refresh = self.learner.counts.refreshes + 1;
        self.inject_nan(FaultSite::Refresh, refresh)?;
        let pulse = &mut self.host.pulse;
        let encoding = self.learner.encode(skew, &mut || pulse.beat());
        let adopted = encoding.and_then(|mut encoding| {
            self.host.inject_nan_density(refresh, &mut encoding);
            self.learner.finish_refresh(encoding, skew)
        });
        match adopted {
            Err(Error::NotFinite(why)) => self.roll_back(&why)?,
            info => self.record_skew(info?),
        }
        let densities = self.task.densities(&self.learner.skewed);
        densities.into_iter().for_each(|(column, fact)| self.state.sums.set(column, fact));
        if let Some(weights) = self.learner.skewed.weights() {
            let means = self.task.mean_states(weights);
            means.iter().for_each(|(column, mean)| self.state.sums.set(column, *mean));
        }
        Ok(())
    }

    fn record_skew(&mut self, info: Option<SkewInfo>) {
        let columns = info.map(|info| info.columns());
        columns.into_iter().flatten().for_each(|(column, fact)| self.state.sums.set(column, fact));
    }

    fn savepoint(&self) -> Result<Savepoint> {
        let state = RunState { counts: self.learner.counts.clone(), ..self.state.clone() };
        Ok(Savepoint { models: self.learner.models()?, state })
    }

    /// Restores a savepoint. Replay then holds latents of another VAE, and the learner refuses to learn from them.
    fn restore_savepoint(&mut self, Savepoint { models, state }: Savepoint) -> Result<()> {
        self.learner.restore_models(&models)?;
        self.learner.counts = state.counts.clone();
        self.state = state;
        Ok(())
    }
}
