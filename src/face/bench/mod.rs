//! `skewfit bench`: times the learner's functions as units of fixed shape, which other implementations have too.
//!
//! The time includes noise and optimiser. Only compare times as ratios within one run, never across machines.

mod disk;
mod epoch;
mod growth;
mod networks;
mod scenes;
mod timing;
mod units;

use crate::config::Config;
use crate::error::Result;
use crate::learn::nn::Workers;
use crate::run::estimate;
pub use growth::growth;
use timing::repeat;
pub use timing::{EpochParts, Timing, Work};
use units::unknown_unit;
pub use units::{DEFAULT_UNITS, GROWTH_UNITS, OTHER_UNITS, units};

/// Times one unit with the door's shapes on `threads` threads (0 = all cores).
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
    let mut timing = repeat(unit, n, each, work(unit, threads)?)?;
    timing.gflops = products(unit)?.map(|flop| flop / timing.median_ms / 1e6);
    Ok(timing)
}

/// FLOP of a unit's products with the door's shapes; `None` if they are not counted.
fn products(unit: &str) -> Result<Option<f64>> {
    let flop = estimate::flop(&Config::resolve("door", Vec::new())?, networks::ACTIONS)?;
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

/// One repetition of a unit, for [`time`].
///
/// # Errors
/// `Usage` for an unknown unit and for units that are not repeated: the epoch and the [`GROWTH_UNITS`].
pub fn work(unit: &str, threads: usize) -> Result<Work> {
    let workers = Workers::new(threads);
    let door = Config::resolve("door", Vec::new())?;
    Ok(match unit {
        "gemm_1024" => networks::gemm(workers),
        "sac_step_b1024" => networks::sac_step(workers)?,
        "vae_step_b128" => networks::vae_step(networks::model(&door, workers, 128)?),
        "encode_b512" => networks::encode(networks::model(&door, workers, 512)?),
        "logp_b512_n10" => networks::log_density(networks::model(&door, workers, 512)?, &door.density),
        "act_b1" => networks::act(&workers)?,
        "commit_episode" => disk::commit_episode()?,
        "checkpoint_door" => disk::checkpoint_door()?,
        _ => match unit.split_once('_').filter(|_| OTHER_UNITS.contains(&unit)) {
            Some(("env", scene)) => scenes::step(scene)?,
            Some(("physics", scene)) => scenes::physics(scene)?,
            Some(("render", scene)) => scenes::picture(scene)?,
            _ => return Err(unknown_unit(unit)),
        },
    })
}
