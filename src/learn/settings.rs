//! The settings of what learns: one struct a table of the configuration file.

use serde::{Deserialize, Serialize};

use super::choices;

/// Everything that a [`Learner`](super::learner::Learner) is made from, besides the number of actions.
#[derive(Clone, Debug, PartialEq)]
pub struct LearnerConfig {
    /// Seed of every stream.
    pub seed: u64,
    /// 0 = all cores.
    pub threads: usize,
    /// Pixels, square.
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
pub struct VaePhase {
    /// It holds for epochs below this; `None` = for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_epoch: Option<u64>,
    /// A phase runs when `epoch % every == 0`.
    pub every: u64,
    /// Minibatches a phase.
    pub updates: u64,
}

/// `[latent]`: the beta-VAE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatentConfig {
    /// Z.
    pub dim: usize,
    /// Channels of the convolutions, first to last.
    pub channels: Vec<usize>,
    /// Per image: 1/2 |x - x'|^2 + beta KL.
    pub beta: f64,
    /// Images a minibatch.
    pub batch: usize,
    /// Adam's step.
    pub learning_rate: f64,
    /// First entry whose `before_epoch` is above the epoch holds.
    pub phases: Vec<VaePhase>,
}

impl LatentConfig {
    /// VAE minibatches at the end of epoch `epoch` (0-based); 0 = no phase.
    #[must_use]
    pub fn updates_at(&self, epoch: u64) -> u64 {
        let phase = self.phases.iter().find(|p| p.before_epoch.is_none_or(|before| epoch < before));
        phase.map_or(0, |p| if epoch.is_multiple_of(p.every) { p.updates } else { 0 })
    }
}

/// `[density]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DensityConfig {
    /// Which density, one of [`density::NAMES`](super::density::NAMES).
    pub estimator: String,
    /// Latents an image, N.
    pub latents: usize,
    /// Variance of the decoder's Gaussian, in squared units of [0, 1] pixels.
    pub decoder_variance: f64,
}

/// `[skew]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkewConfig {
    /// alpha in [-1, 0]; 0 switches skewing off (RIG).
    pub power: f64,
    /// Fraction of N in [0, 1]; > 0 tempers the power until ESS / N reaches it.
    pub min_ess: f64,
    /// Skewing acts from the refresh after this epoch + 1 on.
    pub start_epoch: u64,
}

impl SkewConfig {
    /// Whether the refresh at the end of epoch `epoch` (0-based) skews.
    #[must_use]
    pub fn acts_after(&self, epoch: u64) -> bool {
        self.power != 0.0 && epoch > self.start_epoch
    }
}

/// `[goals]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalsConfig {
    /// Exploration and relabelling goals, one of [`SOURCE_NAMES`](super::goals::SOURCE_NAMES).
    pub source: String,
    /// Fraction of a batch that keeps the rollout's goal.
    pub relabel_keep: f64,
    /// Fraction that gets a goal from `source`; the rest: future of the same episode.
    pub relabel_source: f64,
    /// Store decode(z_g) as the goal's picture (official) instead of the real one.
    #[serde(rename = "keep_goal_picture", with = "choices::decoded_or_real")]
    pub keep_decoded_picture: bool,
    /// What practice is rewarded with, one of [`REWARD_NAMES`](super::goals::REWARD_NAMES).
    pub reward: String,
}

/// `[agent]`: SAC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgentConfig {
    /// Units of the hidden layers, first to last.
    pub hidden: Vec<usize>,
    /// Layer normalisation in the critics.
    pub layer_norm: bool,
    /// Critics, at least 2.
    pub critics: usize,
    /// Transitions a batch.
    pub batch: usize,
    /// Adam's step, all optimisers.
    pub learning_rate: f64,
    /// gamma.
    pub discount: f64,
    /// Polyak rate, every update.
    pub tau: f64,
    /// Multiplies the latent distance.
    pub reward_scale: f64,
    /// `None` = -(action dimensions).
    #[serde(with = "choices::auto_or_number")]
    pub target_entropy: Option<f64>,
    /// The term -temperature log pi in the Bellman target.
    pub entropy_in_target: bool,
    /// All losses at the step's first parameters (true), or critics first (official first version).
    #[serde(rename = "update_order", with = "choices::actor_or_critic_first")]
    pub actor_first: bool,
    /// Initial bias of the hidden layers.
    pub hidden_bias: f64,
    /// Targets start as copies of the critics.
    pub copy_targets_at_start: bool,
}

/// `[replay]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplayConfig {
    /// Transitions.
    pub capacity: usize,
}
