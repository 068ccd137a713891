//! `skewfit bench`: the learner's own functions, timed as units of fixed shape that peers implement too.
//!
//! Noise and optimiser are inside the clock. Figures compare as ratios within one run, never across machines.

mod epoch;

use std::path::PathBuf;
use std::time::Instant;

use serde::Serialize;
use skewfit_envs::{Action, Scene};

use crate::actor_loop::{Behaviour, Target, rollout};
use crate::agent::{Noise, Sac, SacConfig};
use crate::config::{Config, DensityConfig, EnvConfig, LatentConfig};
use crate::episode::{Episode, GoalOrigin};
use crate::error::{Error, Result};
use crate::evaluate;
use crate::goals::Batch;
use crate::latent::{Vae, density};
use crate::learner::{Learner, normals as normal};
use crate::nn::{Workers, ceiling};
use crate::rng::{self, Rng};
use crate::store::{ShardRoot, Store};
pub use epoch::Parts;

/// One unit's figure.
#[derive(Clone, Debug, Serialize)]
pub struct Timing {
    /// Name.
    pub unit: String,
    /// Milliseconds.
    pub median_ms: f64,
    /// Milliseconds.
    pub min_ms: f64,
    /// Repetitions after five that are not counted; 1 = without those.
    pub n: usize,
    /// Where the time went, for a unit that has parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
}

/// The units timed where none is named.
pub const DEFAULT_UNITS: [&str; 6] =
    ["gemm_1024", "sac_step_b1024", "vae_step_b128", "encode_b512", "logp_b512_n10", "act_b1"];
/// Units by name only.
pub const OTHER_UNITS: [&str; 5] =
    ["env_door", "env_corridor", "env_point2d", "commit_episode", "door_epoch_full_buffer"];

const Z: usize = 16;
const ACTIONS: usize = 3;

/// Times one unit at the door's shapes on `threads` threads (0 = all cores).
///
/// # Errors
/// `Usage` for an unknown unit.
pub fn time(unit: &str, threads: usize) -> Result<Timing> {
    let workers = Workers::new(threads);
    let (n, mut work) = match unit {
        "gemm_1024" => (40, gemm(workers)),
        "sac_step_b1024" => (60, sac_step(workers)?),
        "vae_step_b128" => (40, vae_step(workers)?),
        "encode_b512" => (40, encode(workers)?),
        "logp_b512_n10" => (10, log_density(workers)?),
        "act_b1" => (300, act(&workers)?),
        "env_door" | "env_corridor" | "env_point2d" => (400, scene_step(unit.trim_start_matches("env_"))?),
        "commit_episode" => (40, commit_episode()?),
        "door_epoch_full_buffer" => {
            let mut door = Config::resolve("door", Vec::new())?;
            door.run.threads = threads;
            return epoch::time(unit, &door);
        }
        _ => return Err(unknown(unit)),
    };
    for _ in 0..5 {
        work()?;
    }
    let mut millis = Vec::with_capacity(n);
    for _ in 0..n {
        let start = Instant::now();
        work()?;
        millis.push(start.elapsed().as_secs_f64() * 1e3);
    }
    millis.sort_by(f64::total_cmp);
    Ok(Timing { unit: unit.to_owned(), median_ms: millis[n / 2], min_ms: millis[0], n, parts: None })
}

/// The named units, or the six that peers implement too.
///
/// # Errors
/// `Usage` for an unknown unit, before anything is timed.
pub fn units(names: &[String]) -> Result<Vec<&str>> {
    let known = [&DEFAULT_UNITS[..], &OTHER_UNITS[..]].concat();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown(name)),
        None if names.is_empty() => Ok(DEFAULT_UNITS.to_vec()),
        None => Ok(names.iter().map(String::as_str).collect()),
    }
}

fn unknown(unit: &str) -> Error {
    let known = [&DEFAULT_UNITS[..], &OTHER_UNITS[..]].concat().join(", ");
    Error::Usage(format!("unknown unit `{unit}`; known: {known}"))
}

type Work = Box<dyn FnMut() -> Result<()>>;

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

fn model(workers: Workers, pictures: usize) -> Result<Model> {
    use rand::RngCore as _;
    let mut rng = rng::stream(0, "bench", &[]);
    let cfg: LatentConfig = Config::resolve("door", Vec::new())?.latent;
    let vae = Vae::new(&cfg, 48, &workers, &mut rng)?;
    let mut picture = || {
        let mut bytes = vec![0; 48 * 48 * 3];
        rng.fill_bytes(&mut bytes);
        bytes
    };
    let pictures = (0..pictures).map(|_| picture()).collect();
    Ok(Model { vae, workers, pictures, rng })
}

fn vae_step(workers: Workers) -> Result<Work> {
    let mut m = model(workers, 128)?;
    Ok(Box::new(move || {
        let pictures: Vec<&[u8]> = m.pictures.iter().map(Vec::as_slice).collect();
        let noise = normal(pictures.len() * Z, &mut m.rng);
        m.vae.update(&m.workers, &pictures, &noise).map(|_| ())
    }))
}

fn encode(workers: Workers) -> Result<Work> {
    let mut m = model(workers, 512)?;
    Ok(Box::new(move || {
        let pictures: Vec<&[u8]> = m.pictures.iter().map(Vec::as_slice).collect();
        std::hint::black_box(m.vae.encode(&m.workers, &pictures));
        Ok(())
    }))
}

fn log_density(workers: Workers) -> Result<Work> {
    let mut m = model(workers, 512)?;
    let cfg: DensityConfig = Config::resolve("door", Vec::new())?.density;
    Ok(Box::new(move || {
        let pictures: Vec<&[u8]> = m.pictures.iter().map(Vec::as_slice).collect();
        let mut posteriors = vec![0.0; pictures.len() * 2 * Z];
        m.vae.posteriors(&m.workers, &pictures, &mut posteriors);
        let noise = normal(pictures.len() * cfg.latents * Z, &mut m.rng);
        let mut out = vec![0.0; pictures.len()];
        density::log_density(&mut m.vae, &m.workers, &cfg, &pictures, &posteriors, &noise, &mut out);
        std::hint::black_box(out);
        Ok(())
    }))
}

fn act(workers: &Workers) -> Result<Work> {
    let mut m = model(Workers::new(1), 1)?;
    let agent = Config::resolve("door", Vec::new())?.agent;
    let mut sac = Sac::new(SacConfig { latent_dim: Z, action_dim: ACTIONS, agent }, workers, &mut m.rng);
    let goal = normal(Z, &mut m.rng);
    Ok(Box::new(move || {
        let mut observation = m.vae.encode_one(&m.pictures[0]);
        observation.extend_from_slice(&goal);
        std::hint::black_box(sac.act_mean(&observation));
        Ok(())
    }))
}

/// One step with random actions and its 48 px picture, on the calling thread.
fn scene_step(name: &str) -> Result<Work> {
    let cfg = Config::resolve("door", Vec::new())?;
    let mut scene = evaluate::scene(&EnvConfig { scene: name.to_owned(), ..cfg.env }, 0)?;
    let mut rng = rng::stream(0, "bench", &[]);
    scene.reset(&mut rng)?;
    let actions = scene.spec().action_dim;
    Ok(Box::new(move || {
        let action = normal(actions, &mut rng).iter().map(|u| u.tanh()).collect();
        std::hint::black_box(scene.step(&Action(action))?);
        Ok(())
    }))
}

/// An episode of the door into a store in a folder of its own under the system's temporary one; removed at the end.
fn commit_episode() -> Result<Work> {
    let cfg = Config::resolve("door", Vec::new())?;
    let mut scene = evaluate::scene(&cfg.env, 0)?;
    let mut learner = Learner::new(&cfg, ACTIONS)?;
    let mut episode = door_episode(&cfg, &mut *scene, &mut learner, 0)?;
    let (mut store, folder) = scratch_store(&cfg)?;
    Ok(Box::new(move || {
        let _kept_until_the_end = &folder;
        store.commit(&episode, (episode.id + 1) * 100)?;
        episode.id += 1;
        Ok(())
    }))
}

/// An episode of the door towards a goal from the prior.
fn door_episode(cfg: &Config, scene: &mut dyn Scene, learner: &mut Learner, id: u64) -> Result<Episode> {
    let [mut reset, mut noise] = ["env", "policy"].map(|name| rng::stream(0, name, &[id]));
    let latent = normal(cfg.latent.dim, &mut noise);
    let target = Target { picture: learner.vae.decode(&latent), latent, origin: GoalOrigin::Prior };
    let models = (&mut learner.vae, &mut learner.sac);
    rollout(scene, models, &target, (id, cfg.env.episode_steps), &mut reset, Behaviour::Explore(&mut noise))
}

/// A store in a folder of its own under the system's temporary one.
fn scratch_store(cfg: &Config) -> Result<(Store, Scratch)> {
    let folder = Scratch(std::env::temp_dir().join(format!("skewfit-bench-{}", std::process::id())));
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
