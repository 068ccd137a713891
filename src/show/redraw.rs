//! A run directory -> what can be drawn of it without its networks: states and goals out of the shards, the attempts of
//! its last evaluation, a clip of its last episode. What was encoded or decoded (reconstructions, prior samples, the rarest) stays.

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
use crate::show::report::{self, Drawn, States, axis_name};
use crate::task::attempt::{Attempt, EvaluationGoal};
use crate::task::coverage::along;
use crate::task::scene::{self, Described};
use crate::task::scores;

/// Goals shown from the beginning and from the end.
const GOALS_SHOWN: usize = 24;

/// One run's pictures into its own `plots/`, with its `REPORT.md`; or any runs against each other into `out`.
///
/// # Errors
/// `Usage` for several runs without `out`, for what is not a run, and for a place that may not be written, before anything
/// is drawn; as [`report::draw`].
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
        (_, None) => Err(Error::Usage("several runs: say with --out where their curves go".into())),
        (dirs, Some(out)) => {
            drawable(out, "name another --out DIR")?;
            report::compare(&dirs.iter().map(read).collect::<Result<Vec<_>>>()?, out)
        }
    }
}

fn drawable(place: &Path, way: &str) -> Result<()> {
    may_write(place).map_err(|e| Error::Usage(format!("{}: nothing can be drawn there: {e}; {way}", place.display())))
}

/// Everything that the directory holds; no states of a scene that this program does not know.
///
/// # Errors
/// `Usage` for what is not a run, `Damaged` for a damaged `config.toml`.
pub fn of(dir: &Path) -> Result<Drawn> {
    let store = Store::read_only(dir)?;
    let cfg = Config::of_run(dir, Vec::new())?;
    let (goals_early, goals_late) = goals(&store, &cfg.run);
    let summary = std::fs::read(dir.join("summary.json")).ok();
    let summary: Option<Summary> = summary.and_then(|bytes| from_json(&bytes).ok()); // absent before the end
    let mut drawn = Drawn {
        wall_s: summary.as_ref().map(|s| s.wall_s),
        goals_early,
        goals_late,
        last_episode: last_episode(&store),
        ..Drawn::default()
    };
    let mut final_metrics = summary.as_ref().map(|s| s.final_metrics.clone()).unwrap_or_default();
    if let Some(task) = Described::of_run(dir, store.root(), &cfg.env)? {
        let attempts = summary.map_or_else(Vec::new, |s| attempts(dir, s.updates, cfg.env.image_size, &task));
        if let Ok(scene) = scene::build(&cfg.env, 0)
            && scene.spec().name == task.spec.name
        {
            final_metrics.extend(scores::over_goals(&attempts, &*scene)); // a summary of an older program lacks them
        }
        drawn.states = states(visited(&store, &task), &task, &attempts);
        drawn.reached = evaluation::pairs(&attempts);
    }
    drawn.final_metrics = final_metrics.into_iter().collect();
    Ok(drawn)
}

/// Visited states on the scene's map, with the goals of `attempts`; `None` where nothing was visited or there is no map.
#[must_use]
pub fn states(visited: Vec<[f64; 2]>, task: &Described, attempts: &[Attempt]) -> Option<States> {
    let axes = task.map_axes().filter(|_| !visited.is_empty())?.clone();
    let goals = attempts.iter().filter_map(|a| Some(along(&axes, &a.goal.state.as_ref()?.0))).collect();
    Some(States { names: [&axes[0], &axes[1]].map(|axis| axis_name(&task.spec, axis)), goals, visited, axes })
}

/// Every visited state, out of the shards; those that are damaged or may not be read are left out, as `inspect`
/// tells.
fn visited(store: &Store, task: &Described) -> Vec<[f64; 2]> {
    let Some(axes) = task.map_axes() else { return Vec::new() };
    let of = |line: &JournalLine| {
        let episode = store.episode(line.id).ok().filter(|e| !e.counted(0).is_empty())?;
        Some((1..=episode.steps()).map(|t| along(axes, &episode.counted(t))).collect::<Vec<_>>())
    };
    store.lines().par_iter().filter_map(of).collect::<Vec<_>>().concat()
}

/// Pictures of the first and last goals that were the robot's own; warm-up and damaged shards are left out.
#[must_use]
pub fn goals(store: &Store, run: &RunConfig) -> (Vec<Image>, Vec<Image>) {
    let own = store.lines().iter().filter(|line| line.env_steps_end > run.warmup_steps + run.epoch_steps);
    let own: Vec<&JournalLine> = own.collect();
    let picture = |line: &&JournalLine| store.episode(line.id).ok().map(|episode| episode.goal());
    let half = GOALS_SHOWN.min(own.len() / 2);
    let [early, late] = [&own[..half], &own[own.len() - half..]];
    (early.iter().filter_map(picture).collect(), late.iter().filter_map(picture).collect())
}

/// The last sound episode's camera beside its goal.
#[must_use]
pub fn last_episode(store: &Store) -> Option<Clip> {
    store.lines().iter().rev().find_map(|line| store.episode(line.id).ok()).map(|episode| Clip::of(&episode))
}

/// The evaluation at `update`, as far as it was saved; empty where there is none.
fn attempts(dir: &Path, update: u64, image_size: usize, task: &Described) -> Vec<Attempt> {
    let folder = dir.join("eval").join(format!("{update:08}"));
    let bytes = std::fs::read(folder.join("evaluation.json")).unwrap_or_default();
    let report: Value = from_json(&bytes).unwrap_or(Value::Null);
    let state = |told: &Value| -> Option<StateVec> {
        let names = &task.spec.state_names;
        told.as_object()?; // of a picture of the user's nothing is known
        names.iter().map(|name| told[name].as_f64()).collect::<Option<_>>().map(StateVec)
    };
    let picture = |i: usize, what: &str| pictures::load_goal(&folder.join(format!("{i:02}-{what}.png")), image_size);
    let nothing = || Image { size: 0, pixels: Vec::new() };
    let one = |(i, told): (usize, &Value)| {
        let (goal_state, state) = (state(&told["goal_state"]), state(&told["final_state"]));
        let metrics = task.metrics.iter().flatten(); // in the scene's order, the leading one first
        Attempt {
            metrics: metrics.filter_map(|m| Some((m.clone().into(), told["final"][m].as_f64()?))).collect(),
            success: told["success"].as_bool(),
            latent_distance: told["latent_distance"].as_f64().unwrap_or(f64::NAN),
            goal: EvaluationGoal {
                name: told["goal"].as_str().unwrap_or_default().to_owned(),
                image: picture(i, "goal").unwrap_or_else(|_| nothing()),
                state: goal_state,
            },
            reached: picture(i, "reached").unwrap_or_else(|_| nothing()),
            state,
            episode: None,
        }
    };
    report["goals"].as_array().into_iter().flatten().enumerate().map(one).collect()
}
