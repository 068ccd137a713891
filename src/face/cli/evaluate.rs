//! `skewfit evaluate`: tries to reach pictures with a run's policy.

use super::output;
use crate::error::Result;
use crate::run::evaluate::{self, Options};
use serde_json::Value;
use std::path::PathBuf;

/// Try to reach pictures: your own, or the scene's evaluation pictures
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit evaluate results/door/RUN                              every evaluation picture of the scene
  skewfit evaluate results/door/RUN --goal a.png --goal b.jpg    your own pictures
  skewfit evaluate results/door/RUN --goal photos/               all pictures in a folder
  skewfit evaluate results/door/RUN --goal a.png --out here      results in a directory of your choice
  skewfit evaluate results/door/RUN --episodes 10 --json         ten of the scene's pictures, as JSON

Each call writes its results to a new directory of the run: eval/pictures/000001/ and so on for your pictures,
eval/partial/000001/ for some of the scene's; the file `last` beside them names the newest. An evaluation on all of the
scene's pictures goes to eval/<updates>/. If the run is read-only, results are printed; save them with --out.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Picture to reach (PNG, JPEG or GIF, at most 200 megapixels), or a folder of them; may be repeated
    #[arg(long, value_name = "IMAGE")]
    goal: Vec<PathBuf>,
    /// Number of attempts, at most 1000 [default: one for each picture]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    episodes: Option<u32>,
    /// Where the results go, a new or empty directory [default: a new one in eval/ of the run]
    #[arg(long, value_name = "DIR", value_parser = super::path::new_path())]
    out: Option<PathBuf>,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let episodes = args.episodes.map(|n| n as usize);
    let options = Options { goals: args.goal.clone(), episodes, out: args.out.clone() };
    let evaluated = evaluate::run(&args.run, &options, &mut super::say)?;
    if args.json { output::json(&evaluated.report) } else { show(&evaluated.report) }?;
    evaluated.unsaved.map_or(Ok(()), Err)
}

/// A line a goal, then the means.
fn show(report: &Value) -> Result<()> {
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
    report["folder"].as_str().map_or(Ok(()), |folder| output::line(&format!("pictures and clips in {folder}")))
}

/// `  angle_error_rad 0.0300  hand_distance_m 0.0210`.
fn figures(metrics: &Value) -> String {
    let figure = |(name, value): (&String, &Value)| value.as_f64().map(|v| format!("  {name} {v:.4}"));
    metrics.as_object().into_iter().flatten().filter_map(figure).collect()
}
