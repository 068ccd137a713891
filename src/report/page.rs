//! `REPORT.md`: what was explored, the figures at the end, the pictures, and how to go on.

use std::path::Path;

use super::{Drawn, curves::words, runs::Run};
use crate::figures::{duration, grouped};
use crate::store::Store;

/// What each picture shows, by file name, in the order of reading.
const CAPTIONS: [(&str, &str); 10] = [
    ("reached.png", "Pictures it was shown, each beside what it saw at the end of its attempt."),
    ("coverage.png", "How much of the state space it has seen: entropy of its recent states, and cells ever visited."),
    ("last_episode.gif", "Its last episode: what the camera saw, beside the goal it had set itself."),
    ("states.png", "Every state it visited, with the evaluation goals where they are known."),
    ("states_over_time.png", "Where it spent each part of the run."),
    ("goals.png", "Goals it set itself, early and late in the run."),
    ("evaluation.png", "How its attempts at the evaluation goals ended."),
    ("reconstructions.png", "Camera pictures and what the VAE makes of them."),
    ("prior_samples.png", "What the VAE imagines: decoded draws from its prior."),
    ("learning.png", "What the learners report: SAC, VAE and skewing."),
];

/// The whole page, in Markdown, with the pictures that are in `plots`, named relative to the run.
pub(super) fn page(run_dir: &Path, run: &Run, inputs: &Drawn, plots: &Path) -> String {
    let steps = run.steps();
    let scene = scene(run_dir, run);
    let time = inputs.wall_s.map_or(String::new(), |s| format!(" in {}", duration(s)));
    let head =
        format!("# {}, seed {}\n\nExplored `{scene}` for {} steps{time}.\n", run.name, run.seed(), grouped(steps));
    let figures = final_figures(run, inputs);
    let table = match figures.as_slice() {
        [] => String::new(),
        _ => {
            "\n| At the end | |\n|:---|---:|\n".to_owned()
                + &figures
                    .iter()
                    .map(|(name, v)| format!("| {} | {} |\n", heading(name), figure(*v)))
                    .collect::<String>()
        }
    };
    let shown = CAPTIONS.iter().filter(|(name, _)| plots.join(name).is_file());
    let shown: String = shown.map(|(name, caption)| format!("\n{caption}\n\n![{caption}](plots/{name})\n")).collect();
    let (path, more) = (run_dir.display().to_string().replace('\'', r"'\''"), steps.saturating_mul(2));
    let next = format!(
        "\nTo go on: show it a picture, or let it explore for longer.\n\n```sh\nskewfit evaluate '{path}' --goal picture.png\nskewfit resume '{path}' --steps {more}\n```\n"
    );
    head + &table + &shown + &next
}

/// `coverage/cells` -> `Coverage cells`, `angle_error_rad` -> `Angle error (rad)`.
fn heading(metric: &str) -> String {
    words(&metric.replace("coverage/", "coverage_"))
}

/// As the run's root names it, which a caller's scene does too; else as the configuration has it.
fn scene(run_dir: &Path, run: &Run) -> String {
    let configured = || run.settings.get("env.scene").map_or("its environment", String::as_str).to_owned();
    Store::read_only(run_dir).map_or_else(|_| configured(), |store| store.root().env.clone())
}

/// The given ones, else the last measured evaluation; then the last coverage.
fn final_figures(run: &Run, inputs: &Drawn) -> Vec<(String, f64)> {
    let measured = |prefix: &str| -> Vec<(String, f64)> {
        let names = run.table.columns.iter().map(|(name, _)| name).filter(|name| name.starts_with(prefix));
        names.filter_map(|name| Some((name.clone(), run.table.last(name)?))).collect()
    };
    let given = inputs.final_metrics.clone();
    let attempts = if given.is_empty() { measured("eval/") } else { given };
    attempts.into_iter().chain(measured("coverage/")).collect()
}

/// Three decimals for fractions, none for counts and their means.
pub(super) fn figure(value: f64) -> String {
    if (value.fract() == 0.0 && value.abs() >= 2.0) || value.abs() >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.3}")
    }
}
