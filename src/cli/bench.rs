//! `skewfit bench`: time the learner's own functions.

use super::output;
use crate::bench::{self, Timing};
use crate::error::Result;

/// Time the units of learning on this machine
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit bench                          the six standard units
  skewfit bench sac_step_b1024 --json    one unit, as JSON
  skewfit bench env_door                 steps and pictures of a scene
  skewfit bench door_epoch_full_buffer   a late epoch of a night, by parts: minutes, 1 GB")]
pub struct Args {
    /// Units by name [default: the six standard ones]
    unit: Vec<String>,
    /// Print one JSON object a unit
    #[arg(long)]
    json: bool,
}

/// Runs the verb; each unit is told when it is timed.
pub fn run(args: &Args) -> Result<()> {
    bench::units(&args.unit)?.into_iter().try_for_each(|unit| {
        let timing = bench::time(unit, 0)?;
        if args.json { output::json(&timing) } else { told(&timing) }
    })
}

fn told(Timing { unit, median_ms, min_ms, n, parts }: &Timing) -> Result<()> {
    output::line(&format!("{unit:24} median {median_ms:10.3} ms   min {min_ms:10.3} ms   n {n}"))?;
    let Some(p) = parts else { return Ok(()) };
    let parts = [
        ("scene", p.env_ms),
        ("commit episodes", p.commit_ms),
        ("gather batches", p.gather_ms),
        ("SAC updates", p.sac_ms),
        ("VAE updates", p.vae_ms),
        ("encode replay", p.encode_ms),
        ("densities", p.density_ms),
        ("weights", p.weights_ms),
        ("other", p.other_ms),
    ];
    parts.iter().try_for_each(|(part, ms)| output::line(&format!("  {part:22} {ms:17.3} ms")))?;
    output::line(&format!("  neither scene nor kernels {:14.1} %", p.overhead_percent))
}
