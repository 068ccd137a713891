//! `skewfit evaluate`: evaluates a run's newest sound checkpoint on the user's pictures or on the run's own.

mod place;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::keep::store::fs::from_json;
use crate::run::goal_folder;
use crate::show::evaluation::{report, write};
use crate::show::pictures;
use crate::task::attempt::{EvaluationGoal, Evaluator, env_goals};
use crate::task::opened::OpenedRun;
use crate::task::scene::{self, Build, check_same_scene, check_scene};
use place::Place;

/// Most goal pictures of one evaluation.
const MOST: usize = 1000;

/// What to evaluate, and where the results go.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Pictures to reach, or folders of them; empty = the run's own pictures.
    pub goals: Vec<PathBuf>,
    /// Number of attempts; `None` = one for each picture.
    pub episodes: Option<usize>,
    /// Directory for the results, new or empty; `None` = a directory in the run's `eval/`.
    pub out: Option<PathBuf>,
}

/// The result of an evaluation.
#[derive(Debug)]
pub struct Evaluated {
    /// The object that `--json` prints; `folder` is the directory of the results, null if they were not saved.
    pub report: Value,
    /// The error if saving failed after the attempts.
    pub unsaved: Option<Error>,
}

/// Evaluates a run's newest sound checkpoint on the user's pictures, or on the run's own if there are none.
///
/// # Errors
/// As [`run_in`]; `Usage` for an environment that is not shipped.
pub fn run(dir: &Path, options: &Options, warn: &mut dyn FnMut(&str)) -> Result<Evaluated> {
    run_in(dir, options, &scene::build, warn)
}

/// [`run`] in an environment of the caller.
///
/// An evaluation on all of the run's own pictures is written to `eval/<update>`. One on some of them is written to a new
/// directory `eval/partial/<n>`, and one on the user's pictures to a new `eval/pictures/<n>`. If the directory cannot be
/// written, `warn` is called before the first attempt, and nothing is saved.
///
/// # Errors
/// `Usage` if `dir` is not a run, a file is not a picture, or `out` is not empty or cannot be written; `Damaged` if no
/// checkpoint is sound.
pub fn run_in(dir: &Path, options: &Options, build: Build<'_>, warn: &mut dyn FnMut(&str)) -> Result<Evaluated> {
    let opened = OpenedRun::read(dir)?;
    let cfg = &opened.cfg;
    let given = given(&options.goals, cfg.env.image_size)?;
    let mut evaluator = Evaluator::new(cfg, &|goals| {
        let env = build(&cfg.env, goals)?;
        check_same_scene(opened.store.root(), env.spec())?;
        check_scene(&*env, &cfg.env).map(|()| env)
    })?;
    let learner = opened.learner()?;

    let own = given.is_empty();
    let kept = if own { goal_folder::load(dir, cfg)? } else { Vec::new() };
    let judged = kept.is_empty() && evaluator.env().truth().is_some();
    let pool = [given, kept].into_iter().find(|goals| !goals.is_empty());
    let pool = pool.unwrap_or_else(|| env_goals(evaluator.env()));
    if pool.is_empty() {
        return Err(Error::Usage(format!("{}: has no pictures of its own; give some with --goal", dir.display())));
    }
    let n = options.episodes.unwrap_or(pool.len());
    let update = opened.checkpoint.content.update;
    let of_the_run = dir.join("eval").join(format!("{update:08}"));
    let place = match &options.out {
        Some(out) => Place::Given(out.clone()),
        None if own && n == pool.len() => Place::OfTheRun(of_the_run.clone()),
        None => Place::NewIn(dir.join("eval").join(if own { "partial" } else { "pictures" })),
    };
    let savable = place.usable(warn)?;

    let wanted: Vec<(u64, EvaluationGoal)> = (0..n as u64).zip(pool.iter().cycle().cloned()).collect();
    let mut attempts = evaluator.attempt(&learner, cfg, &wanted, &mut || {})?;
    if !own {
        let threshold = known_threshold(&of_the_run);
        attempts.iter_mut().for_each(|a| a.success = threshold.map(|t| a.latent_distance <= t));
    }
    let report = |folder: Option<&Path>| report(dir, folder, update, &attempts, evaluator.env(), judged);
    let save = || {
        let folder = place.make()?;
        let report = report(Some(&folder));
        write(&folder, &report, &attempts).and_then(|()| place.update_last(&folder))?;
        Ok((folder.display().to_string(), report))
    };
    let (folder, mut report, unsaved) = match savable.then(save).transpose() {
        Ok(Some((folder, report))) => (Some(folder), report, None),
        Ok(None) => (None, report(None), None),
        Err(e) => (None, report(None), Some(e)),
    };
    report["folder"] = json!(folder);
    Ok(Evaluated { report, unsaved })
}

/// The pictures in these files and folders.
fn given(goals: &[PathBuf], image_size: usize) -> Result<Vec<EvaluationGoal>> {
    let load = |path: &PathBuf| {
        let image = pictures::load_goal(path, image_size)?;
        Ok(EvaluationGoal { name: path.display().to_string(), image, state: None })
    };
    let files = |path: &PathBuf| if path.is_dir() { pictures::pictures_in(path) } else { Ok(vec![path.clone()]) };
    let files = goals.iter().map(files).collect::<Result<Vec<_>>>()?.concat();
    if files.len() > MOST {
        return Err(Error::Usage(format!("{} pictures to reach; give at most {MOST} at a time", files.len())));
    }
    files.iter().map(load).collect()
}

/// The latent threshold that the evaluation in `folder`, on the scene's own pictures, has found.
fn known_threshold(folder: &Path) -> Option<f64> {
    let bytes = std::fs::read(folder.join("evaluation.json")).ok()?;
    from_json::<Value>(&bytes).ok()?["latent_threshold"].as_f64()
}
