//! `skewfit bench`: times the learner's functions.

use std::path::PathBuf;

use super::output;
use crate::error::{Error, Result};
use crate::face::bench::{self, GROWTH_UNITS, Timing};
use crate::format::grouped;
use crate::keep::store::fs::{DiskFs, Fs, disk_error};
use crate::show::report::{self, Curve};

/// Time the learner's functions on this machine
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit bench                          the six standard units
  skewfit bench sac_step_b1024 --json    one unit, as JSON
  skewfit bench env_door                 steps and pictures of a scene
  skewfit bench physics_door render_door a scene's physics alone, and its picture alone
  skewfit bench door_epoch_full_buffer   an epoch with a full buffer, in parts; takes minutes and 1 GB
  skewfit bench growth_buffer growth_image growth_latents growth_threads --out docs
                                         curves, drawn into docs/growth.svg; takes minutes and 1 GB")]
pub struct Args {
    /// Names of units [default: the six standard units]
    unit: Vec<String>,
    /// Print one JSON object for each unit, or for each curve of the `growth_` units
    #[arg(long)]
    json: bool,
    /// Draw the curves of the `growth_` units into this directory
    #[arg(long, value_name = "DIR", value_parser = super::path::new_path())]
    out: Option<PathBuf>,
}

/// Runs the verb; prints each unit as soon as it is timed.
pub fn run(args: &Args) -> Result<()> {
    let units = bench::units(&args.unit)?;
    if args.out.is_some() && !units.iter().any(|unit| GROWTH_UNITS.contains(unit)) {
        return Err(Error::Usage(format!("--out only draws growth units; name one of {}", GROWTH_UNITS.join(", "))));
    }
    if let Some(out) = &args.out {
        DiskFs.create_dir(out).map_err(|e| disk_error("make the directory", out, &e))?; // before minutes are spent
    }
    let (mut curves, mut ceiling) = (Vec::new(), None);
    for unit in units {
        if GROWTH_UNITS.contains(&unit) {
            let measured = bench::growth(unit)?;
            measured.iter().try_for_each(|c| if args.json { output::json(c) } else { print_curve(c) })?;
            curves.extend(measured);
        } else {
            let timing = bench::time(unit, 0)?;
            ceiling = timing.gflops.filter(|_| unit == "gemm_1024").or(ceiling);
            if args.json { output::json(&timing) } else { print_timing(&timing, ceiling) }?;
        }
    }
    let Some(out) = &args.out else { return Ok(()) };
    let files = report::growth(&curves, out)?;
    if args.json { Ok(()) } else { files.iter().try_for_each(|f| output::line(&f.display().to_string())) }
}

/// Prints one unit's times; its GFLOP/s also as a share of `ceiling`, the GFLOP/s of `gemm_1024` in this run.
fn print_timing(
    Timing { unit, median_ms, min_ms, cpu_ms, n, gflops, parts }: &Timing,
    ceiling: Option<f64>,
) -> Result<()> {
    let of_scenes = ["env_", "physics_", "render_"].iter().any(|kind| unit.starts_with(kind));
    let share = |gflops| ceiling.map_or(String::new(), |c| format!(", {:.0} % of the ceiling", 100.0 * gflops / c));
    let rate = match gflops {
        Some(gflops) => format!("   {gflops:.0} GFLOP/s{}", share(gflops)),
        None if of_scenes => format!("   {} a second", grouped((1e3 / median_ms) as u64)),
        None if cpu_ms.is_some() => {
            format!("   processor {:.3} ms, the rest waits for the disk", cpu_ms.unwrap_or(0.0))
        }
        None => String::new(),
    };
    let digits = if *median_ms < 0.01 { 6 } else { 3 };
    let [median, min] = [median_ms, min_ms].map(|ms| format!("{ms:10.digits$} ms"));
    output::line(&format!("{unit:24} median {median}   min {min}   n {n}{rate}"))?;
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
    output::line(&format!("  overhead (not scene, not kernels) {:6.1} %", p.overhead_percent))
}

fn print_curve(curve: &Curve) -> Result<()> {
    let Curve { quantity, against, series, linear, points } = curve;
    let whose = if series.is_empty() { String::new() } else { format!(", {series}") };
    let bend = curve.bend().filter(|_| *linear);
    let bend = bend.map_or(String::new(), |b| format!("; at most {:.0} % off a straight line", 100.0 * b));
    output::line(&format!("{quantity}{whose}, against {against}{bend}"))?;
    if points.is_empty() {
        return output::line("  not available on this system");
    }
    points.iter().try_for_each(|(x, y)| output::line(&format!("  {:>10} {y:14.3}", grouped(*x as u64))))
}
