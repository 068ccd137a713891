//! The table of metric columns. Add a row here for a new metric; `learning` says whether its curve is drawn in
//! `plots/learning.png`.

use super::MetricsTable;
use crate::task::scene::EnvDescription;
use crate::task::scores::LATENT_DISTANCE;

/// One column of `metrics.csv`.
#[derive(Debug)]
pub struct MetricColumn {
    /// Name in the file: `train/critic_loss`.
    pub name: &'static str,
    /// Name for people.
    pub heading: &'static str,
    /// Unit; empty for a number without one.
    pub unit: &'static str,
    /// True if its curve is drawn in `plots/learning.png`.
    pub learning: bool,
}

const LEARNING: bool = true;
const NOT_IN_LEARNING: bool = false;

const fn column(name: &'static str, heading: &'static str, unit: &'static str, learning: bool) -> MetricColumn {
    MetricColumn { name, heading, unit, learning }
}

/// Coverage computed from pictures alone, for environments without states.
const PICTURES: &str = "coverage/knn_entropy";
/// Visits of cells, for environments with states.
const CELLS: [&str; 2] = ["coverage/cells", "coverage/entropy_nats"];
/// Cells visited of late; earlier programs did not measure them.
const RECENT: [&str; 1] = ["coverage/recent_cells"];
/// Visits against uniform ones, for environments that know their reachable cells.
const REACHABLE: [&str; 2] = ["coverage/reached_share", "coverage/gap_nats"];

/// Columns of every run, in the file's order; the scene's `eval/final_<metric>` come before them.
#[rustfmt::skip]
pub const COLUMNS: [MetricColumn; 40] = [
    column("eval/success_rate", "Success rate", "of 1", NOT_IN_LEARNING),
    column("train/critic_loss", "Critic loss", "reward²", LEARNING),
    column("train/actor_loss", "Actor loss", "reward", LEARNING),
    column("train/temperature", "Temperature", "reward / nat", LEARNING),
    column("train/entropy", "Policy entropy", "nats", LEARNING),
    column("train/q_mean", "Mean Q value", "reward", LEARNING),
    column("train/grad_norm", "Gradient norm", "", NOT_IN_LEARNING),
    column("vae/sse", "VAE squared error", "a picture", LEARNING),
    column("vae/kl", "VAE KL divergence", "nats", LEARNING),
    column("vae/loss", "VAE loss", "a picture", NOT_IN_LEARNING),
    column("vae/active_dims", "Active latents", "dimensions", LEARNING),
    column("skew/alpha", "Power in force", "", NOT_IN_LEARNING),
    column("skew/ess", "Effective sample size", "of 1", LEARNING),
    column("skew/max_weight", "Largest skew weight", "of 1", LEARNING),
    column("skew/rank_corr", "Rank correlation of log p with visits", "", LEARNING),
    column("skew/entropy_gain", "Entropy gained by the weights", "nats", LEARNING),
    column("coverage/cells", "Coverage cells", "cells", NOT_IN_LEARNING),
    column("coverage/entropy_nats", "Coverage entropy", "nats", NOT_IN_LEARNING),
    column("coverage/recent_cells", "Recently visited cells", "cells", NOT_IN_LEARNING),
    column("coverage/reached_share", "Reachable cells reached", "of 1", NOT_IN_LEARNING),
    column("coverage/gap_nats", "Gap to uniform coverage", "nats", NOT_IN_LEARNING),
    column(PICTURES, "Coverage entropy, from pictures", "nats", NOT_IN_LEARNING),
    column("goals/from_prior", "Goals from the prior", "goals", NOT_IN_LEARNING),
    column("goals/from_replay", "Goals from replay", "goals", NOT_IN_LEARNING),
    column("goals/from_skewed", "Goals from skewed replay", "goals", NOT_IN_LEARNING),
    column("goals/reached", "Goals reached", "goals", NOT_IN_LEARNING),
    column("goals/idle_share", "Steps at a reached goal", "of 1", LEARNING),
    column("goals/distance", "Goal distance", "latent", LEARNING),
    column("goals/true_distance", "True goal distance", "", LEARNING),
    column("reward/mean", "Mean reward", "", LEARNING),
    column("time/wall_s", "Time", "s", NOT_IN_LEARNING),
    column("time/env_s", "Acting", "s", NOT_IN_LEARNING),
    column("time/sac_s", "Updating the agent", "s", NOT_IN_LEARNING),
    column("time/vae_s", "Updating the VAE", "s", NOT_IN_LEARNING),
    column("time/refresh_s", "Refreshing latents and weights", "s", NOT_IN_LEARNING),
    column("time/other_s", "Other work", "s", NOT_IN_LEARNING),
    column("time/cpu_s", "Processor time", "s", NOT_IN_LEARNING),
    column("time/safety_cpu_s", "Writing the run's files, processor time", "s", NOT_IN_LEARNING),
    column("time/safety_wait_s", "Writing the run's files, waiting for the disk", "s", NOT_IN_LEARNING),
    column("time/rss_mb", "Resident memory", "MB", NOT_IN_LEARNING),
];

impl MetricColumn {
    /// Title of its curve: `Critic loss (reward²)`.
    #[must_use]
    pub fn title(&self) -> String {
        match self.unit {
            unit if unit.is_empty() || self.heading.ends_with(unit) => self.heading.to_owned(),
            unit => format!("{} ({unit})", self.heading),
        }
    }
}

/// The row of the table with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static MetricColumn> {
    COLUMNS.iter().find(|column| column.name == name)
}

/// Columns whose curves are drawn in `plots/learning.png`, in order.
pub fn drawn() -> impl Iterator<Item = &'static MetricColumn> {
    COLUMNS.iter().filter(|column| column.learning)
}

/// The coverage columns of these runs: cells and their entropy, or the entropy from pictures, or both if both kinds of run
/// are present; the others where a run measured them.
#[must_use]
pub fn coverage<'a>(runs: impl IntoIterator<Item = &'a MetricsTable>) -> Vec<&'static str> {
    let runs: Vec<&MetricsTable> = runs.into_iter().collect();
    let of_pictures = runs.iter().filter(|table| table.column(PICTURES).is_some()).count();
    let cells = CELLS.into_iter().filter(|_| runs.is_empty() || of_pictures < runs.len());
    let measured = |name: &&str| runs.iter().any(|table| table.last(name).is_some());
    let [recent, reachable] = [&RECENT[..], &REACHABLE].map(|names| names.iter().copied().filter(measured));
    recent.chain(cells).chain(reachable).chain((of_pictures > 0).then_some(PICTURES)).collect()
}

/// All columns in order, for a scene with these metrics (`angle_error_rad` -> `eval/final_angle_error_rad`) and these
/// states on its heat map (means over replay: uniform, and with the skewed weights). Without mapped states coverage is
/// computed from pictures, and the columns of cells stay empty.
#[must_use]
pub fn names(scene_metrics: &[&str], mapped_states: &[&str]) -> Vec<String> {
    let eval = scene_metrics.iter().map(|m| format!("eval/final_{m}"));
    let means = mapped_states.iter().flat_map(|s| [format!("replay/mean_{s}"), format!("skew/mean_{s}")]);
    let every = COLUMNS.iter().filter(|column| column.name != PICTURES || mapped_states.is_empty());
    eval.chain(every.map(|column| column.name.to_owned())).chain(means).collect()
}

/// The columns of a run in an environment.
#[must_use]
pub fn columns(task: &EnvDescription) -> Vec<String> {
    let states = task.spec.counted_names();
    let metrics: Vec<&str> = match &task.metrics {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => vec![LATENT_DISTANCE],
    };
    let mut mapped: Vec<&str> = task.map_axes().into_iter().flatten().map(|a| states[a.state].as_str()).collect();
    mapped.dedup();
    names(&metrics, &mapped)
}
