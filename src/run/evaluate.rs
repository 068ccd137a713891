//! `skewfit evaluate`: evaluates a run's newest sound checkpoint on the user's pictures or on the run's own.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, Fs, disk_error};
use crate::run::goal_folder;
use crate::show::evaluation::{report, write};
use crate::show::pictures;
use crate::task::attempt::{EvaluationGoal, Evaluator, env_goals};
use crate::task::opened::Opened;
use crate::task::scene::{self, Build, check_same_scene, check_scene};

/// Most goal pictures of one evaluation.
const MOST: usize = 1000;

/// Evaluates a run's newest sound checkpoint on the user's pictures `goals`, or on the run's own if there are none.
///
/// # Errors
/// As [`run_in`]; `Usage` for an environment that is not shipped.
pub fn run(dir: &Path, goals: &[PathBuf], episodes: Option<usize>) -> Result<Value> {
    run_in(dir, goals, episodes, &scene::build)
}

/// [`run`] in an environment of the caller. A folder among `goals` stands for all pictures in it.
///
/// An evaluation on all of the run's own pictures is written to `eval/<update>`. One on some of them is written to
/// `eval/partial`, and one on the user's pictures to `eval/pictures`; both replace the files of the previous one.
///
/// # Errors
/// `Usage` if `dir` is not a run or a file is not a picture; `Damaged` if no checkpoint is sound.
pub fn run_in(dir: &Path, goals: &[PathBuf], episodes: Option<usize>, build: Build<'_>) -> Result<Value> {
    let opened = Opened::read(dir)?;
    let cfg = &opened.cfg;
    let load = |path: &PathBuf| {
        let image = pictures::load_goal(path, cfg.env.image_size)?;
        Ok(EvaluationGoal { name: path.display().to_string(), image, state: None })
    };
    let files = |path: &PathBuf| if path.is_dir() { pictures::pictures_in(path) } else { Ok(vec![path.clone()]) };
    let files = goals.iter().map(files).collect::<Result<Vec<_>>>()?.concat();
    if files.len() > MOST {
        return Err(Error::Usage(format!("{} pictures to reach; give at most {MOST} at a time", files.len())));
    }
    let given = files.iter().map(load).collect::<Result<Vec<_>>>()?;
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
    let n = episodes.unwrap_or(pool.len());
    let wanted: Vec<(u64, EvaluationGoal)> = (0..n as u64).zip(pool.iter().cycle().cloned()).collect();
    let mut attempts = evaluator.attempt(&learner, cfg, &wanted, &mut || {})?;
    let update = opened.checkpoint.snapshot.update;
    let eval = dir.join("eval");
    let of_the_run = eval.join(format!("{update:08}"));
    let whole = own && n == pool.len();
    let folder = if whole { of_the_run.clone() } else { eval.join(if own { "partial" } else { "pictures" }) };
    if !own {
        let threshold = known_threshold(&of_the_run);
        attempts.iter_mut().for_each(|a| a.success = threshold.map(|t| a.latent_distance <= t));
    }
    if !whole {
        DiskFs.remove(&folder).map_err(|e| disk_error("empty", &folder, &e))?;
    }
    let report = report(dir, &folder, update, &attempts, evaluator.env(), judged);
    write(&folder, &report, &attempts)?;
    Ok(report)
}

/// The latent threshold that the evaluation in `folder`, on the scene's own pictures, has found.
fn known_threshold(folder: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(folder.join("evaluation.json")).ok()?;
    serde_json::from_str::<Value>(&text).ok()?["latent_threshold"].as_f64()
}
