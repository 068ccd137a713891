//! What is drawn of a run besides its `config.toml` and `metrics.csv`.

use skewfit_envs::Image;

use super::heat_map::States;
use crate::show::clip::Clip;

/// What `config.toml` and `metrics.csv` do not hold; what is empty is not drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    /// Wall time of the exploration, seconds.
    pub wall_s: Option<f64>,
    /// (name, value) of the final evaluation, `best_constant_<metric>` among them; empty = the last measured row.
    pub final_metrics: Vec<(String, f64)>,
    /// Visited states; `None` where there is no map of them.
    pub states: Option<States>,
    /// Goals of the first episodes.
    pub goals_early: Vec<Image>,
    /// Goals of the last episodes.
    pub goals_late: Vec<Image>,
    /// Attempts at the evaluation goals.
    pub reached: Vec<Reached>,
    /// What it found least likely, beside the goal of then.
    pub rarest: Vec<Reached>,
    /// (camera picture, its reconstruction).
    pub reconstructions: Vec<(Image, Image)>,
    /// Decoded draws from the prior.
    pub prior_samples: Vec<Image>,
    /// The last episode, towards a goal of its own.
    pub last_episode: Option<Clip>,
}

/// An attempt at a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Reached {
    /// The picture to reach.
    pub goal: Image,
    /// What was seen at the end.
    pub reached: Image,
    /// A few words, e.g. `0.03 rad`.
    pub caption: String,
    /// What tells a better one from a worse: the leading metric, or the latent distance.
    pub error: f64,
}
