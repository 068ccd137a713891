//! `skewfit evaluate`: tries to reach pictures with a run's policy.

use super::output;
use crate::error::Result;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Try to reach pictures: your own, or the scene's evaluation pictures
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit evaluate results/door/RUN                              every evaluation picture of the scene
  skewfit evaluate results/door/RUN --goal a.png --goal b.jpg    your own pictures
  skewfit evaluate results/door/RUN --goal photos/               all pictures in a folder
  skewfit evaluate results/door/RUN --episodes 10 --json         ten of the scene's pictures, as JSON")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Picture to reach (PNG, JPEG or GIF), or a folder of them; may be repeated
    #[arg(long, value_name = "IMAGE")]
    goal: Vec<PathBuf>,
    /// Number of attempts, at most 1000 [default: one for each picture]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    episodes: Option<u32>,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let report = crate::run::evaluate::run(&args.run, &args.goal, args.episodes.map(|n| n as usize))?;
    if args.json {
        return output::json(&report);
    }
    for goal in report["goals"].as_array().into_iter().flatten() {
        let success = goal["success"].as_bool().map_or("", |yes| if yes { "  reached" } else { "  missed" });
        let distance = goal["latent_distance"].as_f64().map_or(String::new(), |d| format!("  latent distance {d:.3}"));
        output::line(&format!(
            "{}{}{distance}{success}",
            goal["goal"].as_str().unwrap_or("goal"),
            figures(&goal["final"])
        ))?;
    }
    output::line(&format!("mean{}", figures(&report["mean"])))?;
    output::line(&format!("over all{}", figures(&report["over_goals"])))?;
    report["success_rate"].as_f64().map_or(Ok(()), |rate| output::line(&format!("success rate {rate:.2}")))?;
    let folder = report["goals"][0]["clip"].as_str().and_then(|clip| args.run.join(clip).parent().map(Path::to_owned));
    folder.map_or(Ok(()), |folder| output::line(&format!("pictures and clips in {}", folder.display())))
}

/// `  angle_error_rad 0.0300  hand_distance_m 0.0210`.
fn figures(metrics: &Value) -> String {
    let figure = |(name, value): (&String, &Value)| value.as_f64().map(|v| format!("  {name} {v:.4}"));
    metrics.as_object().into_iter().flatten().filter_map(figure).collect()
}
