//! `skewfit bench`: the learner's own functions, timed as units of fixed shape that peers implement too.
//!
//! Noise and optimiser are inside the clock. Figures compare as ratios within one run, never across machines.

mod epoch;
mod growth;
mod scenes;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::Serialize;
use skewfit_envs::Scene;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::keep::checkpoint::{self, Keep, Snapshot};
use crate::keep::models::model_tensors;
use crate::keep::provenance::{Whose, cpu_s};
use crate::keep::store::fs::DiskFs;
use crate::keep::store::{ShardRoot, Store};
use crate::learn::agent::{Noise, Sac, SacConfig};
use crate::learn::episode::{Episode, GoalOrigin};
use crate::learn::goals::Batch;
use crate::learn::latent::{Vae, density};
use crate::learn::learner::Learner;
use crate::learn::nn::{Workers, ceiling};
use crate::learn::rng::normals as normal;
use crate::learn::rng::{self, Rng};
use crate::learn::rollout::{Behaviour, Policy, Target, rollout};
use crate::learn::settings::DensityConfig;
use crate::run::estimate;
use crate::run::explore::state::RunState;
use crate::task::scene;
pub use epoch::Parts;
pub use growth::{GROWTH_UNITS, growth};

/// One unit's figure.
#[derive(Clone, Debug, Serialize)]
pub struct Timing {
    /// Name.
    pub unit: String,
    /// Milliseconds.
    pub median_ms: f64,
    /// Milliseconds.
    pub min_ms: f64,
    /// Milliseconds of the processor, of this thread, on average: the rest was spent waiting, as for a disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<f64>,
    /// Repetitions after five that are not counted; 1 = without those.
    pub n: usize,
    /// GFLOP/s of its products, at the median.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gflops: Option<f64>,
    /// Where the time went, for a unit that has parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
}

/// The units timed where none is named.
pub const DEFAULT_UNITS: [&str; 6] =
    ["gemm_1024", "sac_step_b1024", "vae_step_b128", "encode_b512", "logp_b512_n10", "act_b1"];
/// Units by name only.
pub const OTHER_UNITS: [&str; 12] = [
    "env_door",
    "physics_door",
    "render_door",
    "env_corridor",
    "physics_corridor",
    "render_corridor",
    "env_point2d",
    "physics_point2d",
    "render_point2d",
    "commit_episode",
    "checkpoint_door",
    "door_epoch_full_buffer",
];

const Z: usize = 16;
const ACTIONS: usize = 3;

/// Times one unit at the door's shapes on `threads` threads (0 = all cores).
///
/// # Errors
/// `Usage` for an unknown unit.
pub fn time(unit: &str, threads: usize) -> Result<Timing> {
    let (n, each) = match unit {
        "door_epoch_full_buffer" => {
            let mut door = Config::resolve("door", Vec::new())?;
            door.run.threads = threads;
            return epoch::time(unit, &door);
        }
        "sac_step_b1024" => (60, 1),
        "logp_b512_n10" => (10, 1),
        "act_b1" => (300, 1),
        _ if unit.starts_with("physics_") => (100, 50),
        _ if unit.starts_with("env_") || unit.starts_with("render_") => (400, 1),
        _ => (40, 1),
    };
    let mut timing = repeat(unit, (n, each), work(unit, threads)?)?;
    timing.gflops = products(unit)?.map(|flop| flop / timing.median_ms / 1e6);
    Ok(timing)
}

/// FLOP of a unit's products at the door's shapes.
fn products(unit: &str) -> Result<Option<f64>> {
    let flop = estimate::flop(&Config::resolve("door", Vec::new())?)?;
    Ok(match unit {
        "gemm_1024" => Some(2.0 * 1024f64.powi(3)),
        "sac_step_b1024" => Some(flop.sac),
        "vae_step_b128" => Some(flop.vae),
        "encode_b512" => Some(512.0 * flop.encode),
        "logp_b512_n10" => Some(512.0 * flop.density),
        "act_b1" => Some(flop.act),
        _ => None,
    })
}

/// What one repetition of a unit does, as [`time`] calls it.
///
/// # Errors
/// `Usage` for an unknown unit, and for those that are not repeated: the epoch and [`GROWTH_UNITS`].
pub fn work(unit: &str, threads: usize) -> Result<Work> {
    let workers = Workers::new(threads);
    let door = Config::resolve("door", Vec::new())?;
    Ok(match unit {
        "gemm_1024" => gemm(workers),
        "sac_step_b1024" => sac_step(workers)?,
        "vae_step_b128" => vae_step(model(&door, workers, 128)?),
        "encode_b512" => encode(model(&door, workers, 512)?),
        "logp_b512_n10" => log_density(model(&door, workers, 512)?, door.density),
        "act_b1" => act(&workers)?,
        "commit_episode" => commit_episode()?,
        "checkpoint_door" => checkpoint_door()?,
        _ => match unit.split_once('_').filter(|_| OTHER_UNITS.contains(&unit)) {
            Some(("env", scene)) => scenes::step(scene)?,
            Some(("physics", scene)) => scenes::physics(scene)?,
            Some(("render", scene)) => scenes::picture(scene)?,
            _ => return Err(unknown(unit)),
        },
    })
}

/// Does `work` five times without counting, then `n` times, `each` calls between two looks at the clock.
fn repeat(unit: &str, (n, each): (usize, usize), mut work: Work) -> Result<Timing> {
    for _ in 0..5 {
        work()?;
    }
    let mut millis = Vec::with_capacity(n);
    let cpu = cpu_s(Whose::Thread);
    for _ in 0..n {
        let start = Instant::now();
        (0..each).try_for_each(|_| work())?;
        millis.push(start.elapsed().as_secs_f64() * 1e3 / each as f64);
    }
    let waits = ["commit_episode", "checkpoint_door"].contains(&unit);
    let cpu_ms = waits.then(|| (cpu_s(Whose::Thread) - cpu) * 1e3 / (n * each) as f64);
    millis.sort_by(f64::total_cmp);
    let (unit, median_ms, min_ms) = (unit.to_owned(), millis[n / 2], millis[0]);
    Ok(Timing { unit, median_ms, min_ms, cpu_ms, n, gflops: None, parts: None })
}

/// The named units, or the six that peers implement too.
///
/// # Errors
/// `Usage` for an unknown unit, before anything is timed.
pub fn units(names: &[String]) -> Result<Vec<&str>> {
    let known = known_units();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown(name)),
        None if names.is_empty() => Ok(DEFAULT_UNITS.to_vec()),
        None => Ok(names.iter().map(String::as_str).collect()),
    }
}

fn known_units() -> Vec<&'static str> {
    [&DEFAULT_UNITS[..], &OTHER_UNITS[..], &GROWTH_UNITS[..]].concat()
}

fn unknown(unit: &str) -> Error {
    let known = known_units().join(", ");
    Error::Usage(format!("unknown unit `{unit}`; known: {known}"))
}

/// One repetition of a unit.
pub type Work = Box<dyn FnMut() -> Result<()>>;

fn gemm(workers: Workers) -> Work {
    let a: Vec<f32> = (0..1024 * 1024).map(|i| (i % 13) as f32 - 6.0).collect();
    let mut dst = vec![0.0; a.len()];
    Box::new(move || {
        ceiling::square_product(&workers, 1024, &a, &a, &mut dst);
        Ok(())
    })
}

fn sac_step(workers: Workers) -> Result<Work> {
    let mut rng = rng::stream(0, "bench", &[]);
    let agent = Config::resolve("door", Vec::new())?.agent;
    let size = agent.batch;
    let mut batch = Batch::default();
    batch.resize(size, Z, ACTIONS);
    batch.mask.fill(1.0);
    batch.observation = normal(size * 2 * Z, &mut rng);
    batch.next_observation = normal(size * 2 * Z, &mut rng);
    batch.action = normal(size * ACTIONS, &mut rng).iter().map(|u| u.tanh()).collect();
    batch.reward = normal(size, &mut rng).iter().map(|r| -r.abs()).collect();
    let mut sac = Sac::new(SacConfig { latent_dim: Z, action_dim: ACTIONS, agent }, &workers, &mut rng);
    let mut noise = Noise::default();
    Ok(Box::new(move || {
        noise.draw(size * ACTIONS, &mut rng);
        sac.update(&workers, &batch, &noise).map(|_| ())
    }))
}

struct Model {
    vae: Vae,
    workers: Workers,
    pictures: Vec<Vec<u8>>,
    rng: Rng,
}

/// A fresh VAE of `cfg` and pictures of noise.
fn model(cfg: &Config, workers: Workers, pictures: usize) -> Result<Model> {
    use rand::RngCore as _;
    let mut rng = rng::stream(0, "bench", &[]);
    let size = cfg.env.image_size;
    let vae = Vae::new(&cfg.latent, size, &workers, &mut rng)?;
    let mut picture = || {
        let mut bytes = vec![0; size * size * 3];
        rng.fill_bytes(&mut bytes);
        bytes
    };
    let pictures = (0..pictures).map(|_| picture()).collect();
    Ok(Model { vae, workers, pictures, rng })
}

fn vae_step(mut m: Model) -> Work {
    Box::new(move || {
        let pictures: Vec<&[u8]> = m.pictures.iter().map(Vec::as_slice).collect();
        let noise = normal(pictures.len() * m.vae.dim(), &mut m.rng);
        m.vae.update(&m.workers, &pictures, &noise).map(|_| ())
    })
}

fn encode(mut m: Model) -> Work {
    Box::new(move || {
        let pictures: Vec<&[u8]> = m.pictures.iter().map(Vec::as_slice).collect();
        std::hint::black_box(m.vae.encode(&m.workers, &pictures));
        Ok(())
    })
}

fn log_density(mut m: Model, cfg: DensityConfig) -> Work {
    let dim = m.vae.dim();
    Box::new(move || {
        let pictures: Vec<&[u8]> = m.pictures.iter().map(Vec::as_slice).collect();
        let mut posteriors = vec![0.0; pictures.len() * 2 * dim];
        m.vae.posteriors(&m.workers, &pictures, &mut posteriors);
        let noise = normal(pictures.len() * cfg.latents * dim, &mut m.rng);
        let mut out = vec![0.0; pictures.len()];
        density::log_density(&mut m.vae, &m.workers, &cfg, &pictures, &posteriors, &noise, &mut out);
        std::hint::black_box(out);
        Ok(())
    })
}

fn act(workers: &Workers) -> Result<Work> {
    let door = Config::resolve("door", Vec::new())?;
    let mut m = model(&door, Workers::new(1), 1)?;
    let agent = door.agent;
    let mut sac = Sac::new(SacConfig { latent_dim: Z, action_dim: ACTIONS, agent }, workers, &mut m.rng);
    let goal = normal(Z, &mut m.rng);
    Ok(Box::new(move || {
        let mut observation = m.vae.encode_one(&m.pictures[0]);
        observation.extend_from_slice(&goal);
        std::hint::black_box(sac.act_mean(&observation));
        Ok(())
    }))
}

/// An episode of the door into a store in a folder of its own under the system's temporary one; removed at the end.
fn commit_episode() -> Result<Work> {
    let cfg = Config::resolve("door", Vec::new())?;
    let mut scene = scene::build(&cfg.env, 0)?;
    let mut learner = Learner::new(&cfg.learner(), ACTIONS)?;
    let mut episode = door_episode(&cfg, &mut *scene, &mut learner, 0)?;
    let (mut store, folder) = scratch_store(&cfg)?;
    Ok(Box::new(move || {
        let _kept_until_the_end = &folder;
        store.commit(&episode, (episode.id + 1) * 100)?;
        episode.id += 1;
        Ok(())
    }))
}

/// A checkpoint of the door's learner, three of which are kept.
fn checkpoint_door() -> Result<Work> {
    let cfg = Config::resolve("door", Vec::new())?;
    let (scene, learner) = (scene::build(&cfg.env, 0)?, Learner::new(&cfg.learner(), ACTIONS)?);
    let (store, folder) = scratch_store(&cfg)?;
    let mut update = 0;
    Ok(Box::new(move || {
        let _kept_until_the_end = &folder;
        let (params, optimizer) = model_tensors(&learner);
        let state = serde_json::json!(RunState::default());
        let snapshot = Snapshot { update, params, optimizer, state, env: scene.snapshot()?.0 };
        checkpoint::save(&DiskFs, store.dir(), &snapshot, Keep { newest: 3, every_s: 0.0, spared: &[] })?;
        update += 1;
        Ok(())
    }))
}

/// An episode of the door towards a goal from the prior.
fn door_episode(cfg: &Config, scene: &mut dyn Scene, learner: &mut Learner, id: u64) -> Result<Episode> {
    let [mut reset, mut noise] = ["env", "policy"].map(|name| rng::stream(0, name, &[id]));
    let latent = normal(cfg.latent.dim, &mut noise);
    let target = Target { picture: learner.vae.decode(&latent), latent, origin: GoalOrigin::Prior };
    let Learner { vae, sac, .. } = learner;
    let policy = Policy { vae, sac, behaviour: Behaviour::Explore(&mut noise) };
    rollout(scene, policy, &target, id, cfg.env.episode_steps, &mut reset)
}

/// A store in a folder of its own under the system's temporary one.
fn scratch_store(cfg: &Config) -> Result<(Store, Scratch)> {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    let name = format!("skewfit-bench-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
    let folder = Scratch(std::env::temp_dir().join(name));
    let root = ShardRoot { run_id: cfg.run_id()?, seed: 0, env: cfg.env.scene.clone() };
    Ok((Store::create(&folder.0, root)?, folder))
}

/// A folder that is removed when dropped.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // the system clears its temporary folder anyway
    }
}
