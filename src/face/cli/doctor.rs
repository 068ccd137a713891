//! `skewfit doctor`: reports what the machine offers.

use super::output::line;
use crate::error::Result;
use crate::format::bytes;
use crate::keep::provenance::machine;
use crate::keep::store::fs::{DiskFs, Fs};
use std::path::Path;

/// Default folder of runs.
const RESULTS: &str = "results";

/// Check the machine: processor, memory, disk, speed
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit doctor")]
pub struct Args {}

/// Runs the verb.
pub fn run(Args {}: &Args) -> Result<()> {
    let machine = machine();
    let features = if machine.features.is_empty() { "none known".into() } else { machine.features.join(", ") };
    line(&format!("skewfit    {}, {}", env!("CARGO_PKG_VERSION"), env!("SKEWFIT_RUSTC")))?;
    line(&format!("processor  {}", machine.cpu))?;
    line(&format!("features   {features}"))?;
    line(&format!("threads    {}", machine.cores))?;
    line(&format!("memory     {}", machine.memory_bytes.map_or("unknown".into(), |b| bytes(b as f64))))?;
    let results = Path::new(RESULTS);
    let here = if results.is_dir() { results } else { Path::new(".") };
    let free = DiskFs.free_bytes(here).map_or("unknown".into(), |b| bytes(b as f64));
    line(&format!("disk free  {free} for {RESULTS}/"))?;
    let product = crate::face::bench::time("gemm_1024", 0)?;
    line(&format!("matrices   {:.0} GFLOP/s in f32", product.gflops.unwrap_or_default()))
}
