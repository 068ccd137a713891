//! What a newly fitted VAE makes of everything in replay: latents, densities, the weights of the skewed distribution.

use super::Learner;
use crate::error::{Error, Result};
use crate::learn::episode::Episode;
use crate::learn::latent::density;
use crate::learn::replay::{Encoded, LatentVersion, Replay, SkewInfo, Stored};
use crate::learn::rng::{self, normals};

/// Pictures whose densities are computed in one go.
pub(super) const PICTURES_AT_ONCE: usize = 128;

/// Inputs of the skewed weights.
pub(crate) struct Skewed {
    pub alpha: f64,
    pub min_ess: f64,
    /// log p, (T) an episode.
    pub densities: Vec<Vec<f64>>,
}

/// Everything in replay as the present VAE sees it, before replay takes it over.
pub(crate) struct Encoding {
    /// Means and log variances of all pictures, episode by episode.
    posteriors: Vec<f32>,
    /// `None` while draws are uniform.
    pub skewed: Option<Skewed>,
}

impl Learner {
    /// Re-encodes every stored frame and goal picture with the present VAE; with `skew`, also the densities and weights.
    /// Calls `beat` as it gets on.
    ///
    /// # Errors
    /// `NotFinite` where the VAE gives latents that are not finite: replay keeps its old ones.
    pub fn refresh(&mut self, skew: bool, beat: &mut dyn FnMut()) -> Result<Option<SkewInfo>> {
        let encoding = self.encode(skew, beat)?;
        self.adopt(encoding)
    }

    /// The first half of a refresh: what the present VAE makes of everything in replay.
    pub(crate) fn encode(&mut self, skew: bool, beat: &mut dyn FnMut()) -> Result<Encoding> {
        self.counts.refreshes += 1;
        self.encode_replay(skew.then_some((self.cfg.skew.power, self.cfg.skew.min_ess)), beat)
    }

    /// The second half: replay takes over the latents, and the weights of the skewed distribution.
    pub(crate) fn adopt(&mut self, encoding: Encoding) -> Result<Option<SkewInfo>> {
        let refreshed = self.replay.episodes().last().map_or(0, |e| e.id() + 1);
        let info = self.take_in(&encoding.posteriors, encoding.skewed)?;
        self.counts.refreshed_episodes = refreshed;
        self.counts.skew_alpha = info.map(|i| i.alpha);
        Ok(info)
    }

    /// Brings replay to where it was at a checkpoint, from its episodes (in order, the last one of the run included).
    ///
    /// # Errors
    /// Shapes that do not fit: another run's episodes.
    pub fn restore_replay(
        &mut self,
        episodes: impl IntoIterator<Item = Episode>,
        beat: &mut dyn FnMut(),
    ) -> Result<()> {
        let (refreshed, later): (Vec<_>, Vec<_>) =
            episodes.into_iter().partition(|e| e.id < self.counts.refreshed_episodes);
        let take_in = |learner: &mut Self, episode: Episode, beat: &mut dyn FnMut()| {
            beat();
            let latents = learner.latents(&episode)?;
            learner.add(episode, latents)
        };
        refreshed.into_iter().try_for_each(|episode| take_in(self, episode, beat))?;
        if self.counts.refreshes > 0 {
            let encoding = self.encode_replay(self.counts.skew_alpha.map(|alpha| (alpha, 0.0)), beat)?;
            self.take_in(&encoding.posteriors, encoding.skewed)?;
        }
        self.stale = false; // all that replay holds was encoded just now
        later.into_iter().try_for_each(|episode| take_in(self, episode, beat))
    }

    /// With `skew`, densities for this power and this floor of the effective sample size.
    fn encode_replay(&mut self, skew: Option<(f64, f64)>, beat: &mut dyn FnMut()) -> Result<Encoding> {
        let posteriors = finite(self.posteriors())?;
        let skewed = skew.map(|(alpha, min_ess)| {
            let densities = self.log_densities(&posteriors, beat);
            Skewed { alpha, min_ess, densities }
        });
        Ok(Encoding { posteriors, skewed })
    }

    /// Posteriors (2Z a picture) of everything in replay, episode by episode: its frames, then its goal picture.
    pub(crate) fn posteriors(&mut self) -> Vec<f32> {
        let pictures = self.replay.episodes().flat_map(|e| (0..=e.steps()).map(|t| e.frame(t)).chain([e.goal_image()]));
        let pictures: Vec<&[u8]> = pictures.collect();
        let mut posteriors = vec![0.0; pictures.len() * 2 * self.cfg.latent.dim];
        self.vae.posteriors(&self.workers, &pictures, &mut posteriors);
        posteriors
    }

    /// New latents, and weights from densities with power `alpha` and a floor `min_ess` of the effective sample size.
    pub(crate) fn take_in(&mut self, posteriors: &[f32], skew: Option<Skewed>) -> Result<Option<SkewInfo>> {
        let dim = self.cfg.latent.dim;
        let encoded = rows(&self.replay, posteriors, dim).map(|(_, rows)| encoded(rows, dim)).collect();
        self.replay.refresh(LatentVersion(self.counts.refreshes), encoded)?;
        self.stale = false;
        skew.map(|s| self.replay.set_log_density(s.densities, s.alpha, s.min_ess)).transpose()
    }

    /// log p of every stored transition's next picture, (T) an episode, from all posteriors.
    ///
    /// Each episode's noise is a stream of its own, so that densities can be computed again after older ones are gone;
    /// it is drawn for [`PICTURES_AT_ONCE`] pictures at a time, so memory does not grow with an episode.
    pub(crate) fn log_densities(&mut self, posteriors: &[f32], beat: &mut dyn FnMut()) -> Vec<Vec<f64>> {
        let (dim, cfg) = (self.cfg.latent.dim, &self.cfg.density);
        let mut one = |(stored, rows): (&Stored, &[f32])| {
            beat();
            let steps = stored.steps();
            let pictures: Vec<&[u8]> = (1..=steps).map(|t| stored.frame(t)).collect();
            let rows = rows[2 * dim..(steps + 1) * 2 * dim].chunks(PICTURES_AT_ONCE * 2 * dim);
            let mut draws = rng::stream(self.cfg.seed, "density", &[self.counts.refreshes, stored.id()]);
            let mut out = vec![0.0; steps];
            let chunks = pictures.chunks(PICTURES_AT_ONCE).zip(rows).zip(out.chunks_mut(PICTURES_AT_ONCE));
            for ((pictures, rows), out) in chunks {
                let noise = normals(pictures.len() * cfg.latents * dim, &mut draws);
                density::log_density(&mut self.vae, &self.workers, cfg, pictures, rows, &noise, out);
            }
            out
        };
        rows(&self.replay, posteriors, dim).map(&mut one).collect()
    }
}

/// Refuses latents that are not finite.
pub(super) fn finite(latents: Vec<f32>) -> Result<Vec<f32>> {
    if latents.iter().all(|z| z.is_finite()) {
        return Ok(latents);
    }
    Err(Error::NotFinite("the VAE's latents are not finite; lower latent.learning_rate".into()))
}

/// Every episode in order, with its own rows (T+2, 2Z) of all posteriors.
fn rows<'a>(replay: &'a Replay, posteriors: &'a [f32], dim: usize) -> impl Iterator<Item = (&'a Stored, &'a [f32])> {
    let mut rest = posteriors;
    replay.episodes().map(move |episode| {
        let (own, after) = rest.split_at((episode.steps() + 2) * 2 * dim);
        rest = after;
        (episode, own)
    })
}

/// Means of an episode's posteriors (T+2, 2Z): its frames, then its goal picture.
fn encoded(rows: &[f32], dim: usize) -> Encoded {
    let mut latents: Vec<f32> = rows.chunks_exact(2 * dim).flat_map(|row| &row[..dim]).copied().collect();
    let goal_latent = latents.split_off(latents.len() - dim);
    Encoded { latents, goal_latent }
}
