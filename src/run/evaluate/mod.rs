//! `skewfit evaluate`: a run's newest sound checkpoint on pictures of the user's, or on those that the run has.

mod place;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::keep::store::fs::from_json;
use crate::run::goal_folder;
use crate::show::evaluation::{report, write};
use crate::show::pictures;
use crate::task::attempt::{Evaluator, Goal, own_goals};
use crate::task::opened::Opened;
use crate::task::scene::{self, Build, fits, same_scene};
use place::Place;

/// Pictures tried at a time.
const MOST: usize = 1000;

/// What is tried, and where the results go.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Pictures to reach, or folders of them; empty = the pictures that the run has.
    pub goals: Vec<PathBuf>,
    /// Attempts; `None` = one a picture.
    pub episodes: Option<usize>,
    /// A directory for the results, new or empty; `None` = below `eval/` of the run.
    pub out: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug)]
pub struct Evaluated {
    /// The contract's object; `folder` is where the results were saved, null where they were not.
    pub report: Value,
    /// Why they were not all saved, where that was found out after the attempts.
    pub unsaved: Option<Error>,
}

/// `skewfit evaluate`: a run's newest sound checkpoint on pictures of the user's, or on those that the run has.
///
/// # Errors
/// As [`run_in`]; `Usage` of an environment that is not shipped.
pub fn run(dir: &Path, options: &Options, warn: &mut dyn FnMut(&str)) -> Result<Evaluated> {
    run_in(dir, options, &scene::build, warn)
}

/// [`run`] in an environment of the caller's.
///
/// An attempt at each picture that the run has is its evaluation at that checkpoint, in `eval/<update>`. What else is
/// tried goes to a new directory a call, `eval/pictures/<n>` or, of the run's own pictures, `eval/partial/<n>`. Where
/// these may not be written, `warn` hears it before the first attempt, and nothing is saved.
///
/// # Errors
/// `Usage` for what is not a run or not a picture, and for an `out` that is in use or may not be written; `Damaged` where
/// no checkpoint is sound.
pub fn run_in(dir: &Path, options: &Options, build: Build<'_>, warn: &mut dyn FnMut(&str)) -> Result<Evaluated> {
    let opened = Opened::read(dir)?;
    let cfg = &opened.cfg;
    let given = given(&options.goals, cfg.env.image_size)?;
    let mut evaluator = Evaluator::new(cfg, &|goals| {
        let env = build(&cfg.env, goals)?;
        same_scene(opened.store.root(), env.spec())?;
        fits(&*env, &cfg.env).map(|()| env)
    })?;
    let learner = opened.learner()?;

    let own = given.is_empty();
    let kept = if own { goal_folder::kept(dir, cfg)? } else { Vec::new() };
    let judged = kept.is_empty() && evaluator.env().truth().is_some();
    let pool = [given, kept].into_iter().find(|goals| !goals.is_empty());
    let pool = pool.unwrap_or_else(|| own_goals(evaluator.env()));
    if pool.is_empty() {
        return Err(Error::Usage(format!("{}: has no pictures of its own; give some with --goal", dir.display())));
    }
    let n = options.episodes.unwrap_or(pool.len());
    let update = opened.checkpoint.snapshot.update;
    let of_the_run = dir.join("eval").join(format!("{update:08}"));
    let place = match &options.out {
        Some(out) => Place::Given(out.clone()),
        None if own && n == pool.len() => Place::OfTheRun(of_the_run.clone()),
        None => Place::NewIn(dir.join("eval").join(if own { "partial" } else { "pictures" })),
    };
    let savable = place.usable(warn)?;

    let wanted: Vec<(u64, Goal)> = (0..n as u64).zip(pool.iter().cycle().cloned()).collect();
    let mut attempts = evaluator.attempt(&learner, cfg, &wanted, &mut || {})?;
    if !own {
        let threshold = known_threshold(&of_the_run);
        attempts.iter_mut().for_each(|a| a.success = threshold.map(|t| a.latent_distance <= t));
    }
    let report = |folder: Option<&Path>| report(dir, folder, update, &attempts, evaluator.env(), judged);
    let save = || {
        let folder = place.make()?;
        let report = report(Some(&folder));
        write(&folder, &report, &attempts).and_then(|()| place.made(&folder))?;
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
fn given(goals: &[PathBuf], image_size: usize) -> Result<Vec<Goal>> {
    let load = |path: &PathBuf| {
        let image = pictures::load_goal(path, image_size)?;
        Ok(Goal { name: path.display().to_string(), image, state: None })
    };
    let files = |path: &PathBuf| if path.is_dir() { pictures::pictures_in(path) } else { Ok(vec![path.clone()]) };
    let files = goals.iter().map(files).collect::<Result<Vec<_>>>()?.concat();
    if files.len() > MOST {
        return Err(Error::Usage(format!("{} pictures to reach; give at most {MOST} at a time", files.len())));
    }
    files.iter().map(load).collect()
}

/// The latent threshold of an evaluation of the same checkpoint on the scene's own pictures.
fn known_threshold(folder: &Path) -> Option<f64> {
    let bytes = std::fs::read(folder.join("evaluation.json")).ok()?;
    from_json::<Value>(&bytes).ok()?["latent_threshold"].as_f64()
}
