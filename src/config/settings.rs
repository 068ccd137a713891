//! The validated settings, one struct per table of the file.

use serde::{Deserialize, Serialize};

use crate::learn::settings::{
    AgentConfig, DensityConfig, GoalsConfig, LatentConfig, LearnerConfig, ReplayConfig, SkewConfig,
};

/// The validated settings of a run: every key of `docs/CONFIG.md`.
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
    /// The part of the settings that the learner needs.
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
    /// Shape of the walls; for `point2d` only.
    pub walls: String,
    /// Width and height of a picture, pixels.
    pub image_size: usize,
    /// Samples per pixel of the renderer: 1 or 4.
    pub samples: usize,
    /// Steps per episode.
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
    /// How the robot moves until the VAE is first fitted.
    pub warmup: Warmup,
    /// Exploration steps per epoch.
    pub epoch_steps: u64,
    /// SAC updates per epoch.
    pub updates_per_epoch: u64,
    /// How exploring and learning share time.
    pub schedule: Schedule,
    /// 0 = all cores.
    pub threads: usize,
    /// Epochs between checkpoints.
    pub checkpoint_every_epochs: u64,
    /// Number of newest checkpoints to keep.
    pub keep_checkpoints: usize,
    /// Also keep the first checkpoint in each period of this many hours of the run; 0 = off.
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
    /// They take turns, so a repeated run gives the same bytes.
    Lockstep,
}

/// `[evaluate]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluateConfig {
    /// Number of evaluation pictures.
    pub pictures: usize,
    /// Epochs between evaluations.
    pub every_epochs: u64,
    /// Pictures per evaluation, taken in turn from the set.
    pub pictures_each_time: usize,
    /// Whether to evaluate in the environment that explores (official code).
    pub shared_env: bool,
    /// Folder of goal pictures; empty: the scene's own pictures.
    pub folder: String,
}

/// How the robot moves until the VAE is first fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Warmup {
    /// By the untrained stochastic policy.
    Policy,
    /// By persistent random actions.
    Wander,
}

/// `[coverage]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageConfig {
    /// Number of most recent states whose entropy is measured.
    pub window_steps: usize,
}

/// `[night]`: disk space, waiting and logs of an unattended run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NightConfig {
    /// Megabytes that must stay free on the disk.
    pub min_free_mb: u64,
    /// Megabytes reserved in the run directory, freed when the disk is full.
    pub ballast_mb: u64,
    /// Seconds between two checks while the run is paused.
    pub poll_s: f64,
    /// Size at which the log is rotated, megabytes; five logs are kept, the current one included.
    pub log_mb: f64,
}
