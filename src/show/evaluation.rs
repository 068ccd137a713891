//! An evaluation as files: `evaluation.json`, a contact sheet, pictures, clips.

use std::path::Path;

use rayon::prelude::*;
use serde_json::{Map, Value, json};
use skewfit_envs::{Env, StateVec};

use crate::error::Result;
use crate::keep::store::fs::{DiskFs, Fs, disk_error, lock_exclusively, write_atomic};
use crate::show::clip::{self, Clip};
use crate::show::pictures;
use crate::show::report::{Reached, sheet_of_attempts};
use crate::task::attempt::{Attempt, EPISODES_KEPT};
use crate::task::scores::{latent_threshold, means, over_goals};

/// Attempts in `clips.gif` (the first ones, not the best), and how many of them form a row.
const TOGETHER: usize = 8;
const IN_A_ROW: usize = 4;

/// The content of `evaluation.json`. `judged` is true if the environment measures attempts. Clips are named by their place in
/// `folder`, relative to the run if they are inside of it; without a folder no clip is named.
#[must_use]
pub fn report(
    run: &Path,
    folder: Option<&Path>,
    update: u64,
    attempts: &[Attempt],
    env: &dyn Env,
    judged: bool,
) -> Value {
    let named = |state: &StateVec| -> Value {
        let entries = env.spec().state_names.iter().zip(&state.0).map(|(name, v)| (name.clone(), json!(v)));
        Value::Object(entries.collect::<Map<_, _>>())
    };
    let place = folder.map(|folder| folder.strip_prefix(run).unwrap_or(folder));
    let clip = |i| place.map(|place| place.join(clip_file(i)).display().to_string());
    let goal = |(i, a): (usize, &Attempt)| {
        json!({
            "goal": a.goal.name,
            "source": if a.goal.state.is_some() { "scene" } else { "picture" },
            "goal_state": a.goal.state.as_ref().map(named),
            "final_state": a.state.as_ref().map(named),
            "final": a.metrics.iter().map(|(n, v)| (n.to_string(), json!(v))).collect::<Map<_, _>>(),
            "latent_distance": a.latent_distance,
            "success": a.success,
            "clip": a.episode.as_ref().and_then(|_| clip(i)),
        })
    };
    let (mean, success_rate) = means(attempts, judged);
    json!({
        "run": run.display().to_string(),
        "checkpoint": update,
        "goals": attempts.iter().enumerate().map(goal).collect::<Vec<_>>(),
        "mean": mean.into_iter().map(|(n, v)| (n, json!(v))).collect::<Map<_, _>>(),
        "over_goals": over_goals(attempts, env).into_iter().map(|(n, v)| (n, json!(v))).collect::<Map<_, _>>(),
        "success_rate": success_rate,
        "latent_threshold": latent_threshold(attempts),
    })
}

/// Captioned goal | reached pairs of the first [`EPISODES_KEPT`] attempts, for a contact sheet.
#[must_use]
pub fn pairs(attempts: &[Attempt]) -> Vec<Reached> {
    let caption = |a: &Attempt| match a.metrics.first() {
        Some((name, value)) => format!("{value:.3}{}", if name.ends_with("_rad") { " rad" } else { "" }),
        None => format!("latent {:.2}", a.latent_distance),
    };
    let pair = |a: &Attempt| Reached {
        goal: a.goal.image.clone(),
        reached: a.reached.clone(),
        caption: caption(a),
        error: a.metrics.first().map_or(a.latent_distance, |m| m.1),
    };
    attempts.iter().take(EPISODES_KEPT).map(pair).collect()
}

fn clip_file(attempt: usize) -> String {
    format!("{attempt:02}.gif")
}

/// Writes into `dir`: `evaluation.json`; a contact sheet, pictures and clips of the first [`EPISODES_KEPT`] attempts; and
/// `clips.gif`, the first few attempts side by side.
///
/// # Errors
/// `Disk` or `Io` if a file cannot be written.
pub fn write(dir: &Path, report: &Value, attempts: &[Attempt]) -> Result<()> {
    DiskFs.create_dir(dir).map_err(|e| disk_error("create", dir, &e))?;
    let _alone = lock_exclusively(dir); // two evaluations of one checkpoint write the same names
    write_atomic(&DiskFs, &dir.join("evaluation.json"), format!("{report:#}\n").as_bytes())?;
    let attempts = &attempts[..attempts.len().min(EPISODES_KEPT)];
    sheet_of_attempts(&pairs(attempts), &dir.join("sheet.png"))?;
    for (i, a) in attempts.iter().enumerate() {
        pictures::save_png(&a.goal.image, &dir.join(format!("{i:02}-goal.png")))?;
        pictures::save_png(&a.reached, &dir.join(format!("{i:02}-reached.png")))?;
    }
    let clips: Vec<Clip> = attempts.iter().filter_map(|a| a.episode.as_ref().map(Clip::of)).collect();
    let each = |(i, clip): (usize, &Clip)| clip::save(&dir.join(clip_file(i)), std::slice::from_ref(clip), 1);
    clips.par_iter().enumerate().try_for_each(each)?;
    match &clips[..clips.len().min(TOGETHER)] {
        [] => Ok(()),
        first => clip::save(&dir.join("clips.gif"), first, IN_A_ROW),
    }
}
