//! The refresh after a VAE phase: latents, densities and skewed weights of everything in replay, under the new VAE.

use super::Learner;
use crate::error::{Error, Result};
use crate::learn::density::{DensityInputs, EpisodeFrames};
use crate::learn::episode::Episode;
use crate::learn::goals;
use crate::learn::goals::radius::step_distance;
use crate::learn::replay::{EpisodeLatents, LatentVersion, Replay, StoredEpisode};
use crate::learn::rng;
use crate::learn::skew::{SkewInfo, SkewedDistribution};

/// Everything in replay, encoded by the current VAE and not yet applied.
pub(crate) struct Encoding {
    /// Means and log variances of all pictures, episode by episode.
    pub posteriors: Vec<f32>,
    /// log p of every stored transition, oldest first; `None` if it is not needed.
    pub log_density: Option<Vec<f64>>,
}

impl Learner {
    /// Encodes all stored frames and goal pictures with the current VAE; with `skew`, also computes densities and weights.
    /// Calls `beat` as work advances.
    ///
    /// # Errors
    /// `NotFinite` if the VAE gives latents that are not finite; replay keeps its old latents then. Errors of the models.
    pub fn refresh(&mut self, skew: bool, beat: &mut dyn FnMut()) -> Result<Option<SkewInfo>> {
        let encoding = self.encode(skew, beat)?;
        self.finish_refresh(encoding, skew)
    }

    /// The first half of a refresh: encodes everything in replay.
    pub(crate) fn encode(&mut self, densities: bool, beat: &mut dyn FnMut()) -> Result<Encoding> {
        self.counts.refreshes += 1;
        self.encode_replay(densities, beat)
    }

    /// The second half: replay gets the new latents and, with `skew`, the densities become the skewed distribution.
    pub(crate) fn finish_refresh(&mut self, encoding: Encoding, skew: bool) -> Result<Option<SkewInfo>> {
        let refreshed = self.replay.episodes().last().map_or(0, |e| e.id() + 1);
        let power = skew.then_some(self.cfg.skew.power_and_floor());
        let info = self.apply_encoding(encoding, power)?;
        self.counts.refreshed_episodes = refreshed;
        self.counts.skew_power = info.map(|i| i.power);
        Ok(info)
    }

    /// Rebuilds replay as it was at a checkpoint, from the run's episodes in order: at least those that replay held at the
    /// last refresh and at the checkpoint.
    ///
    /// # Errors
    /// `Damaged` if shapes do not fit, as with episodes of another run; errors of the models.
    pub fn restore_replay(
        &mut self,
        episodes: impl IntoIterator<Item = Episode>,
        beat: &mut dyn FnMut(),
    ) -> Result<()> {
        let (refreshed, later): (Vec<_>, Vec<_>) =
            episodes.into_iter().partition(|e| e.id < self.counts.refreshed_episodes);
        let add_episode = |learner: &mut Self, episode: Episode, beat: &mut dyn FnMut()| {
            beat();
            let latents = learner.latents(&episode)?;
            learner.add(episode, latents)
        };
        refreshed.into_iter().try_for_each(|episode| add_episode(self, episode, beat))?;
        if self.counts.refreshes > 0 {
            let power = self.counts.skew_power; // already tempered
            let encoding = self.encode_replay(power.is_some(), beat)?;
            self.apply_encoding(encoding, power.map(|power| (power, 0.0)))?;
        }
        self.stale = false; // everything in replay has just been encoded
        later.into_iter().try_for_each(|episode| add_episode(self, episode, beat))
    }

    fn encode_replay(&mut self, densities: bool, beat: &mut dyn FnMut()) -> Result<Encoding> {
        let posteriors = finite(self.posteriors()?)?;
        let wanted = densities || goals::source(&self.cfg.goals.source).wants_densities;
        let log_density = wanted.then(|| self.log_density(&posteriors, beat)).transpose()?;
        Ok(Encoding { posteriors, log_density })
    }

    /// Posteriors (2Z per picture) of everything in replay. Each episode gives its frames, then its goals' pictures.
    pub(crate) fn posteriors(&mut self) -> Result<Vec<f32>> {
        let pictures: Vec<&[u8]> = self
            .replay
            .episodes()
            .flat_map(|e| (0..=e.steps()).map(|t| e.frame(t)).chain(e.goals().iter().map(|goal| &goal.picture[..])))
            .collect();
        let mut posteriors = vec![0.0; pictures.len() * 2 * self.cfg.latent.dim];
        self.latent.posteriors(&pictures, &mut posteriors)?;
        Ok(posteriors)
    }

    /// Stores new latents and, if there are any, densities. With `power`, (power, smallest effective sample size over N),
    /// the densities become the skewed distribution.
    pub(crate) fn apply_encoding(&mut self, encoding: Encoding, power: Option<(f64, f64)>) -> Result<Option<SkewInfo>> {
        let (dim, posteriors) = (self.cfg.latent.dim, &encoding.posteriors);
        let encoded = rows(&self.replay, posteriors, dim).map(|(stored, rows)| encoded(stored, rows, dim)).collect();
        self.replay.refresh(LatentVersion(self.counts.refreshes), encoded)?;
        self.stale = false;
        self.goal_radius = step_distance(&self.replay).map(|distance| self.cfg.goals.radius as f32 * distance);
        self.reward = goals::reward(&self.cfg.goals.reward, &self.cfg.agent, self.goal_radius.unwrap_or_default());
        let log_density = encoding.log_density.unwrap_or_default();
        let known = log_density.len();
        if known > 0 && known != self.replay.transitions() {
            let stored = self.replay.transitions();
            return Err(Error::Misuse(format!("a density gave {known} values for {stored} stored transitions")));
        }
        let (skewed, info) = match power {
            Some((power, min_ess)) => {
                let (skewed, info) = SkewedDistribution::new(log_density, power, min_ess);
                (skewed, Some(info))
            }
            None => (SkewedDistribution::unskewed(log_density), None),
        };
        self.skewed = skewed;
        Ok(info)
    }

    /// log p of every stored transition's next picture, oldest first, from all posteriors.
    ///
    /// The noise of each episode has a random stream of its own, so it does not depend on the other episodes. The reference
    /// frames have one stream a refresh, and are drawn from everything in replay.
    pub(crate) fn log_density(&mut self, posteriors: &[f32], beat: &mut dyn FnMut()) -> Result<Vec<f64>> {
        let (dim, seed, refresh) = (self.cfg.latent.dim, self.cfg.seed, self.counts.refreshes);
        let mut episodes = Vec::new();
        for (stored, rows) in rows(&self.replay, posteriors, dim) {
            episodes.push(EpisodeFrames {
                pictures: (1..=stored.steps()).map(|t| stored.frame(t)).collect(),
                posteriors: &rows[2 * dim..(stored.steps() + 1) * 2 * dim],
                draws: rng::stream(seed, "density", &[refresh, stored.id()]),
            });
        }
        let references = rng::stream(seed, "references", &[refresh]);
        let (model, workers) = (&mut *self.latent, &self.workers);
        self.density.log_density(&mut DensityInputs { model, episodes, references, workers, beat })
    }

    /// Latent distance below which a goal is reached, in the latents of the last refresh; `None` before the first one.
    #[must_use]
    pub fn goal_radius(&self) -> Option<f32> {
        self.goal_radius
    }

    /// Every covered episode with log p of its transitions (T), oldest first; empty before the first densities are computed.
    pub fn densities(&self) -> impl Iterator<Item = (&StoredEpisode, &[f64])> {
        let mut rest = self.skewed.log_density();
        self.replay.episodes().map_while(move |episode| {
            let (own, later) = rest.split_at_checked(episode.steps())?;
            rest = later;
            Some((episode, own))
        })
    }
}

/// Refuses latents that are not finite.
pub(super) fn finite(latents: Vec<f32>) -> Result<Vec<f32>> {
    if latents.iter().all(|z| z.is_finite()) {
        return Ok(latents);
    }
    Err(Error::NotFinite("the VAE's latents are not finite; lower latent.learning_rate".into()))
}

/// Every episode in order, with its rows (T+1+G, 2Z) of `posteriors`.
fn rows<'a>(
    replay: &'a Replay,
    posteriors: &'a [f32],
    dim: usize,
) -> impl Iterator<Item = (&'a StoredEpisode, &'a [f32])> {
    let mut rest = posteriors;
    replay.episodes().map(move |episode| {
        let (own, after) = rest.split_at((episode.steps() + 1 + episode.goals().len()) * 2 * dim);
        rest = after;
        (episode, own)
    })
}

/// Latents of an episode: the means of its posteriors (T+1+G, 2Z), frames first, then goals.
fn encoded(episode: &StoredEpisode, rows: &[f32], dim: usize) -> EpisodeLatents {
    let mut latents: Vec<f32> = rows.chunks_exact(2 * dim).flat_map(|row| &row[..dim]).copied().collect();
    let goal_latents = latents.split_off((episode.steps() + 1) * dim);
    EpisodeLatents { latents, goal_latents }
}
