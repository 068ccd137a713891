//! One epoch of the door when its buffer is full: 500 steps in the scene, 1,000 SAC updates, 200 VAE updates, a refresh of
//! every stored picture with its density. Timed once, by parts: what a long night spends its hours on.

use std::time::Instant;

use serde::Serialize;

use super::{ACTIONS, Timing, door_episode};
use crate::config::Config;
use crate::episode::Episode;
use crate::error::Result;
use crate::evaluate;
use crate::learner::Learner;

/// Where the time of an epoch goes, milliseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Parts {
    /// Acting in the scene, goals and pictures included.
    pub env_ms: f64,
    /// SAC updates, batches included.
    pub sac_ms: f64,
    /// VAE updates, batches included.
    pub vae_ms: f64,
    /// Encoding, densities, weights.
    pub refresh_ms: f64,
    /// The rest: new episodes into the buffer.
    pub other_ms: f64,
}

/// Times an epoch of `cfg` on a buffer filled with copies of one episode (the door's: about 0.7 GB).
pub(super) fn time(unit: &str, cfg: &Config) -> Result<Timing> {
    let mut scene = evaluate::scene(&cfg.env, 0)?;
    let mut learner = Learner::new(cfg, ACTIONS)?;
    let stored = (cfg.replay.capacity / cfg.env.episode_steps) as u64;
    let episode = door_episode(cfg, &mut *scene, &mut learner, 0)?;
    (0..stored).try_for_each(|id| learner.add(Episode { id, ..episode.clone() }))?;
    let full_at = (cfg.replay.capacity as u64).saturating_sub(cfg.run.warmup_steps) / cfg.run.epoch_steps;

    let (mut parts, begun) = (Parts::default(), Instant::now());
    for id in stored..stored + cfg.run.epoch_steps / cfg.env.episode_steps as u64 {
        let episode = timed(&mut parts.env_ms, || door_episode(cfg, &mut *scene, &mut learner, id))?;
        learner.add(episode)?;
    }
    timed(&mut parts.sac_ms, || (0..cfg.run.updates_per_epoch).try_for_each(|_| learner.update_agent().map(drop)))?;
    timed(&mut parts.vae_ms, || (0..cfg.latent.updates_at(full_at)).try_for_each(|_| learner.update_vae().map(drop)))?;
    timed(&mut parts.refresh_ms, || learner.refresh(true))?;
    let all_ms = begun.elapsed().as_secs_f64() * 1e3;
    parts.other_ms = all_ms - parts.env_ms - parts.sac_ms - parts.vae_ms - parts.refresh_ms;
    Ok(Timing { unit: unit.to_owned(), median_ms: all_ms, min_ms: all_ms, n: 1, parts: Some(parts) })
}

/// Does `work` and adds its milliseconds.
fn timed<T>(ms: &mut f64, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let begun = Instant::now();
    let done = work();
    *ms += begun.elapsed().as_secs_f64() * 1e3;
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::overrides::parse;

    #[test]
    fn the_parts_of_a_small_epoch_make_up_its_time() {
        let small = [
            "env={image_size=24, samples=1}",
            "run={warmup_steps=0, updates_per_epoch=10}",
            "latent={dim=4, channels=[4, 8], batch=32, phases=[{every=1, updates=5}]}",
            "agent={hidden=[16, 16], batch=64}",
            "replay.capacity=1000",
        ];
        let cfg = Config::resolve("door", small.map(|set| parse(set).unwrap()).into()).unwrap();
        let Timing { median_ms, min_ms, n, parts, .. } = time("epoch", &cfg).unwrap();
        let Parts { env_ms, sac_ms, vae_ms, refresh_ms, other_ms } = parts.unwrap();
        let parts = [env_ms, sac_ms, vae_ms, refresh_ms, other_ms];
        assert!(parts.iter().all(|ms| *ms > 0.0) && n == 1 && median_ms == min_ms, "{parts:?}");
        assert!((parts.iter().sum::<f64>() - median_ms).abs() < 1e-9 * median_ms);
    }
}
