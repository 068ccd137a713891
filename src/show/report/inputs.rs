//! Inputs of a report besides the run's `config.toml` and `metrics.csv`.

use skewfit_envs::Image;

use super::heat_map::States;
use crate::show::clip::Clip;

/// What `config.toml` and `metrics.csv` do not hold; empty entries are not drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportInputs {
    /// Wall time of the exploration, seconds.
    pub wall_s: Option<f64>,
    /// (name, value) of the final evaluation, including `best_constant_<metric>`; empty = use the last measured row.
    pub final_metrics: Vec<(String, f64)>,
    /// Visited states; `None` if the environment has no map of states.
    pub states: Option<States>,
    /// Goals of the first episodes.
    pub goals_early: Vec<Image>,
    /// Goals of the last episodes.
    pub goals_late: Vec<Image>,
    /// Attempts at the evaluation goals.
    pub reached: Vec<Reached>,
    /// The least likely pictures, each with the goal that was active.
    pub rarest: Vec<Reached>,
    /// (camera picture, its reconstruction).
    pub reconstructions: Vec<(Image, Image)>,
    /// Decoded draws from the prior.
    pub prior_samples: Vec<Image>,
    /// The last exploration episode.
    pub last_episode: Option<Clip>,
}

/// An attempt at a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// The picture to reach.
    pub goal: Image,
    /// The last picture of the attempt.
    pub reached: Image,
    /// A short text, e.g. `0.03 rad`.
    pub caption: String,
    /// Ranks attempts, smaller is better: the leading metric, or the latent distance.
    pub error: f64,
}
