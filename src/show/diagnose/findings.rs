//! Everything that is measured of a run, before it is judged or drawn.

use std::path::Path;

use skewfit_envs::{CoverageGrid, EnvSpec};

use super::practice::{Distances, progress};
use super::probe::{Probe, probe};
use super::rarity::{Part, Skewed, Visits, parts};
use super::returns::{Returns, Track, returns, track};
use super::sample::{OwnGoal, Sample, read};
use super::view::View;
use crate::config::Config;
use crate::error::Result;
use crate::learn::learner::{Counts, Learner};
use crate::show::metrics::{self, Table};
use crate::show::report::axis_name;
use crate::statistics::{mean, spearman};
use crate::task::opened::Opened;

/// What is known of how visits are counted.
#[derive(Clone, Debug)]
pub struct Known {
    pub spec: EnvSpec,
    pub grid: CoverageGrid,
}

/// What was measured.
pub struct Findings {
    pub cfg: Config,
    /// Of the checkpoint.
    pub counts: Counts,
    /// Exploration steps of the episodes committed so far.
    pub env_steps: u64,
    pub known: Option<Known>,
    /// `metrics.csv`; empty where there is none.
    pub table: Table,
    pub damaged: Vec<String>,
    pub sample: Sample,
    pub view: View,
    /// One an entry that visits are counted by, of the active dimensions.
    pub probes: Vec<Probe>,
    /// Visits of each sampled frame's cell; `None` where visits are not counted in cells.
    pub visits: Option<Vec<f64>>,
    /// `None` while draws are uniform.
    pub skewed: Option<Skewed>,
    /// Of the mapped states' ranges; empty without a map.
    pub parts: Vec<Part>,
    /// Positions among the frames of those nearest to the goals, early and late.
    pub goal_frames: [Vec<usize>; 2],
    /// Visits of a late goal's cell over those of a frame's, geometric means.
    pub goal_visits: Option<f64>,
    /// Share of practised goals that are no hindsight, by the rewards.
    pub own_share: Option<f64>,
    pub progress: Option<f64>,
    pub returns: Option<Returns>,
    /// Share of the latest actions that are at their bound.
    pub saturation: Option<f64>,
    pub temperature: f64,
}

impl Findings {
    /// Reads and measures; the learner comes with the checkpoint's models, its replay empty.
    ///
    /// # Errors
    /// As [`run`](super::run).
    pub fn of(dir: &Path) -> Result<(Self, Learner)> {
        let opened = Opened::read(dir)?;
        let mut learner = opened.learner()?;
        let (store, cfg) = (&opened.store, opened.cfg.clone());

        let mut sample = read(store, &cfg)?;
        let mut damaged: Vec<String> = opened.checkpoint.passed_over.iter().map(ToString::to_string).collect();
        damaged.extend(store.damaged().iter().chain(&sample.damaged).map(ToString::to_string));
        let csv = dir.join("metrics.csv");
        let table = if csv.exists() { metrics::read(&csv) } else { Ok(Table::default()) };
        let table = table.map_err(|e| damaged.push(e.to_string())).unwrap_or_default();
        let known = opened.described()?.and_then(|it| Some(Known { grid: it.coverage?, spec: it.spec }));
        let names = known.as_ref().map_or(&[][..], |k| k.spec.counted_names());
        if names.len() == sample.state_names.len() {
            sample.state_names = names.to_vec(); // shards number what they do not name
        }
        let env_steps = store.lines().last().map_or(0, |line| line.env_steps_end);
        Ok((Self::measure(cfg, env_steps, known, table, damaged, sample, &mut learner)?, learner))
    }

    fn measure(
        cfg: Config,
        env_steps: u64,
        known: Option<Known>,
        table: Table,
        damaged: Vec<String>,
        sample: Sample,
        learner: &mut Learner,
    ) -> Result<Self> {
        let pictures: Vec<&[u8]> = sample.frames.iter().map(|f| f.picture.as_slice()).collect();
        let view = View::of(learner, &cfg, &pictures)?;
        let counter = known.as_ref().and_then(|k| Visits::count(&k.grid, &sample));
        let visits = counter.map(|c| sample.frames.iter().map(|f| c.of(&f.state)).collect::<Vec<_>>());
        let refreshed = learner.counts.refreshed_episodes;
        let skewed = learner.counts.skew_alpha.map(|alpha| Skewed::of(alpha, refreshed, &sample, &view));
        let skewed = skewed.filter(|s| !s.frames.is_empty());
        let mut weights = vec![if skewed.is_some() { 0.0 } else { 1.0 }; sample.frames.len()];
        skewed.iter().flat_map(|s| s.frames.iter().zip(&s.weights)).for_each(|(i, w)| weights[*i] = *w);
        let distances = Distances::of(&cfg, &sample, &view, &weights);
        let practised = table.last("reward/mean").unwrap_or(f64::NAN);
        let tracks: Vec<Track> = sample.recent.iter().map(|e| track(learner, e)).collect::<Result<_>>()?;
        let mut seen_as = |goals: &[OwnGoal]| -> Result<Vec<usize>> {
            let pictures: Vec<&[u8]> = goals.iter().map(|g| g.picture.as_slice()).collect();
            let latents = learner.latent.encode(&pictures)?;
            Ok(latents.chunks_exact(view.dim).filter_map(|z| view.nearest(z)).collect())
        };
        let goal_frames = [seen_as(&sample.early)?, seen_as(&sample.late)?];
        let log_visits = |frames: &mut dyn Iterator<Item = usize>| {
            let logs: Vec<f64> = visits.as_ref().map(|v| frames.map(|i| v[i].ln()).collect())?;
            (!logs.is_empty()).then(|| mean(&logs))
        };
        let goal_visits = log_visits(&mut goal_frames[1].iter().copied())
            .zip(log_visits(&mut (0..sample.frames.len())))
            .map(|(goals, frames)| (goals - frames).exp());
        let latest: Vec<f64> = sample.saturation.iter().rev().take(sample.recent.len()).map(|s| s.1).collect();
        let axes = axes(known.as_ref(), &sample.state_names);
        Ok(Self {
            probes: probes(&sample, &view),
            parts: axes.iter().flat_map(|(k, name)| parts(&sample, *k, name, &view, skewed.as_ref())).collect(),
            own_share: distances.own_share(practised, cfg.agent.reward_scale),
            progress: progress(&tracks),
            returns: returns(learner, &cfg, &sample.recent, &tracks)?,
            saturation: (!latest.is_empty()).then(|| mean(&latest)),
            temperature: f64::from(learner.agent.temperature()),
            goal_frames,
            goal_visits,
            skewed,
            visits,
            view,
            sample,
            damaged,
            table,
            known,
            env_steps,
            counts: learner.counts.clone(),
            cfg,
        })
    }

    /// Whether the VAE was ever fitted.
    #[must_use]
    pub fn fitted(&self) -> bool {
        self.counts.refreshes > 0 && !self.sample.frames.is_empty()
    }

    /// Whether the agent ever practised.
    #[must_use]
    pub fn practised(&self) -> bool {
        self.counts.updates > 0
    }

    /// The mapped states: (position, name with unit); fewer than two where none is known.
    #[must_use]
    pub fn axes(&self) -> Vec<(usize, String)> {
        axes(self.known.as_ref(), &self.sample.state_names)
    }

    /// Rank correlation of log p with visits over all frames; `None` without true states.
    #[must_use]
    pub fn density_rank(&self) -> Option<f64> {
        spearman(&self.view.log_density, self.visits.as_ref()?)
    }

    /// Rank correlation of weights with visits; `None` without skewing or true states.
    #[must_use]
    pub fn weight_rank(&self) -> Option<f64> {
        let (skewed, visits) = (self.skewed.as_ref()?, self.visits.as_ref()?);
        spearman(&skewed.weights, &skewed.frames.iter().map(|i| visits[*i]).collect::<Vec<_>>())
    }
}

fn axes(known: Option<&Known>, names: &[String]) -> Vec<(usize, String)> {
    match known {
        Some(Known { spec, grid }) => {
            let axes = grid.heat_map.iter().filter(|a| a.state < names.len());
            axes.map(|a| (a.state, axis_name(spec, a))).collect()
        }
        None => names.iter().take(2).cloned().enumerate().collect(),
    }
}

fn probes(sample: &Sample, view: &View) -> Vec<Probe> {
    let episodes: Vec<u64> = sample.frames.iter().map(|f| f.episode).collect();
    let (means, dim) = (view.active_means(), view.active().len());
    let one = |(k, name): (usize, &String)| {
        let y: Vec<f64> = sample.frames.iter().map(|f| f.state[k]).collect();
        probe(name, &means, dim, &episodes, &y)
    };
    sample.state_names.iter().enumerate().map(one).collect()
}
