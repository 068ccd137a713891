//! Estimates a run's time, memory and disk space. Time: multiply-adds, counted from the sizes, divided by the rate that
//! two AVX-512 cores sustain. Bytes are counted from the sizes. FLOP = 2 multiply-adds; a backward pass costs two
//! forward passes.

use crate::config::Config;
use crate::error::Result;
use crate::format;
use crate::learn::density::density;
use crate::learn::latent::Architecture;
use crate::learn::latent::architecture::{FIRST_KERNEL, LAST_KERNEL};
use crate::learn::nn::conv::ConvLayer;
use serde::Serialize;
use skewfit_envs::EnvSpec;

/// FLOP/s sustained by SAC updates, VAE updates and the refresh (`skewfit bench` measures the units on a machine).
const RATES: [f64; 3] = [390e9, 220e9, 320e9];
/// Environment steps a second, with rendering and policy.
const ENV_STEPS_S: f64 = 3000.0;
/// Fixed cost of an update in seconds: gathering the batch, starting threads.
const UPDATE_S: f64 = 0.5e-3;
/// Bytes of an episode without its frames: an HDF5 file and a line of the journal.
const EPISODE_BYTES: f64 = 23.9e3;
/// Bytes of a compressed frame at 48 px, in the door and in the flat scenes; every other scene is estimated as the
/// door. Only edges cost bytes, so the size grows with the side of the picture.
const DOOR_FRAME: f64 = 1470.0;
const FLAT_FRAME: f64 = 298.0;
const FLAT: [&str; 2] = ["corridor", "point2d"];
/// Bytes that an epoch adds to metrics, log and event files.
const EPOCH_BYTES: f64 = 6.3e3;
/// Bytes of a frame in an attempt's clip, as a share of the compressed frame.
const CLIP_FRAME: f64 = 0.5;
/// Bytes of memory of the program; bytes on disk of plots and reports.
const BASE_MEMORY: f64 = 60e6;
const BASE_DISK: f64 = 4e6;

/// Estimated cost of a run.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RunEstimate {
    /// Wall time, seconds.
    pub time_s: f64,
    /// Resident memory at the end, bytes.
    pub memory_bytes: f64,
    /// Size of the run directory at the end, bytes.
    pub disk_bytes: f64,
}

impl std::fmt::Display for RunEstimate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [memory, disk] = [self.memory_bytes, self.disk_bytes].map(format::bytes);
        write!(f, "{}, {memory} of memory, {disk} on disk", format::duration(self.time_s))
    }
}

/// Multiply-adds for one sample, and number of parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Cost {
    macs: f64,
    params: f64,
}

impl std::iter::Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(parts: I) -> Self {
        let none = Self { macs: 0.0, params: 0.0 };
        parts.fold(none, |sum, part| Self { macs: sum.macs + part.macs, params: sum.params + part.params })
    }
}

/// FLOP of the matrix products and convolutions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flop {
    /// A SAC update.
    pub sac: f64,
    /// A VAE update.
    pub vae: f64,
    /// Encoding one picture.
    pub encode: f64,
    /// Encoding one picture and estimating its density.
    pub density: f64,
    /// Encoding one picture and choosing an action.
    pub act: f64,
}

/// Counts the FLOP of a configuration's updates. A SAC update computes: the policy forward on next observations; the
/// policy forward and back on observations; two target critics forward; each critic forward and back; each critic
/// forward and back to its inputs only. Layer norm adds no products.
///
/// # Errors
/// `Usage` if image size and channels do not match.
pub fn flop(c: &Config, action_dim: usize) -> Result<Flop> {
    let [encoder, decoder, policy, critic] = nets(c, action_dim)?.map(|net| 2.0 * net.macs);
    Ok(Flop {
        sac: ((2.0 + 5.0 * c.agent.critics as f64) * critic + 4.0 * policy) * c.agent.batch as f64,
        vae: 3.0 * (encoder + decoder) * c.latent.batch as f64,
        encode: encoder,
        density: encoder + density(&c.density).decodings() as f64 * decoder,
        act: encoder + policy,
    })
}

/// Estimates a whole run in `scene`.
///
/// # Errors
/// `Usage` if image size and channels do not match.
pub fn of(c: &Config, scene: &EnvSpec) -> Result<RunEstimate> {
    let ([encoder, decoder, policy, critic], flop) = (nets(c, scene.action_dim)?, flop(c, scene.action_dim)?);
    let (epochs, frames_max) = (c.run.epochs() as f64, c.replay.capacity as f64);
    let (sac_s, vae_s) = (flop.sac / RATES[0] + UPDATE_S, flop.vae / RATES[1] + UPDATE_S);
    let frame_s = flop.density / RATES[2];
    let frames = |epoch: f64| (c.run.warmup_steps as f64 + c.run.epoch_steps as f64 * (epoch + 1.0)).min(frames_max);
    let latent_s: f64 =
        phases(c).map(|(epoch, weight, updates)| weight * (updates * vae_s + frames(epoch) * frame_s)).sum();
    let evaluations = (epochs / c.evaluate.every_epochs as f64).floor() * c.evaluate.pictures_each_time as f64;
    let attempts = evaluations + c.evaluate.pictures as f64;
    let env_s = (c.run.steps as f64 + attempts * c.env.episode_steps as f64) / ENV_STEPS_S;

    let stored = (c.run.steps as f64).min(frames_max) * (1.0 + 1.0 / c.env.episode_steps as f64);
    let pixels = (c.env.image_size * c.env.image_size) as f64;
    // Each parameter has two Adam moments; target critics have none.
    let critics = c.agent.critics as f64 * critic.params;
    let nets_bytes = 12.0 * (encoder.params + decoder.params + policy.params + critics) + 4.0 * critics;
    let time_s = epochs * c.run.updates_per_epoch as f64 * sac_s + latent_s + env_s;
    let landmarks = match c.run.keep_every_hours * 3600.0 {
        every_s if every_s > 0.0 => 1.0 + (time_s / every_s).floor(),
        _ => 0.0,
    };
    let checkpoints = (c.run.keep_checkpoints as f64 + landmarks) * nets_bytes;
    Ok(RunEstimate {
        time_s,
        memory_bytes: BASE_MEMORY + 2.0 * nets_bytes + stored * (3.0 * pixels + 4.0 * c.latent.dim as f64 + 16.0),
        disk_bytes: BASE_DISK + checkpoints + epochs * EPOCH_BYTES + pictures(c, scene),
    })
}

/// Bytes of all episodes and of the final evaluation's clips.
fn pictures(c: &Config, scene: &EnvSpec) -> f64 {
    let frame = if FLAT.contains(&scene.name.as_str()) { FLAT_FRAME } else { DOOR_FRAME };
    let frames = (c.env.episode_steps + 3) as f64 * frame * scene.image_size as f64 / 48.0;
    let episodes = c.run.steps as f64 / c.env.episode_steps as f64;
    episodes * (EPISODE_BYTES + frames) + CLIP_FRAME * frames * c.evaluate.pictures as f64
}

/// VAE phases as (epoch, number of phases it stands for, minibatches of each); at most 1000 for each schedule entry.
fn phases(c: &Config) -> impl Iterator<Item = (f64, f64, f64)> {
    let mut from = 0_u64;
    c.latent.phases.iter().flat_map(move |phase| {
        let to = phase.before_epoch.unwrap_or(u64::MAX).min(c.run.epochs());
        let (first, end) = (from.div_ceil(phase.every), to.div_ceil(phase.every));
        from = from.max(to);
        let count = if phase.updates == 0 { 0 } else { end.saturating_sub(first) };
        let shown = count.min(1000);
        (0..shown).map(move |i| {
            let epoch = (first + i * count / shown) * phase.every;
            (epoch as f64, count as f64 / shown as f64, phase.updates as f64)
        })
    })
}

/// Encoder, decoder, policy, one critic.
fn nets(c: &Config, actions: usize) -> Result<[Cost; 4]> {
    let a = Architecture::new(c.env.image_size, c.latent.dim, &c.latent.channels)?;
    let (z, first, hidden) = (a.dim, a.channels[0], &c.agent.hidden);
    let border = |kernel: usize| conv(a.cells() - 1, kernel, 3 * first);
    let with = |cost: Cost, biases: usize| Cost { params: cost.params + biases as f64, ..cost };
    let inner = |l: &ConvLayer| conv(l.window.small, l.window.kernel, l.big_channels * l.small_channels);
    let down = a.convs.iter().map(|l| with(inner(l), l.small_channels));
    let up = a.deconvs.iter().map(|l| with(inner(l), l.big_channels));
    let encoder = [with(border(FIRST_KERNEL), first), dense(a.flat, a.flat), dense(a.flat, 2 * z)];
    let decoder = [dense(z, a.flat), with(border(LAST_KERNEL), 3)];
    let mlp = |input, output| -> Cost {
        let units: Vec<usize> = [&[input], hidden.as_slice(), &[output]].concat();
        units.windows(2).map(|pair| dense(pair[0], pair[1])).sum()
    };
    let norms = if c.agent.layer_norm { 2 * hidden.iter().sum::<usize>() } else { 0 };
    let (policy, critic) = (mlp(2 * z, 2 * actions), with(mlp(2 * z + actions, 1), norms));
    Ok([down.chain(encoder).sum(), up.chain(decoder).sum(), policy, critic])
}

/// Cost of a (transposed) convolution without biases. `side` is the side of its smaller picture, `channels` the number
/// of channel pairs.
fn conv(side: usize, kernel: usize, channels: usize) -> Cost {
    let weights = (kernel * kernel * channels) as f64;
    Cost { macs: (side * side) as f64 * weights, params: weights }
}

fn dense(inputs: usize, outputs: usize) -> Cost {
    Cost { macs: (inputs * outputs) as f64, params: ((inputs + 1) * outputs) as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(what: &str, toml: &str) -> Config {
        Config::resolve(what, crate::config::overrides::parse(toml).into_iter().collect()).unwrap()
    }

    fn of_the_door(toml: &str) -> RunEstimate {
        let c = config("door", toml);
        of(&c, crate::task::scene::build(&c.env, 0).unwrap().spec()).unwrap()
    }

    /// The published network's counts: 48 px, Z = 16, 3 actions.
    #[test]
    fn counts_of_the_official_networks() {
        let [encoder, decoder, policy, critic] = nets(&config("door", "seed=0"), 3).unwrap();
        assert_eq!((encoder.macs, decoder.macs), (1_011_888.0, 789_696.0));
        assert_eq!(encoder.params + decoder.params, 409_779.0);
        assert_eq!(
            (policy, critic),
            (Cost { macs: 134_600.0, params: 135_306.0 }, Cost { macs: 134_300.0, params: 135_001.0 })
        );
    }

    #[test]
    fn counts_of_any_layers_and_critics() {
        let c = config("door", "agent={hidden=[10], layer_norm=true, critics=5}");
        let [_, _, policy, critic] = nets(&c, 3).unwrap();
        let (policy_macs, critic_macs) = (32 * 10 + 10 * 6, 35 * 10 + 10);
        assert_eq!(policy, Cost { macs: f64::from(policy_macs), params: f64::from(policy_macs + 10 + 6) });
        assert_eq!(critic, Cost { macs: f64::from(critic_macs), params: f64::from(critic_macs + 10 + 1 + 2 * 10) });
        // 2 target critics forward; each of 5 critics: forward and back (3), forward and back to its inputs (2).
        let (critics, policies) = (2 + 5 * (3 + 2), 1 + 3);
        let macs = f64::from(critics * critic_macs + policies * policy_macs);
        assert_eq!(flop(&c, 3).unwrap().sac, 2.0 * macs * 1024.0);
        let [two, five] = ["agent.critics=2", "agent.critics=5"].map(of_the_door);
        assert!(two.memory_bytes < five.memory_bytes && two.disk_bytes < five.disk_bytes && two.time_s < five.time_s);
    }

    #[test]
    fn minibatches_add_up_for_any_run_length() {
        for (steps, minibatches) in [(95_000, 42_000.0), (385_000, 98_000.0)] {
            let c = config("door", &format!("run.steps={steps}"));
            assert_eq!(phases(&c).map(|(_, weight, updates)| weight * updates).sum::<f64>(), minibatches);
        }
        let c = config("door", "run.steps=1000000000");
        let exact = 10.0 * 1000.0 + 290.0 * 200.0 + (c.run.epochs() - 300).div_ceil(3) as f64 * 200.0;
        let sum: f64 = phases(&c).map(|(_, weight, updates)| weight * updates).sum();
        assert!((sum / exact - 1.0).abs() < 1e-9, "{sum} {exact}");
    }

    #[test]
    fn longer_runs_and_larger_pictures_cost_more() {
        let [short, long, large] = ["run.steps=20000", "run.steps=60000", "env.image_size=96"].map(of_the_door);
        assert!(
            short.time_s < long.time_s && short.disk_bytes < long.disk_bytes && short.memory_bytes < long.memory_bytes
        );
        let usual = of_the_door("seed=0");
        assert!(large.memory_bytes > 3.5 * (usual.memory_bytes - BASE_MEMORY), "{large} {usual}");
    }
}
