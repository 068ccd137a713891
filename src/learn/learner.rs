//! Episodes in -> replay -> updates of agent and VAE out; every draw comes from a stream named by what it is for.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::learn::agent::{Noise, Sac, SacConfig, SacInfo};
use crate::learn::episode::Episode;
use crate::learn::goals::relabel::{RelabelMix, sample_batch};
use crate::learn::goals::{Batch, GoalSource, PriorGoals, ReplayGoals};
use crate::learn::latent::{Vae, VaeInfo, density};
use crate::learn::nn::Workers;
use crate::learn::replay::{Encoded, LatentVersion, Replay, SkewInfo, Slot, Stored};
use crate::learn::rng::{self, normals};
use crate::learn::settings::{GoalSourceKind, LearnerConfig};

/// Pictures whose densities are computed in one go.
const PICTURES_AT_ONCE: usize = 128;

/// What the next update depends on besides parameters and episodes: integers, and the power in force.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// SAC updates.
    pub updates: u64,
    /// VAE minibatches.
    pub vae_updates: u64,
    /// Refreshes of all latents: the latents' version.
    pub refreshes: u64,
    /// Episodes that were there at the last refresh; later ones are absent from the skewed distribution.
    pub refreshed_episodes: u64,
    /// alpha of the skewed distribution, after tempering; `None` while draws are uniform.
    pub skew_alpha: Option<f64>,
    /// Halvings of both learning rates, one a return to a checkpoint.
    #[serde(default)]
    pub halvings: u32,
}

/// Pictures of the next VAE update, with the noise that their latents are drawn with.
#[derive(Debug, Default)]
pub(crate) struct Minibatch {
    slots: Vec<Slot>,
    /// (B, Z).
    pub noise: Vec<f32>,
}

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

/// Models, replay and counters.
pub struct Learner {
    /// Threads.
    pub workers: Workers,
    /// The latent model.
    pub vae: Vae,
    /// The agent.
    pub sac: Sac,
    /// Committed episodes in memory.
    pub replay: Replay,
    /// Counters.
    pub counts: Counts,
    cfg: LearnerConfig,
    /// Of the next SAC update.
    pub(crate) batch: Batch,
    noise: Noise,
    /// Of the next VAE update.
    pub(crate) minibatch: Minibatch,
    /// Whether the VAE has changed since replay was encoded: nothing is learned from latents then.
    stale: bool,
}

impl Learner {
    /// Fresh models for a scene with `action_dim` actions.
    ///
    /// # Errors
    /// `Usage` where image size and channels do not fit.
    pub fn new(cfg: &LearnerConfig, action_dim: usize) -> Result<Self> {
        let workers = Workers::new(cfg.threads);
        let (size, seed) = (cfg.image_size, cfg.seed);
        let vae = Vae::new(&cfg.latent, size, &workers, &mut rng::stream(seed, "vae-init", &[]))?;
        let sac = SacConfig { latent_dim: cfg.latent.dim, action_dim, agent: cfg.agent.clone() };
        let sac = Sac::new(sac, &workers, &mut rng::stream(seed, "agent-init", &[]));
        let replay = Replay::new(cfg.replay.capacity, cfg.latent.dim);
        Ok(Self {
            workers,
            vae,
            sac,
            replay,
            counts: Counts::default(),
            cfg: cfg.clone(),
            batch: Batch::default(),
            noise: Noise::default(),
            minibatch: Minibatch::default(),
            stale: false,
        })
    }

    /// Where exploration and relabelling goals come from now.
    #[must_use]
    pub fn goals(&self) -> Box<dyn GoalSource + '_> {
        match self.cfg.goals.source {
            GoalSourceKind::Replay => Box::new(ReplayGoals { replay: &self.replay }),
            GoalSourceKind::Prior => Box::new(PriorGoals { dim: self.cfg.latent.dim }),
        }
    }

    /// Latents of an episode's frames under the present VAE, (T+1, Z).
    ///
    /// # Errors
    /// `NotFinite`.
    pub fn latents(&mut self, episode: &Episode) -> Result<Vec<f32>> {
        let frames: Vec<&[u8]> = (0..=episode.steps()).map(|t| episode.frame(t)).collect();
        finite(self.vae.encode(&self.workers, &frames))
    }

    /// Takes in a committed episode with its [`latents`](Self::latents).
    ///
    /// # Errors
    /// An episode whose shapes do not fit the run.
    pub fn add(&mut self, episode: Episode, latents: Vec<f32>) -> Result<()> {
        self.replay.push(episode, latents, LatentVersion(self.counts.refreshes))
    }

    /// One SAC update on a relabelled batch; returns its facts and the batch's mean reward.
    ///
    /// # Errors
    /// `Damaged` where replay is empty, which only a run that lost its episodes can be; `NotFinite`.
    pub fn update_agent(&mut self) -> Result<(SacInfo, f64)> {
        self.draw_batch()?;
        self.fit_agent()
    }

    /// Draws the batch and the noise of the next SAC update.
    pub(crate) fn draw_batch(&mut self) -> Result<()> {
        if self.replay.transitions() == 0 {
            let way = "put the episodes named in run.log back, then resume";
            return Err(Error::Damaged(format!("there is no sound episode to learn from: {way}")));
        }
        if self.stale {
            return Err(Error::Misuse("latents are those of an earlier VAE: refresh them first".into()));
        }
        let (seed, update) = (self.cfg.seed, self.counts.updates);
        let mut batch = std::mem::take(&mut self.batch);
        let mix = RelabelMix { keep: self.cfg.goals.relabel_keep, source: self.cfg.goals.relabel_source };
        let (size, scale) = (self.cfg.agent.batch, self.cfg.agent.reward_scale as f32);
        let mut draws = rng::stream(seed, "batch", &[update]);
        sample_batch(&self.replay, &*self.goals(), mix, size, scale, &mut draws, &mut batch);
        self.noise.draw(batch.action.len(), &mut rng::stream(seed, "agent", &[update]));
        self.batch = batch;
        Ok(())
    }

    /// The SAC update itself, on the batch that was drawn.
    pub(crate) fn fit_agent(&mut self) -> Result<(SacInfo, f64)> {
        let batch = &self.batch;
        self.sac.halvings = self.counts.halvings;
        let info = self.sac.update(&self.workers, batch, &self.noise);
        let reward = batch.reward.iter().map(|r| f64::from(*r)).sum::<f64>() / batch.size.max(1) as f64;
        self.counts.updates += 1;
        let info = info?;
        if reward.is_finite() && info.columns().iter().all(|(_, fact)| fact.is_finite()) {
            return Ok((info, reward));
        }
        Err(Error::NotFinite("a loss of the agent is not finite; lower agent.learning_rate".into()))
    }

    /// One VAE update on pictures drawn by the skewed distribution, or uniformly where there is none.
    ///
    /// # Errors
    /// `NotFinite`.
    pub fn update_vae(&mut self) -> Result<VaeInfo> {
        self.draw_minibatch();
        self.fit_vae()
    }

    /// Draws the pictures and the noise of the next VAE update.
    pub(crate) fn draw_minibatch(&mut self) {
        let mut draws = rng::stream(self.cfg.seed, "vae", &[self.counts.vae_updates]);
        let slots: Vec<_> = (0..self.cfg.latent.batch).filter_map(|_| self.replay.draw_skewed(&mut draws)).collect();
        let noise = normals(slots.len() * self.cfg.latent.dim, &mut draws);
        self.minibatch = Minibatch { slots, noise };
    }

    /// The VAE update itself, on the minibatch that was drawn.
    pub(crate) fn fit_vae(&mut self) -> Result<VaeInfo> {
        let Minibatch { slots, noise } = std::mem::take(&mut self.minibatch);
        let pictures: Vec<&[u8]> = slots.iter().map(|slot| self.replay.next_frame(*slot)).collect();
        self.counts.vae_updates += 1;
        self.vae.halvings = self.counts.halvings;
        self.stale = true;
        let info = self.vae.update(&self.workers, &pictures, &noise)?;
        if info.columns().iter().all(|(_, fact)| fact.is_finite()) {
            return Ok(info);
        }
        Err(Error::NotFinite("the VAE's loss is not finite; lower latent.learning_rate".into()))
    }

    /// Lets `write` change the models from outside (a checkpoint): they are used as they are then, and replay's latents
    /// are those of another VAE.
    ///
    /// # Errors
    /// Those of `write`, which may have changed a part.
    pub fn overwrite<T>(&mut self, write: impl FnOnce(&mut Vae, &mut Sac) -> T) -> T {
        let written = write(&mut self.vae, &mut self.sac);
        self.vae.parameters_changed();
        self.stale = true;
        written
    }

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

fn finite(latents: Vec<f32>) -> Result<Vec<f32>> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng as _;
    use skewfit_envs::Ending;

    fn learner(threads: usize) -> Learner {
        let mut cfg = crate::config::Config::resolve("corridor-tiny", vec![]).unwrap();
        cfg.run.threads = threads;
        Learner::new(&cfg.learner(), 2).unwrap()
    }

    /// Pictures of noise.
    fn episode(steps: usize) -> Episode {
        let size = 24 * 24 * 3;
        let noise = normals((steps + 1) * size, &mut rng::stream(0, "test-pictures", &[]));
        let frames: Vec<u8> = noise.iter().map(|v| (128.0 + 60.0 * v) as u8).collect();
        Episode {
            id: 0,
            image_size: 24,
            goal_image: frames[..size].to_vec(),
            frames,
            proprio: vec![],
            proprio_dim: 0,
            actions: vec![0.5; steps * 2],
            action_dim: 2,
            goal_latent: vec![0.0; 4],
            goal_origin: crate::learn::episode::GoalOrigin::Prior,
            states: vec![],
            state_names: vec![],
            ending: Ending::Truncated,
        }
    }

    /// A hundred refits in a random schedule: all cached latents are those of the pictures under the present VAE, to the
    /// bit, and so are rewards; between a fit and its refresh nothing is learned.
    #[test]
    fn g16_latents_are_never_stale() {
        let begun = std::time::Instant::now();
        let mut learner = learner(1);
        let mut draws = rng::stream(16, "test-schedule", &[]);
        let mut id = 0;
        for refit in 0..100 {
            for _ in 0..draws.random_range(u32::from(refit == 0)..3) {
                let pictures = episode(draws.random_range(1..4));
                let taken = Episode { id, ..pictures };
                let latents = learner.latents(&taken).unwrap();
                learner.add(taken, latents).unwrap();
                id += 1;
            }
            for _ in 0..draws.random_range(0..3) {
                learner.update_vae().unwrap();
                assert!(matches!(learner.update_agent(), Err(Error::Misuse(why)) if why.contains("refresh")));
            }
            learner.refresh(refit % 3 == 1, &mut || {}).unwrap();
            let stored: Vec<_> = learner.replay.episodes().map(|e| (e.id(), e.steps())).collect();
            for (k, (_, steps)) in stored.into_iter().enumerate() {
                let held = |learner: &Learner| {
                    learner.replay.episodes().nth(k).unwrap().latents(learner.replay.version()).unwrap().to_vec()
                };
                let frames: Vec<Vec<u8>> =
                    (0..=steps).map(|t| learner.replay.episodes().nth(k).unwrap().frame(t).to_vec()).collect();
                let frames: Vec<&[u8]> = frames.iter().map(Vec::as_slice).collect();
                let fresh = learner.vae.encode(&learner.workers, &frames);
                assert_eq!(held(&learner), fresh, "refit {refit}");
            }
            learner.update_agent().unwrap();
            let batch = &learner.batch;
            let z = batch.latent_dim;
            for row in 0..batch.size {
                let next = &batch.next_observation[row * 2 * z..(row + 1) * 2 * z];
                let distance = crate::learn::goals::reward::latent_distance(&next[..z], &next[z..]);
                assert_eq!(batch.reward[row], -distance, "refit {refit}");
            }
        }
        let what = "refits in a random schedule: every cached latent and reward is that of the pictures, exactly";
        crate::trials::record(("G16", 16), what, 100, begun);
    }

    /// Each episode is heard of twice: when it is taken in, and when its densities are made anew.
    #[test]
    fn replay_is_restored_as_it_was_and_not_in_silence() {
        let [mut first, mut second] = [1, 1].map(learner);
        let episodes: Vec<Episode> = (0..4).map(|id| Episode { id, ..episode(2) }).collect();
        for taken in episodes.clone() {
            let latents = first.latents(&taken).unwrap();
            first.add(taken, latents).unwrap();
        }
        first.refresh(true, &mut || {}).unwrap();
        second.counts = first.counts.clone();
        let mut beats = 0;
        second.restore_replay(episodes, &mut || beats += 1).unwrap();
        let weights = |learner: &Learner| learner.replay.skew_weights().unwrap().p.clone();
        assert_eq!((beats, weights(&second)), (8, weights(&first)));
    }

    #[test]
    fn nothing_is_learned_from_no_episodes() {
        let mut learner = learner(1);
        assert!(matches!(learner.update_agent(), Err(Error::Damaged(_))));
        assert_eq!((learner.counts.updates, learner.sac.temperature()), (0, 1.0));
    }

    #[test]
    fn densities_in_pieces_are_those_of_the_whole_episode() {
        let steps = 2 * PICTURES_AT_ONCE + 37;
        for threads in [1, 2, 3] {
            let mut learner = learner(threads);
            let episode = episode(steps);
            let pictures: Vec<&[u8]> = (0..=steps).map(|t| episode.frame(t)).chain([&episode.goal_image[..]]).collect();
            let mut rows = vec![0.0; (steps + 2) * 2 * 4];
            learner.vae.posteriors(&learner.workers, &pictures, &mut rows);
            let (cfg, mut whole) = (learner.cfg.density.clone(), vec![0.0; steps]);
            let noise = normals(steps * cfg.latents * 4, &mut rng::stream(learner.cfg.seed, "density", &[0, 0]));
            let (seen, own) = (&pictures[1..=steps], &rows[2 * 4..(steps + 1) * 2 * 4]);
            density::log_density(&mut learner.vae, &learner.workers, &cfg, seen, own, &noise, &mut whole);
            let latents = learner.latents(&episode).unwrap();
            learner.add(episode.clone(), latents).unwrap();
            assert_eq!(learner.log_densities(&rows, &mut || {}), [whole], "{threads} threads");
        }
    }
}
