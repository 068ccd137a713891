//! The validated settings, a struct a table of the file.

use serde::{Deserialize, Serialize};

use crate::learn::settings::{
    AgentConfig, DensityConfig, GoalsConfig, LatentConfig, LearnerConfig, ReplayConfig, SkewConfig,
};

/// A run's resolved, validated settings; every key of `docs/CONFIG.md`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Experiment name.
    pub name: String,
    /// Seed of every stream.
    pub seed: u64,
    /// `[env]`.
    pub env: EnvConfig,
    /// `[run]`.
    pub run: RunConfig,
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
    /// `[evaluate]`.
    pub evaluate: EvaluateConfig,
    /// `[coverage]`.
    pub coverage: CoverageConfig,
    /// `[night]`.
    pub night: NightConfig,
}

impl Config {
    /// What the learner is made from.
    #[must_use]
    pub fn learner(&self) -> LearnerConfig {
        LearnerConfig {
            seed: self.seed,
            threads: self.run.threads,
            image_size: self.env.image_size,
            latent: self.latent.clone(),
            density: self.density.clone(),
            skew: self.skew.clone(),
            goals: self.goals.clone(),
            agent: self.agent.clone(),
            replay: self.replay.clone(),
        }
    }
}

/// `[env]`: the scene and its camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvConfig {
    /// Scene name.
    pub scene: String,
    /// `point2d` only: wall variant.
    pub walls: String,
    /// Pixels, square.
    pub image_size: usize,
    /// 1 or 4.
    pub samples: usize,
    /// Steps an episode.
    pub episode_steps: usize,
}

/// `[run]`: lengths, in environment steps, epochs and updates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Exploration steps, warm-up included.
    pub steps: u64,
    /// Steps with the untrained policy and prior goals.
    pub warmup_steps: u64,
    /// Exploration steps an epoch.
    pub epoch_steps: u64,
    /// SAC updates an epoch.
    pub updates_per_epoch: u64,
    /// How exploring and learning share time.
    pub schedule: Schedule,
    /// 0 = all cores.
    pub threads: usize,
    /// Epochs between checkpoints.
    pub checkpoint_every_epochs: u64,
    /// Newest checkpoints kept.
    pub keep_checkpoints: usize,
    /// Hours of the run of which the first checkpoint is kept as well; 0 = none.
    pub keep_every_hours: f64,
}

impl RunConfig {
    /// Epochs of a whole run: the steps after the warm-up, rounded up.
    #[must_use]
    pub fn epochs(&self) -> u64 {
        self.steps.saturating_sub(self.warmup_steps).div_ceil(self.epoch_steps)
    }
}

/// How exploring and learning share time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// In turns: repeatable to the byte.
    Lockstep,
}

/// `[evaluate]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluateConfig {
    /// Evaluation pictures in all.
    pub pictures: usize,
    /// Epochs between evaluations.
    pub every_epochs: u64,
    /// Pictures an evaluation, rotating.
    pub pictures_each_time: usize,
    /// Evaluate in the exploration's own environment (official).
    pub shared_env: bool,
    /// Folder of pictures in place of the scene's own; empty: none.
    pub folder: String,
}

/// `[coverage]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageConfig {
    /// States of the entropy's window.
    pub window_steps: usize,
}

/// `[night]`: what an unattended run keeps free, and how it waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NightConfig {
    /// Megabytes that must stay free on the disk.
    pub min_free_mb: u64,
    /// Megabytes set aside in the run directory, given back when the disk is full.
    pub ballast_mb: u64,
    /// Seconds between two looks while it stands still.
    pub poll_s: f64,
    /// Megabytes of a log before a new one is begun; five are kept.
    pub log_mb: f64,
}
