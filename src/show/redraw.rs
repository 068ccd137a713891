//! Redraws a run from its directory, without its networks: states and goals from the shards, the attempts of the last
//! evaluation, a clip of the last episode. Pictures made by networks (reconstructions, prior samples, least likely) are kept.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;
use skewfit_envs::{Image, StateVec};

use crate::config::{Config, RunConfig};
use crate::error::{Error, Result};
use crate::keep::store::fs::{from_json, may_write};
use crate::keep::store::{JournalLine, Store};
use crate::keep::summary::Summary;
use crate::show::clip::Clip;
use crate::show::evaluation;
use crate::show::pictures;
use crate::show::report::{self, ReportInputs, States, axis_name};
use crate::task::attempt::{Attempt, EvaluationGoal};
use crate::task::coverage::along;
use crate::task::scene::{self, EnvDescription};
use crate::task::scores;

/// Goals shown from the start and from the end of a run.
const GOALS_SHOWN: usize = 24;

/// Redraws one run's `plots/` and report, or draws a comparison of runs into `out`.
///
/// # Errors
/// `Usage` for several runs without `out`, if one is not a run, or, before anything is drawn, if the directory cannot be
/// written; else as [`report::draw`].
pub fn plot(run_dirs: &[PathBuf], out: Option<&Path>) -> Result<Vec<PathBuf>> {
    let read = |dir: &PathBuf| Ok((dir.clone(), of(dir)?));
    match (run_dirs, out) {
        ([one], None) => {
            Store::read_tail(one, 0)?; // is it a run?
            [one, &one.join("plots")]
                .into_iter()
                .try_for_each(|place| drawable(place, "draw elsewhere with --out DIR"))?;
            report::draw(one, &of(one)?)
        }
        (_, None) => Err(Error::Usage("several runs are given: name a directory for their curves with --out".into())),
        (dirs, Some(out)) => {
            drawable(out, "give another directory with --out DIR")?;
            report::compare(&dirs.iter().map(read).collect::<Result<Vec<_>>>()?, out)
        }
    }
}

fn drawable(place: &Path, way: &str) -> Result<()> {
    may_write(place).map_err(|e| Error::Usage(format!("{}: nothing can be drawn there: {e}; {way}", place.display())))
}

/// The report's inputs, as far as the directory holds them. States are left out if this program does not know the scene.
///
/// # Errors
/// `Usage` if `dir` is not a run, `Damaged` for a damaged `config.toml`.
pub fn of(dir: &Path) -> Result<ReportInputs> {
    let store = Store::read_only(dir)?;
    let cfg = Config::of_run(dir, Vec::new())?;
    let (goals_early, goals_late) = goals(&store, &cfg.run);
    let summary = std::fs::read(dir.join("summary.json")).ok();
    let summary: Option<Summary> = summary.and_then(|bytes| from_json(&bytes).ok()); // absent before the run ends
    let mut inputs = ReportInputs {
        wall_s: summary.as_ref().map(|s| s.wall_s),
        goals_early,
        goals_late,
        last_episode: last_episode(&store),
        ..ReportInputs::default()
    };
    let mut final_metrics = summary.as_ref().map(|s| s.final_metrics.clone()).unwrap_or_default();
    if let Some(task) = EnvDescription::of_run(dir, store.root(), &cfg.env)? {
        let attempts = summary.map_or_else(Vec::new, |s| attempts(dir, s.updates, cfg.env.image_size, &task));
        if let Ok(scene) = scene::build(&cfg.env, 0)
            && scene.spec().name == task.spec.name
        {
            final_metrics.extend(scores::over_goals(&attempts, &*scene)); // an older program's summary lacks them
        }
        inputs.states = states(visited(&store, &task), &task, &attempts);
        inputs.reached = evaluation::pairs(&attempts);
    }
    inputs.final_metrics = final_metrics.into_iter().collect();
    Ok(inputs)
}

/// Visited states on the scene's map, with the goals of `attempts`; `None` if nothing was visited or there is no map.
#[must_use]
pub fn states(visited: Vec<[f64; 2]>, task: &EnvDescription, attempts: &[Attempt]) -> Option<States> {
    let axes = task.map_axes().filter(|_| !visited.is_empty())?.clone();
    let goals = attempts.iter().filter_map(|a| Some(along(&axes, &a.goal.state.as_ref()?.0))).collect();
    Some(States { names: [&axes[0], &axes[1]].map(|axis| axis_name(&task.spec, axis)), goals, visited, axes })
}

/// All visited states from the shards. Damaged or unreadable shards are left out; `skewfit inspect` lists them.
fn visited(store: &Store, task: &EnvDescription) -> Vec<[f64; 2]> {
    let Some(axes) = task.map_axes() else { return Vec::new() };
    let of = |line: &JournalLine| {
        let episode = store.episode(line.id).ok().filter(|e| !e.counted(0).is_empty())?;
        Some((1..=episode.steps()).map(|t| along(axes, &episode.counted(t))).collect::<Vec<_>>())
    };
    store.lines().par_iter().filter_map(of).collect::<Vec<_>>().concat()
}

/// Pictures of the first and the last exploration goals after the warm-up; damaged shards are left out.
#[must_use]
pub fn goals(store: &Store, run: &RunConfig) -> (Vec<Image>, Vec<Image>) {
    let own = store.lines().iter().filter(|line| line.env_steps_end > run.warmup_steps + run.epoch_steps);
    let own: Vec<&JournalLine> = own.collect();
    let picture = |line: &&JournalLine| store.episode(line.id).ok().map(|episode| episode.goal_image_at(0));
    let half = GOALS_SHOWN.min(own.len() / 2);
    let [early, late] = [&own[..half], &own[own.len() - half..]];
    (early.iter().filter_map(picture).collect(), late.iter().filter_map(picture).collect())
}

/// Clip of the last undamaged episode.
#[must_use]
pub fn last_episode(store: &Store) -> Option<Clip> {
    store.lines().iter().rev().find_map(|line| store.episode(line.id).ok()).map(|episode| Clip::of(&episode))
}

/// The evaluation at `update`, as far as it was saved; empty if there is none.
fn attempts(dir: &Path, update: u64, image_size: usize, task: &EnvDescription) -> Vec<Attempt> {
    let folder = dir.join("eval").join(format!("{update:08}"));
    let bytes = std::fs::read(folder.join("evaluation.json")).unwrap_or_default();
    let report: Value = from_json(&bytes).unwrap_or(Value::Null);
    let state = |entry: &Value| -> Option<StateVec> {
        let names = &task.spec.state_names;
        entry.as_object()?; // the state of a user's picture is unknown
        names.iter().map(|name| entry[name].as_f64()).collect::<Option<_>>().map(StateVec)
    };
    let picture = |i: usize, what: &str| pictures::load_goal(&folder.join(format!("{i:02}-{what}.png")), image_size);
    let nothing = || Image { size: 0, pixels: Vec::new() };
    let attempt = |(i, entry): (usize, &Value)| {
        let (goal_state, state) = (state(&entry["goal_state"]), state(&entry["final_state"]));
        let metrics = task.metrics.iter().flatten(); // in the scene's order, leading metric first
        Attempt {
            metrics: metrics.filter_map(|m| Some((m.clone().into(), entry["final"][m].as_f64()?))).collect(),
            success: entry["success"].as_bool(),
            latent_distance: entry["latent_distance"].as_f64().unwrap_or(f64::NAN),
            goal: EvaluationGoal {
                name: entry["goal"].as_str().unwrap_or_default().to_owned(),
                image: picture(i, "goal").unwrap_or_else(|_| nothing()),
                state: goal_state,
            },
            reached: picture(i, "reached").unwrap_or_else(|_| nothing()),
            state,
            episode: None,
        }
    };
    report["goals"].as_array().into_iter().flatten().enumerate().map(attempt).collect()
}
