//! `skewfit bench`: time the learner's own functions.

use crate::error::Result;

/// Time the units of learning on this machine
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit bench                          the six standard units
  skewfit bench sac_step_b1024 --json    one unit, as JSON
  skewfit bench env_door                 steps and pictures of a scene")]
pub struct Args {
    /// Units by name [default: the six standard ones]
    unit: Vec<String>,
    /// Print one JSON object a unit
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    crate::bench::run(&args.unit, args.json)
}
