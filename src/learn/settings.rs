//! The settings of the learner: one struct for each table of the configuration file.

use serde::{Deserialize, Serialize};

use super::choices;

/// Everything that a [`Learner`](super::learner::Learner) is built from, except the number of actions.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerConfig {
    /// Seed of all random streams.
    pub seed: u64,
    /// 0 = all cores.
    pub threads: usize,
    /// H = W, pixels.
    pub image_size: usize,
    /// `[latent]`.
    pub latent: LatentConfig,
    /// `[density]`.
    pub density: DensityConfig,
    /// `[skew]`.
    pub skew: SkewConfig,
    /// `[goals]`.
    pub goals: GoalsConfig,
    /// `[agent]`.
    pub agent: AgentConfig,
    /// `[replay]`.
    pub replay: ReplayConfig,
}

/// One entry of the VAE schedule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaeScheduleEntry {
    /// Applies to epochs below this one; `None` = to all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_epoch: Option<u64>,
    /// The VAE is trained when `epoch % every == 0`.
    pub every: u64,
    /// Minibatches each time.
    pub updates: u64,
    /// Beta of these epochs; `None` = [`LatentConfig::beta`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
}

/// `[latent]`: the beta-VAE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentConfig {
    /// Z.
    pub dim: usize,
    /// Channels of the convolutions, first to last.
    pub channels: Vec<usize>,
    /// Weight of the KL term; the loss of an image is 1/2 |x - x'|^2 + beta KL.
    pub beta: f64,
    /// Images per minibatch.
    pub batch: usize,
    /// Adam's learning rate.
    pub learning_rate: f64,
    /// Initial values of the linear layers.
    pub init: LinearInit,
    /// Training schedule: the first entry whose `before_epoch` is above the epoch applies.
    pub phases: Vec<VaeScheduleEntry>,
}

/// Initial weights and biases of linear layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinearInit {
    /// U(+-1e-3).
    Small,
    /// U(+-1/sqrt(n)), n = the layer's inputs: a picture's difference from the others is not lost in rounding.
    FanIn,
}

impl LatentConfig {
    /// VAE minibatches at the end of epoch `epoch` (0-based); 0 = the VAE is not trained.
    #[must_use]
    pub fn updates_at(&self, epoch: u64) -> u64 {
        self.phase(epoch).map_or(0, |p| if epoch.is_multiple_of(p.every) { p.updates } else { 0 })
    }

    /// Beta of epoch `epoch` (0-based).
    #[must_use]
    pub fn beta_at(&self, epoch: u64) -> f64 {
        self.phase(epoch).and_then(|p| p.beta).unwrap_or(self.beta)
    }

    fn phase(&self, epoch: u64) -> Option<&VaeScheduleEntry> {
        self.phases.iter().find(|p| p.before_epoch.is_none_or(|before| epoch < before))
    }
}

/// `[density]`: log p of stored frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DensityConfig {
    /// Which density, one of [`density::NAMES`](super::density::NAMES).
    pub estimator: String,
    /// Latents per image, N.
    pub latents: usize,
    /// Variance of the decoder's Gaussian, in squared units of [0, 1] pixels.
    pub decoder_variance: f64,
    /// k of the nearest neighbours.
    pub neighbours: usize,
}

/// `[skew]`: Skew-Fit's weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkewConfig {
    /// The power in [-1, 0]; 0 switches skewing off (RIG).
    pub power: f64,
    /// Smallest ESS / N, in [0, 1]; where it is not reached, the power is moved towards 0 until it is.
    pub min_ess: f64,
    /// The ESS / N that the power is set for, in [0, 1]; 0 = off.
    pub target_ess: f64,
    /// The first refresh that skews is the one at the end of epoch `start_epoch` + 1.
    pub start_epoch: u64,
}

impl SkewConfig {
    /// The strongest power that `target_ess` may choose.
    pub const STRONGEST: f64 = -30.0;

    /// (power to begin with, ESS / N below which it is moved towards 0).
    #[must_use]
    pub fn power_and_floor(&self) -> (f64, f64) {
        let chosen = self.power != 0.0 && self.target_ess > 0.0;
        if chosen { (Self::STRONGEST, self.target_ess) } else { (self.power, self.min_ess) }
    }

    /// Whether the refresh at the end of epoch `epoch` (0-based) skews.
    #[must_use]
    pub fn acts_after(&self, epoch: u64) -> bool {
        self.power != 0.0 && epoch > self.start_epoch
    }
}

/// `[goals]`: goal source, relabelling, reward.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalsConfig {
    /// Source of exploration and relabelling goals, one of [`SOURCE_NAMES`](super::goals::SOURCE_NAMES).
    pub source: String,
    /// Fraction of a batch that keeps the rollout's goal.
    pub relabel_keep: f64,
    /// Fraction of a batch whose goals come from `source`; the rest gets future states of the same episode.
    pub relabel_source: f64,
    /// Store decode(z_g) as the goal's picture (as the official code does) instead of the real picture.
    #[serde(rename = "keep_goal_picture", with = "choices::decoded_or_real")]
    pub keep_decoded_picture: bool,
    /// Reward of the relabelled transitions, one of [`REWARD_NAMES`](super::goals::REWARD_NAMES).
    pub reward: String,
    /// What follows a reached goal.
    pub after_reaching: AfterReaching,
    /// Steps of wandering.
    pub wander_steps: usize,
    /// A goal is reached within this many median latent distances of one step.
    pub radius: f64,
}

/// What an explorer does when it has reached its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AfterReaching {
    /// It stays until the episode ends.
    Stay,
    /// It takes the next goal.
    Next,
    /// It wanders, then takes the next goal.
    Wander,
}

/// `[agent]`: SAC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// Units of the hidden layers, first to last.
    pub hidden: Vec<usize>,
    /// Layer normalisation in the critics.
    pub layer_norm: bool,
    /// Number of critics, at least 2.
    pub critics: usize,
    /// Transitions per batch.
    pub batch: usize,
    /// Adam's learning rate, the same for all optimisers.
    pub learning_rate: f64,
    /// gamma.
    pub discount: f64,
    /// Polyak rate of the target critics, applied at every update.
    pub tau: f64,
    /// Multiplies the reward.
    pub reward_scale: f64,
    /// Target entropy of the policy, nats; `None` = -(action dimensions).
    #[serde(with = "choices::auto_or_number")]
    pub target_entropy: Option<f64>,
    /// Whether the Bellman target has the term -temperature log pi.
    pub entropy_in_target: bool,
    /// True: all gradients are taken before any parameter moves. False: the critics are updated first (the official
    /// code's first version).
    #[serde(rename = "update_order", with = "choices::actor_or_critic_first")]
    pub actor_first: bool,
    /// Initial bias of the hidden layers.
    pub hidden_bias: f64,
    /// Whether target critics start as copies of the critics.
    pub copy_targets_at_start: bool,
}

/// `[replay]`: the replay buffer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayConfig {
    /// Largest number of stored transitions.
    pub capacity: usize,
}
