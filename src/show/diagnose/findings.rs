//! All measurements on a run; `judge` and `figures` use them.

use std::path::Path;

use skewfit_envs::{CoverageGrid, EnvSpec};

use super::densities::{self, DensityRow};
use super::encoded::EncodedFrames;
use super::goal_distances::{Distances, progress};
use super::practice::{PracticeFacts, practice};
use super::probe::{StateProbe, probe};
use super::rarity::{CellVisits, Skewed, StateRange, state_ranges};
use super::returns::{EncodedEpisode, Returns, encode_episode, returns};
use super::sample::{OwnGoal, Sample, read};
use crate::config::Config;
use crate::error::Result;
use crate::learn::learner::{Counts, Learner};
use crate::show::metrics::{self, MetricsTable};
use crate::show::report::axis_name;
use crate::statistics::{mean, spearman};
use crate::task::opened::OpenedRun;

/// The reward from which the share of own goals can be told.
const LATENT_DISTANCE: &str = "latent-distance";

/// How visits are counted in the run's environment.
#[derive(Clone, Debug)]
pub struct StateSpace {
    pub spec: EnvSpec,
    pub grid: CoverageGrid,
}

/// The measurements.
pub struct Findings {
    pub cfg: Config,
    /// Counters of the checkpoint.
    pub counts: Counts,
    /// Exploration steps of the episodes committed so far.
    pub env_steps: u64,
    pub state_space: Option<StateSpace>,
    /// `metrics.csv`; empty if it is absent or damaged.
    pub table: MetricsTable,
    pub damaged: Vec<String>,
    pub sample: Sample,
    pub encoded: EncodedFrames,
    /// A probe on the active dimensions for each state that visits are counted by.
    pub probes: Vec<StateProbe>,
    /// Visits of each sampled frame's cell; `None` if visits are not counted in cells.
    pub visits: Option<Vec<f64>>,
    /// Every density on the sampled frames; empty if visits are not counted in cells.
    pub densities: Vec<DensityRow>,
    /// Practice in the latest episodes.
    pub practice: PracticeFacts,
    /// `None` while sampling is uniform.
    pub skewed: Option<Skewed>,
    /// Parts of the mapped states' ranges; empty without a map.
    pub ranges: Vec<StateRange>,
    /// Indices of the frames nearest to the goals: [early, late].
    pub goal_frames: [Vec<usize>; 2],
    /// Visits of a late goal's cell over visits of a frame's cell, geometric means.
    pub goal_visits: Option<f64>,
    /// Share of training goals that are not hindsight goals, estimated from the rewards.
    pub own_share: Option<f64>,
    /// Final distance to the own goal over that to other episodes' goals.
    pub progress: Option<f64>,
    pub returns: Option<Returns>,
    /// Share of recent action entries that are at their bound.
    pub saturation: Option<f64>,
    pub temperature: f64,
}

impl Findings {
    /// Reads a run and measures. The returned learner has the checkpoint's models and an empty replay.
    ///
    /// # Errors
    /// As [`run`](super::run).
    pub fn of(dir: &Path) -> Result<(Self, Learner)> {
        let opened = OpenedRun::read(dir)?;
        let mut learner = opened.learner()?;
        let (store, cfg) = (&opened.store, opened.cfg.clone());

        let mut sample = read(store, &cfg)?;
        let mut damaged: Vec<String> = opened.checkpoint.passed_over.iter().map(ToString::to_string).collect();
        damaged.extend(store.damaged().iter().chain(&sample.damaged).map(ToString::to_string));
        let csv = dir.join("metrics.csv");
        let table = if csv.exists() { metrics::read(&csv) } else { Ok(MetricsTable::default()) };
        let table = table.map_err(|e| damaged.push(e.to_string())).unwrap_or_default();
        let state_space = opened.described()?.and_then(|it| Some(StateSpace { grid: it.coverage?, spec: it.spec }));
        let names = state_space.as_ref().map_or(&[][..], |k| k.spec.counted_names());
        if names.len() == sample.state_names.len() {
            sample.state_names = names.to_vec(); // older shards number the states that they do not name
        }
        let env_steps = store.lines().last().map_or(0, |line| line.env_steps_end);
        Ok((Self::measure(cfg, env_steps, state_space, table, damaged, sample, &mut learner)?, learner))
    }

    fn measure(
        cfg: Config,
        env_steps: u64,
        state_space: Option<StateSpace>,
        table: MetricsTable,
        damaged: Vec<String>,
        sample: Sample,
        learner: &mut Learner,
    ) -> Result<Self> {
        let pictures: Vec<&[u8]> = sample.frames.iter().map(|f| f.picture.as_slice()).collect();
        let encoded = EncodedFrames::of(learner, &cfg, &pictures)?;
        let counter = state_space.as_ref().and_then(|k| CellVisits::count(&k.grid, &sample));
        let visits = counter.map(|c| sample.frames.iter().map(|f| c.of(&f.state)).collect::<Vec<_>>());
        let coarse = state_space.as_ref().and_then(|k| CellVisits::count(&densities::coarse(&k.grid), &sample));
        let densities = match coarse {
            Some(visits) => densities::rows(learner, &cfg, &sample, &encoded, &visits)?,
            None => Vec::new(),
        };
        let refreshed = learner.counts.refreshed_episodes;
        let skewed = learner.counts.skew_power.map(|power| Skewed::of(power, refreshed, &sample, &encoded));
        let skewed = skewed.filter(|s| !s.frames.is_empty());
        let mut weights = vec![if skewed.is_some() { 0.0 } else { 1.0 }; sample.frames.len()];
        skewed.iter().flat_map(|s| s.frames.iter().zip(&s.weights)).for_each(|(i, w)| weights[*i] = *w);
        let distances = Distances::of(&cfg, &sample, &encoded, &weights);
        let mean_reward = table.last("reward/mean").unwrap_or(f64::NAN);
        let recent: Vec<EncodedEpisode> =
            sample.recent.iter().map(|e| encode_episode(learner, e)).collect::<Result<_>>()?;
        let practice = practice(&cfg, &sample.recent, &recent);
        let radius = practice.radius.unwrap_or_default();
        let mut nearest_frames = |goals: &[OwnGoal]| -> Result<Vec<usize>> {
            let pictures: Vec<&[u8]> = goals.iter().map(|g| g.picture.as_slice()).collect();
            let latents = learner.latent.encode(&pictures)?;
            Ok(latents.chunks_exact(encoded.dim).filter_map(|z| encoded.nearest(z)).collect())
        };
        let goal_frames = [nearest_frames(&sample.early)?, nearest_frames(&sample.late)?];
        let log_visits = |frames: &mut dyn Iterator<Item = usize>| {
            let logs: Vec<f64> = visits.as_ref().map(|v| frames.map(|i| v[i].ln()).collect())?;
            (!logs.is_empty()).then(|| mean(&logs))
        };
        let goal_visits = log_visits(&mut goal_frames[1].iter().copied())
            .zip(log_visits(&mut (0..sample.frames.len())))
            .map(|(goals, frames)| (goals - frames).exp());
        let latest: Vec<f64> = sample.saturation.iter().rev().take(sample.recent.len()).map(|s| s.1).collect();
        let axes = axes(state_space.as_ref(), &sample.state_names);
        Ok(Self {
            probes: probes(&sample, &encoded),
            ranges: axes
                .iter()
                .flat_map(|(k, name)| state_ranges(&sample, *k, name, &encoded, skewed.as_ref()))
                .collect(),
            own_share: (cfg.goals.reward == LATENT_DISTANCE)
                .then(|| distances.own_share(mean_reward, cfg.agent.reward_scale))
                .flatten(),
            progress: progress(&recent),
            returns: returns(learner, &cfg, &sample.recent, &recent, radius)?,
            saturation: (!latest.is_empty()).then(|| mean(&latest)),
            temperature: f64::from(learner.agent.temperature()),
            densities,
            practice,
            goal_frames,
            goal_visits,
            skewed,
            visits,
            encoded,
            sample,
            damaged,
            table,
            state_space,
            env_steps,
            counts: learner.counts.clone(),
            cfg,
        })
    }

    /// True if the VAE has been trained.
    #[must_use]
    pub fn vae_trained(&self) -> bool {
        self.counts.refreshes > 0 && !self.sample.frames.is_empty()
    }

    /// True if the agent has been updated.
    #[must_use]
    pub fn agent_updated(&self) -> bool {
        self.counts.updates > 0
    }

    /// The states on the map: (index, name with unit); may be fewer than two.
    #[must_use]
    pub fn axes(&self) -> Vec<(usize, String)> {
        axes(self.state_space.as_ref(), &self.sample.state_names)
    }

    /// Rank correlation of log p with visits, over all frames; `None` without true states.
    #[must_use]
    pub fn density_rank(&self) -> Option<f64> {
        spearman(&self.encoded.log_density, self.visits.as_ref()?)
    }

    /// Rank correlation of weights with visits; `None` without skewing or true states.
    #[must_use]
    pub fn weight_rank(&self) -> Option<f64> {
        let (skewed, visits) = (self.skewed.as_ref()?, self.visits.as_ref()?);
        spearman(&skewed.weights, &skewed.frames.iter().map(|i| visits[*i]).collect::<Vec<_>>())
    }
}

fn axes(state_space: Option<&StateSpace>, names: &[String]) -> Vec<(usize, String)> {
    match state_space {
        Some(StateSpace { spec, grid }) => {
            let axes = grid.heat_map.iter().filter(|a| a.state < names.len());
            axes.map(|a| (a.state, axis_name(spec, a))).collect()
        }
        None => names.iter().take(2).cloned().enumerate().collect(),
    }
}

fn probes(sample: &Sample, encoded: &EncodedFrames) -> Vec<StateProbe> {
    let episodes: Vec<u64> = sample.frames.iter().map(|f| f.episode).collect();
    let (means, dim) = (encoded.active_means(), encoded.active().len());
    let one = |(k, name): (usize, &String)| {
        let y: Vec<f64> = sample.frames.iter().map(|f| f.state[k]).collect();
        probe(name, &means, dim, &episodes, &y)
    };
    sample.state_names.iter().enumerate().map(one).collect()
}
