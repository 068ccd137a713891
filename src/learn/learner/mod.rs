//! The learner: episodes go into replay, and updates train agent and VAE on it. Each random stream is named by its purpose.

mod models;
mod refresh;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::learn::agent::{Agent, Noise, Sac, SacConfig, SacInfo};
use crate::learn::density::{self, Density};
use crate::learn::episode::Episode;
use crate::learn::goals::relabel::{RelabelMix, sample_batch};
use crate::learn::goals::{self, Batch, GoalInputs, GoalSource, Reward, source};
use crate::learn::latent::{LatentModel, Vae, VaeInfo};
use crate::learn::nn::Workers;
use crate::learn::policy::Policy;
use crate::learn::replay::{LatentVersion, Replay, Slot};
use crate::learn::rng::{self, normals};
use crate::learn::settings::LearnerConfig;
use crate::learn::skew::SkewedDistribution;
pub(crate) use refresh::Encoding;
use refresh::finite;

/// Counters and the current power: with parameters and episodes, all that the next update depends on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// SAC updates.
    pub updates: u64,
    /// VAE minibatches.
    pub vae_updates: u64,
    /// Refreshes of all latents; the version of the latents.
    pub refreshes: u64,
    /// Number of episodes at the last refresh; later ones are not in the skewed distribution.
    pub refreshed_episodes: u64,
    /// Power of the skewed distribution, after tempering; `None` while draws are uniform.
    #[serde(rename = "skew_alpha")]
    pub skew_power: Option<f64>,
    /// Halvings of both learning rates: one for each rollback to a checkpoint.
    #[serde(default)]
    pub halvings: u32,
}

/// Pictures of the next VAE update, and the noise of their latents.
#[derive(Debug, Default)]
pub(crate) struct Minibatch {
    slots: Vec<Slot>,
    /// (B, Z).
    pub noise: Vec<f32>,
}

/// Models, replay and counters.
///
/// ```
/// use skewfit::{config::Config, error::Error, learn::learner::Learner, learn::rng::stream};
///
/// # fn main() -> skewfit::error::Result<()> {
/// let mut learner = Learner::new(&Config::resolve("corridor-tiny", vec![])?.learner(), 2)?;
/// let goals = learner.goals().sample(5, &mut stream(0, "goal", &[]));
/// assert!(goals.iter().all(|goal| goal.slot.is_none())); // replay is empty: goals come from the prior
/// assert!(matches!(learner.update_agent(), Err(Error::Damaged(_))));
/// # Ok(()) }
/// ```
pub struct Learner {
    /// The latent model. Restore it with [`restore_models`](Self::restore_models), which marks replay's latents as stale.
    pub latent: Box<dyn LatentModel>,
    /// The agent.
    pub agent: Box<dyn Agent>,
    /// Committed episodes in memory.
    pub replay: Replay,
    /// The skewed distribution over replay, from which goals and the VAE's pictures are drawn.
    pub skewed: SkewedDistribution,
    /// Counters.
    pub counts: Counts,
    cfg: LearnerConfig,
    workers: Workers,
    density: Box<dyn Density>,
    reward: Box<dyn Reward>,
    /// Batch of the next SAC update.
    pub(crate) batch: Batch,
    /// Noise of the next SAC update.
    noise: Noise,
    /// Pictures and noise of the next VAE update.
    pub(crate) minibatch: Minibatch,
    /// Latent distance below which a goal is reached; `None` before the first refresh.
    goal_radius: Option<f32>,
    /// Whether the VAE has changed since replay was encoded; SAC updates are refused then.
    stale: bool,
}

impl Learner {
    /// A learner with new hand-written models, for a scene with `action_dim` actions.
    ///
    /// # Errors
    /// `Usage` if image size and channels do not fit.
    pub fn new(cfg: &LearnerConfig, action_dim: usize) -> Result<Self> {
        let workers = Workers::new(cfg.threads);
        let (size, seed) = (cfg.image_size, cfg.seed);
        let vae = Vae::new(&cfg.latent, size, &workers, &mut rng::stream(seed, "vae-init", &[]))?;
        let sac = SacConfig { latent_dim: cfg.latent.dim, action_dim, agent: cfg.agent.clone() };
        let sac = Sac::new(sac, &workers, &mut rng::stream(seed, "agent-init", &[]));
        Ok(Self::with_models(cfg, &workers, Box::new(vae), Box::new(sac)))
    }

    /// A learner with these models, which must be built from the same settings; `workers` does all other threaded work.
    #[must_use]
    pub fn with_models(
        cfg: &LearnerConfig,
        workers: &Workers,
        latent: Box<dyn LatentModel>,
        agent: Box<dyn Agent>,
    ) -> Self {
        Self {
            latent,
            agent,
            replay: Replay::new(cfg.replay.capacity, cfg.latent.dim),
            skewed: SkewedDistribution::default(),
            counts: Counts::default(),
            cfg: cfg.clone(),
            workers: workers.clone(),
            density: density::density(&cfg.density),
            reward: goals::reward(&cfg.goals.reward, &cfg.agent, 0.0),
            batch: Batch::default(),
            noise: Noise::default(),
            minibatch: Minibatch::default(),
            goal_radius: None,
            stale: false,
        }
    }

    /// The learner's threads.
    #[must_use]
    pub fn workers(&self) -> &Workers {
        &self.workers
    }

    /// The policy with the current networks.
    ///
    /// # Errors
    /// Errors of the models.
    pub fn policy(&self) -> Result<Policy<'_>> {
        Ok(Policy::new(self.latent.encoder()?, self.agent.actor()?))
    }

    /// The source of exploration and relabelling goals.
    #[must_use]
    pub fn goals(&self) -> Box<dyn GoalSource + '_> {
        (source(&self.cfg.goals.source).make)(GoalInputs { replay: &self.replay, skewed: &self.skewed })
    }

    /// Latents of an episode's frames under the current VAE, (T+1, Z).
    ///
    /// # Errors
    /// `NotFinite` if a latent is not finite; errors of the model.
    pub fn latents(&mut self, episode: &Episode) -> Result<Vec<f32>> {
        let frames: Vec<&[u8]> = (0..=episode.steps()).map(|t| episode.frame(t)).collect();
        finite(self.latent.encode(&frames)?)
    }

    /// Adds a committed episode with its [`latents`](Self::latents) to replay.
    ///
    /// # Errors
    /// `Damaged` if the episode's shapes do not fit the run.
    pub fn add(&mut self, episode: Episode, latents: Vec<f32>) -> Result<()> {
        let evicted = self.replay.push(episode, latents, LatentVersion(self.counts.refreshes))?;
        self.skewed.evict(evicted);
        Ok(())
    }

    /// One SAC update on a relabelled batch; returns its facts and the batch's mean reward.
    ///
    /// # Errors
    /// `Damaged` if replay is empty, which happens only if a run has lost its episodes; `Misuse` if the latents are stale;
    /// `NotFinite` if a gradient or a loss is not finite.
    pub fn update_agent(&mut self) -> Result<(SacInfo, f64)> {
        self.draw_batch()?;
        self.fit_agent()
    }

    /// Draws the batch and the noise of the next SAC update.
    pub(crate) fn draw_batch(&mut self) -> Result<()> {
        if self.replay.transitions() == 0 {
            let advice = "put the episodes named in run.log back, then resume";
            return Err(Error::Damaged(format!("there is no sound episode to learn from: {advice}")));
        }
        if self.stale {
            return Err(Error::Misuse("latents are those of an earlier VAE: refresh them first".into()));
        }
        let (seed, update) = (self.cfg.seed, self.counts.updates);
        let mut batch = std::mem::take(&mut self.batch);
        let mix = RelabelMix { keep: self.cfg.goals.relabel_keep, source: self.cfg.goals.relabel_source };
        let size = self.cfg.agent.batch;
        let mut draws = rng::stream(seed, "batch", &[update]);
        sample_batch(&self.replay, &*self.goals(), mix, size, &*self.reward, &mut draws, &mut batch);
        let (actions, critics) = (batch.action.len(), self.cfg.agent.critics);
        self.noise.draw(actions, critics, &mut rng::stream(seed, "agent", &[update]));
        self.batch = batch;
        Ok(())
    }

    /// The SAC update on the drawn batch.
    pub(crate) fn fit_agent(&mut self) -> Result<(SacInfo, f64)> {
        let batch = &self.batch;
        let info = self.agent.update(batch, &self.noise, self.counts.halvings);
        let reward = batch.reward.iter().map(|r| f64::from(*r)).sum::<f64>() / batch.size.max(1) as f64;
        self.counts.updates += 1;
        let info = info?;
        if reward.is_finite() && info.columns().iter().all(|(_, fact)| fact.is_finite()) {
            return Ok((info, reward));
        }
        Err(Error::NotFinite("a loss of the agent is not finite; lower agent.learning_rate".into()))
    }

    /// One VAE update, with the KL term weighted by `beta`, on pictures drawn from the skewed distribution, or uniformly if
    /// there is none.
    ///
    /// # Errors
    /// `NotFinite` if the gradient or the loss is not finite; errors of the model.
    pub fn update_vae(&mut self, beta: f64) -> Result<VaeInfo> {
        self.draw_minibatch();
        self.fit_vae(beta)
    }

    /// Draws the pictures and the noise of the next VAE update.
    pub(crate) fn draw_minibatch(&mut self) {
        let mut draws = rng::stream(self.cfg.seed, "vae", &[self.counts.vae_updates]);
        let slots: Vec<_> =
            (0..self.cfg.latent.batch).filter_map(|_| self.replay.draw(&self.skewed, &mut draws)).collect();
        let noise = normals(slots.len() * self.cfg.latent.dim, &mut draws);
        self.minibatch = Minibatch { slots, noise };
    }

    /// The VAE update on the drawn minibatch.
    pub(crate) fn fit_vae(&mut self, beta: f64) -> Result<VaeInfo> {
        let Minibatch { slots, noise } = std::mem::take(&mut self.minibatch);
        let pictures: Vec<&[u8]> = slots.iter().map(|slot| self.replay.next_frame(*slot)).collect();
        self.counts.vae_updates += 1;
        self.stale = true;
        let info = self.latent.update(&pictures, &noise, beta, self.counts.halvings)?;
        if info.columns().iter().all(|(_, fact)| fact.is_finite()) {
            return Ok(info);
        }
        Err(Error::NotFinite("the VAE's loss is not finite; lower latent.learning_rate".into()))
    }
}
