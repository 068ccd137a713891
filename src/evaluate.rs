//! Goal pictures -> attempts from the scene's start state -> how near they came. Never counted, never learned from.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::{Map, Value, json};
use skewfit_envs::{EnvSnapshot, EnvSpec, Image, Scene, StateVec, scenes};

use crate::actor_loop::{Behaviour, Target, rollout};
use crate::answers;
use crate::checkpoint;
use crate::clip::{self, Clip};
use crate::config::{Config, EnvConfig};
use crate::episode::GoalOrigin;
use crate::error::{Error, Result};
use crate::explore::state::{RunState, restore_models};
use crate::goals::reward::latent_distance;
use crate::learner::Learner;
use crate::report::{Reached, sheet_of_attempts};
use crate::store::fs::{DiskFs, Fs, disk_error, write_atomic};
use crate::store::{ShardRoot, Store};
use crate::{metrics, pictures, rng};

/// Attempts whose pictures and clips are kept; figures are kept of all.
pub const PICTURES_SAVED: usize = 100;
/// Attempts in `clips.gif`, and of these in a row: the first ones, not the best.
const TOGETHER: usize = 8;
const IN_A_ROW: usize = 4;

/// A picture to be reached.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// The scene's name for it, or a file's.
    pub name: String,
    /// What to reach.
    pub image: Image,
    /// The scene's own pictures have one.
    pub state: Option<StateVec>,
}

/// What came of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The goal.
    pub goal: Goal,
    /// The last picture.
    pub reached: Image,
    /// The last true state.
    pub state: Option<StateVec>,
    /// The scene's metrics; empty for a picture of the user's.
    pub metrics: Vec<(&'static str, f64)>,
    /// Of the last picture from the goal.
    pub latent_distance: f64,
    /// By the scene's threshold, or by the latent threshold for a picture of the user's; `None` = unknown.
    pub success: Option<bool>,
    /// What was seen on the way; `None` beyond the first [`PICTURES_SAVED`].
    pub clip: Option<Clip>,
}

/// A scene of its own for attempts, each from its start state.
pub struct Evaluator {
    scene: Box<dyn Scene>,
    start: EnvSnapshot,
}

/// Builds the configured scene.
///
/// # Errors
/// What the scene refuses.
pub fn scene(cfg: &EnvConfig, evaluation_goals: usize) -> Result<Box<dyn Scene>> {
    let options = scenes::SceneOptions {
        image_size: cfg.image_size,
        samples: cfg.samples,
        episode_steps: cfg.episode_steps,
        evaluation_goals,
        walls: cfg.walls.clone(),
    };
    Ok(scenes::build(&cfg.scene, &options)?)
}

/// Refuses another scene than the run's.
///
/// # Errors
/// `Usage`.
pub fn same_scene(run: &ShardRoot, spec: &EnvSpec) -> Result<()> {
    let (have, want) = (&spec.name, &run.env);
    let way = "set `env.scene` back, or use the program that has it";
    let refuse = || Error::Usage(format!("run {} is of scene `{want}`, not `{have}`: {way}", run.run_id));
    if have == want { Ok(()) } else { Err(refuse()) }
}

impl Evaluator {
    /// A fresh instance.
    ///
    /// # Errors
    /// What the scene refuses.
    pub fn new(scene: Box<dyn Scene>) -> Result<Self> {
        let start = scene.snapshot()?;
        Ok(Self { scene, start })
    }

    /// The scene's evaluation pictures, in their fixed, shuffled order.
    #[must_use]
    pub fn goals(&self) -> Vec<Goal> {
        let own = |g: &skewfit_envs::GoalPicture| Goal {
            name: g.name.clone(),
            image: g.image.clone(),
            state: Some(g.state.clone()),
        };
        self.scene.evaluation_goals().iter().map(own).collect()
    }

    /// Columns of the run's `metrics.csv`.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let nowhere = StateVec(vec![0.0; self.scene.spec().state_names.len()]);
        let scene_metrics: Vec<&str> = self.scene.metrics(&nowhere, &nowhere).into_iter().map(|m| m.0).collect();
        let names = &self.scene.spec().state_names;
        let mut mapped: Vec<&str> = self.scene.coverage().heat_map.iter().map(|a| names[a.state].as_str()).collect();
        mapped.dedup();
        metrics::names(&scene_metrics, &mapped)
    }

    /// Tries each goal once, in this instance; calls `beat` before each.
    ///
    /// # Errors
    /// What the scene reports.
    pub fn attempt(
        &mut self,
        learner: &mut Learner,
        cfg: &Config,
        goals: &[(u64, Goal)],
        beat: &mut dyn FnMut(),
    ) -> Result<Vec<Attempt>> {
        let (scene, start) = (&mut *self.scene, &self.start);
        let one = |(i, goal): (usize, &(u64, Goal))| {
            beat();
            scene.restore(start)?;
            let attempt = attempt(scene, learner, cfg, goal)?;
            Ok(Attempt { clip: attempt.clip.filter(|_| i < PICTURES_SAVED), ..attempt })
        };
        goals.iter().enumerate().map(one).collect()
    }
}

/// One attempt from where `scene` stands; its random stream is named by the goal's number.
///
/// # Errors
/// What the scene reports.
pub fn attempt(scene: &mut dyn Scene, learner: &mut Learner, cfg: &Config, goal: &(u64, Goal)) -> Result<Attempt> {
    let (number, goal) = goal;
    let latent = learner.vae.encode_one(&goal.image.pixels);
    let target = Target { latent, picture: goal.image.pixels.clone(), origin: GoalOrigin::Replay };
    let mut reset = rng::stream(cfg.seed, "evaluate", &[learner.counts.updates, *number]);
    let models = (&mut learner.vae, &mut learner.sac);
    let length = (*number, cfg.env.episode_steps);
    let episode = rollout(scene, models, &target, length, &mut reset, Behaviour::Deterministic)?;
    let last = episode.frame(episode.steps());
    let reached = Image { size: episode.image_size, pixels: last.to_vec() };
    let distance = f64::from(latent_distance(&learner.vae.encode_one(last), &target.latent));
    let state = scene.true_state();
    let known = state.as_ref().zip(goal.state.as_ref());
    Ok(Attempt {
        reached,
        metrics: known.map_or_else(Vec::new, |(s, g)| scene.metrics(s, g)),
        success: known.map(|(s, g)| scene.success(s, g)),
        latent_distance: distance,
        state,
        goal: goal.clone(),
        clip: Some(Clip::of(&episode)),
    })
}

/// Mean of each metric over the attempts that have it, and the success rate.
#[must_use]
pub fn means(attempts: &[Attempt]) -> (Vec<(String, f64)>, Option<f64>) {
    let names: Vec<&str> = attempts.first().map_or_else(Vec::new, |a| a.metrics.iter().map(|m| m.0).collect());
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let of = |name: &str| mean(attempts.iter().flat_map(|a| &a.metrics).filter(|m| m.0 == name).map(|m| m.1).collect());
    let metrics = names.iter().map(|name| ((*name).to_owned(), of(name))).collect();
    let judged: Vec<f64> = attempts.iter().filter_map(|a| a.success).map(|s| f64::from(u8::from(s))).collect();
    (metrics, (!judged.is_empty()).then(|| mean(judged)))
}

/// [`answers::over_goals`] of the attempts whose goal has a true state.
#[must_use]
pub fn over_goals(attempts: &[Attempt], scene: &dyn Scene) -> Vec<(String, f64)> {
    let pair = |a: &Attempt| Some((a.goal.state.clone()?, a.state.clone()?));
    answers::over_goals(scene, &attempts.iter().filter_map(pair).collect::<Vec<_>>())
}

/// The latent distance that best separates attempts that succeeded from those that did not; `None` without both kinds.
#[must_use]
pub fn latent_threshold(attempts: &[Attempt]) -> Option<f64> {
    let mut known: Vec<(f64, bool)> = attempts.iter().filter_map(|a| Some((a.latent_distance, a.success?))).collect();
    known.sort_by(|a, b| a.0.total_cmp(&b.0));
    let successes = known.iter().filter(|k| k.1).count();
    if successes == 0 || successes == known.len() {
        return None;
    }
    let right = |threshold: f64| known.iter().filter(|(d, yes)| (*d <= threshold) == *yes).count();
    known.windows(2).map(|w| 0.5 * (w[0].0 + w[1].0)).max_by_key(|t| right(*t))
}

/// The contract's object; clips are named relative to the run, as they will lie in `folder`.
#[must_use]
pub fn report((run, folder): (&Path, &Path), update: u64, attempts: &[Attempt], scene: &dyn Scene) -> Value {
    let named = |state: &StateVec| -> Value {
        let entries = scene.spec().state_names.iter().zip(&state.0).map(|(name, v)| (name.clone(), json!(v)));
        Value::Object(entries.collect::<Map<_, _>>())
    };
    let place = folder.strip_prefix(run).unwrap_or(folder);
    let goal = |(i, a): (usize, &Attempt)| {
        json!({
            "goal": a.goal.name,
            "source": if a.goal.state.is_some() { "scene" } else { "picture" },
            "goal_state": a.goal.state.as_ref().map(named),
            "final_state": a.state.as_ref().map(named),
            "final": a.metrics.iter().map(|(n, v)| ((*n).to_owned(), json!(v))).collect::<Map<_, _>>(),
            "latent_distance": a.latent_distance,
            "success": a.success,
            "clip": a.clip.as_ref().map(|_| place.join(clip_file(i)).display().to_string()),
        })
    };
    let (mean, success_rate) = means(attempts);
    json!({
        "run": run.display().to_string(),
        "checkpoint": update,
        "goals": attempts.iter().enumerate().map(goal).collect::<Vec<_>>(),
        "mean": mean.into_iter().map(|(n, v)| (n, json!(v))).collect::<Map<_, _>>(),
        "over_goals": over_goals(attempts, scene).into_iter().map(|(n, v)| (n, json!(v))).collect::<Map<_, _>>(),
        "success_rate": success_rate,
        "latent_threshold": latent_threshold(attempts),
    })
}

/// Goal | reached pairs with a caption, for a sheet, of the first [`PICTURES_SAVED`] attempts.
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
    attempts.iter().take(PICTURES_SAVED).map(pair).collect()
}

fn clip_file(attempt: usize) -> String {
    format!("{attempt:02}.gif")
}

/// Writes `evaluation.json`, a sheet, pictures and clips of the first [`PICTURES_SAVED`] attempts under `dir`, and
/// `clips.gif`: the first few attempts beside each other.
///
/// # Errors
/// `Disk` or `Io` where they cannot be written.
pub fn write(dir: &Path, report: &Value, attempts: &[Attempt]) -> Result<()> {
    DiskFs.create_dir(dir).map_err(|e| disk_error("create", dir, &e))?;
    write_atomic(&DiskFs, &dir.join("evaluation.json"), format!("{report:#}\n").as_bytes())?;
    let attempts = &attempts[..attempts.len().min(PICTURES_SAVED)];
    sheet_of_attempts(&pairs(attempts), &dir.join("sheet.png"))?;
    for (i, a) in attempts.iter().enumerate() {
        pictures::save_png(&a.goal.image, &dir.join(format!("{i:02}-goal.png")))?;
        pictures::save_png(&a.reached, &dir.join(format!("{i:02}-reached.png")))?;
    }
    let clips: Vec<Clip> = attempts.iter().filter_map(|a| a.clip.clone()).collect();
    let each = |(i, clip): (usize, &Clip)| clip::save(&dir.join(clip_file(i)), std::slice::from_ref(clip), 1);
    clips.par_iter().enumerate().try_for_each(each)?;
    match &clips[..clips.len().min(TOGETHER)] {
        [] => Ok(()),
        first => clip::save(&dir.join("clips.gif"), first, IN_A_ROW),
    }
}

/// `skewfit evaluate`: a run's newest sound checkpoint on pictures of the user's, or on the scene's own.
///
/// All of the scene's own are the run's evaluation at that checkpoint, in `eval/<update>`; what else is tried goes to
/// `eval/partial` and `eval/pictures`, where it takes the place of the time before.
///
/// # Errors
/// `Usage` for what is not a run or not a picture; `Damaged` where no checkpoint is sound.
pub fn run(dir: &Path, goals: &[PathBuf], episodes: Option<usize>) -> Result<Value> {
    let root = Store::read_only(dir)?.root().clone();
    let cfg = Config::read(&dir.join("config.toml"), Vec::new())?;
    let load = |path: &PathBuf| {
        let image = pictures::load_goal(path, cfg.env.image_size)?;
        Ok(Goal { name: path.display().to_string(), image, state: None })
    };
    let given = goals.iter().map(load).collect::<Result<Vec<_>>>()?;
    let loaded = checkpoint::newest_sound(dir)?
        .ok_or_else(|| Error::Usage(format!("{}: has no checkpoint yet; let it run longer", dir.display())))?;
    let mut evaluator = Evaluator::new(scene(&cfg.env, cfg.evaluate.pictures)?)?;
    let spec = evaluator.scene.spec().clone();
    same_scene(&root, &spec)?;
    let mut learner = Learner::new(&cfg, spec.action_dim)?;
    restore_models(&mut learner, &loaded.snapshot)?;
    learner.counts = RunState::of(&loaded.snapshot)?.counts;

    let own = given.is_empty();
    let pool = if own { evaluator.goals() } else { given };
    let n = episodes.unwrap_or(pool.len());
    let wanted: Vec<(u64, Goal)> = (0..n as u64).zip(pool.iter().cycle().cloned()).collect();
    let mut attempts = evaluator.attempt(&mut learner, &cfg, &wanted, &mut || {})?;
    let update = loaded.snapshot.update;
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
    let report = report((dir, &folder), update, &attempts, &*evaluator.scene);
    write(&folder, &report, &attempts)?;
    Ok(report)
}

/// The latent threshold of an evaluation of the same checkpoint on the scene's own pictures.
fn known_threshold(folder: &Path) -> Option<f64> {
    let text = std::fs::read_to_string(folder.join("evaluation.json")).ok()?;
    serde_json::from_str::<Value>(&text).ok()?["latent_threshold"].as_f64()
}
