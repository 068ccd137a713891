//! One epoch of the door with a full replay buffer: 500 environment steps, 1,000 SAC updates, 200 VAE updates, and a
//! refresh with densities of all stored frames. It is timed once, in parts. In a long night, most epochs are like it.

use std::time::Instant;

use super::disk::{door_episode, temporary_store};
use super::networks::ACTIONS;
use super::timing::{EpochParts, Timing};
use crate::config::Config;
use crate::error::Result;
use crate::learn::episode::Episode;
use crate::learn::learner::{Encoding, Learner};
use crate::task::scene;

/// Times an epoch of `cfg` with a buffer that is filled with copies of one episode (about 0.7 GB for the door).
pub(super) fn time(unit: &str, cfg: &Config) -> Result<Timing> {
    let mut scene = scene::build(&cfg.env, 0)?;
    let mut learner = Learner::new(&cfg.learner(), ACTIONS)?;
    let steps = cfg.env.episode_steps as u64;
    let stored = cfg.replay.capacity as u64 / steps;
    let episode = door_episode(cfg, &mut *scene, &mut learner, 0)?;
    let latents = learner.latents(&episode)?;
    (0..stored).try_for_each(|id| learner.add(Episode { id, ..episode.clone() }, latents.clone()))?;
    let full_at = (cfg.replay.capacity as u64).saturating_sub(cfg.run.warmup_steps) / cfg.run.epoch_steps;
    let (mut store, _folder) = temporary_store(cfg)?;

    let (mut parts, begun) = (EpochParts::default(), Instant::now());
    for id in 0..cfg.run.epoch_steps / steps {
        let episode = timed(&mut parts.env_ms, || door_episode(cfg, &mut *scene, &mut learner, id))?;
        timed(&mut parts.commit_ms, || store.commit(&episode, (id + 1) * steps))?;
        let latents = learner.latents(&episode)?;
        learner.add(Episode { id: stored + id, ..episode }, latents)?;
    }
    for _ in 0..cfg.run.updates_per_epoch {
        timed(&mut parts.gather_ms, || learner.draw_batch())?;
        timed(&mut parts.sac_ms, || learner.fit_agent())?;
    }
    timed(&mut parts.vae_ms, || {
        (0..cfg.latent.updates_at(full_at)).try_for_each(|_| learner.update_vae(cfg.latent.beta_at(full_at)).map(drop))
    })?;
    let posteriors = timed(&mut parts.encode_ms, || learner.posteriors())?;
    let log_density = Some(timed(&mut parts.density_ms, || learner.log_density(&posteriors, &mut || {}))?);
    let power = Some(cfg.skew.power_and_floor());
    timed(&mut parts.weights_ms, || learner.apply_encoding(Encoding { posteriors, log_density }, power))?;
    let all_ms = begun.elapsed().as_secs_f64() * 1e3;
    let parts = Some(parts.with_total(all_ms));
    Ok(Timing { unit: unit.to_owned(), median_ms: all_ms, min_ms: all_ms, cpu_ms: None, n: 1, gflops: None, parts })
}

/// Does `work` and adds its milliseconds to `ms`.
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
    fn the_parts_of_a_small_epoch_add_up_to_its_time() {
        let small = [
            "env={image_size=24, samples=1}",
            "run={warmup_steps=0, updates_per_epoch=10}",
            "latent={dim=4, channels=[4, 8], batch=32, phases=[{every=1, updates=5}]}",
            "agent={hidden=[16, 16], batch=64}",
            "replay.capacity=1000",
        ];
        let cfg = Config::resolve("door", small.map(|set| parse(set).unwrap()).into()).unwrap();
        let Timing { median_ms, min_ms, n, parts, .. } = time("epoch", &cfg).unwrap();
        let p = parts.unwrap();
        let kernels = [p.env_ms, p.sac_ms, p.vae_ms, p.encode_ms, p.density_ms];
        let overhead = [p.commit_ms, p.gather_ms, p.weights_ms, p.other_ms];
        let sum = |parts: &[f64]| parts.iter().sum::<f64>();
        assert!(kernels.iter().chain(&overhead).all(|ms| *ms > 0.0) && n == 1 && median_ms == min_ms, "{p:?}");
        assert!((sum(&kernels) + sum(&overhead) - median_ms).abs() < 1e-9 * median_ms);
        assert!((100.0 * sum(&overhead) / median_ms - p.overhead_percent).abs() < 1e-9);
    }
}
