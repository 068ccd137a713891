//! Resumes a run from its newest sound checkpoint.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::host::Host;
use super::load::LoadedRun;
use super::record::last_step;
use super::recorder::Recorder;
use super::{NOT_THE_SAME, Run};
use crate::config::{Config, Setting};
use crate::error::{Error, Result};
use crate::keep::checkpoint;
use crate::keep::provenance;
use crate::keep::store::Store;
use crate::keep::store::fs::{DiskFs, Fs, disk_error, from_json, read_if_there, write_atomic};
use crate::keep::summary::Summary;
use crate::keep::supervise::events::Kind;
use crate::keep::supervise::status::{RunPhase, Status};
use crate::run::goal_folder;
use crate::run::progress::Progress;
use crate::run::threads;
use crate::show::metrics::{self, MetricsCsv};
use crate::task::scene::{self, Build, EnvDescription};

/// Resumes the run in `dir` until `steps`, or until `run.steps` of its own configuration. Skips the `pass_over` newest
/// checkpoints. Leaves a finished run unchanged.
///
/// # Errors
/// As the exit codes in `docs/CONFIG.md`; `Damaged` if no checkpoint is sound.
pub fn resume(dir: &Path, steps: Option<u64>, pass_over: usize, progress: &mut dyn Progress) -> Result<Summary> {
    resume_in(dir, steps, pass_over, progress, &scene::build)
}

/// [`resume`] in an environment of the caller.
///
/// # Errors
/// As [`resume`].
pub fn resume_in(
    dir: &Path,
    steps: Option<u64>,
    pass_over: usize,
    progress: &mut dyn Progress,
    build: Build<'_>,
) -> Result<Summary> {
    let mut host = Host::of_this_process(progress)?;
    let root = Store::read_only(dir)?.root().clone();
    let wanted = steps.map(|n| Setting {
        key: "run.steps".into(),
        value: toml::Value::Integer(i64::try_from(n).unwrap_or(i64::MAX)),
        origin: "--steps".into(),
    });
    let cfg = Config::of_run(dir, wanted.into_iter().collect())?;
    let summary = dir.join("summary.json");
    if let Some(done) = finished(dir, &summary, &cfg)? {
        return Ok(done);
    }
    if cfg.seed != root.seed {
        let (path, is, was) = (dir.join("config.toml"), cfg.seed, root.seed);
        let path = path.display();
        return Err(Error::Usage(format!("{path}: seed = {is}, but the run began with {was}; set it back")));
    }
    let mut loaded = LoadedRun::read(&mut host, dir, &cfg, pass_over, build)?;
    // Nothing was changed so far. From here on the run counts as unfinished, even if an earlier process had finished it.
    host.fs.remove(&summary).map_err(|e| disk_error("remove", &summary, &e))?;
    host.clear_requests(dir);
    let aside = loaded.from.map_or(Ok(Vec::new()), |update| checkpoint::set_aside(&*host.fs, dir, update))?;
    if loaded.env_restored {
        loaded.store.cut_back(loaded.state.episodes)?; // they are collected again
    }
    let LoadedRun { store, mut task, learner, state, goals, described, mut damage, .. } = loaded;
    goal_folder::save(&*host.fs, dir, &goals)?;
    task.replace_goals(goals);
    damage.extend(record_environment(&*host.fs, dir, described.as_ref(), &task.described)?);
    let metrics = cut_metrics(&host.fs, dir, &cfg, state.epoch, &task.described)?;
    write_atomic(&*host.fs, &dir.join("config.toml"), cfg.to_toml()?.as_bytes())?;
    record_resumption(&*host.fs, dir, learner.workers().count())?;
    let mut why = format!("at {} steps and {} updates", state.env_steps, state.counts.updates);
    if !aside.is_empty() {
        why += &format!("; newer checkpoints set aside: {}", aside.join(", "));
    }
    host.warn_of_faults();
    threads::note(cfg.run.threads);
    let log = Recorder::new(Arc::clone(&host.fs), store, metrics, &cfg.night, state.wall_s);
    let mut run = Run { cfg, task, learner, log, host, state };
    for what in damage {
        run.record(Kind::Damaged, &what)?;
    }
    run.explore(Kind::Resumed, &why)
}

/// Writes `env.json` if the run has none yet. Returns a message if it describes a different environment.
fn record_environment(
    fs: &dyn Fs,
    dir: &Path,
    written: Option<&EnvDescription>,
    here: &EnvDescription,
) -> Result<Option<String>> {
    match written {
        Some(written) if written == here => Ok(None),
        Some(_) => Ok(Some(format!("{} describes a different environment of that name; {NOT_THE_SAME}", scene::FILE))),
        None => write_atomic(fs, &dir.join(scene::FILE), here.to_json()?.as_bytes()).map(|()| None),
    }
}

/// The summary of a finished run; `None` otherwise. `STATUS.json` decides, because a run that was stopped in its last
/// epoch can have all steps and updates too.
///
/// # Errors
/// If the summary exists and may not be read.
fn finished(dir: &Path, summary: &Path, cfg: &Config) -> Result<Option<Summary>> {
    let bytes = read_if_there(&DiskFs, summary)?.unwrap_or_default();
    let done = Status::read(&DiskFs, dir).is_ok_and(|status| status.state == RunPhase::Done);
    let (steps, updates) = (last_step(&cfg.run), cfg.run.epochs() * cfg.run.updates_per_epoch);
    let whole = |summary: &Summary| done && summary.env_steps >= steps && summary.updates >= updates;
    let here = |summary: Summary| Summary { run: dir.display().to_string(), ..summary }; // it may have been moved
    Ok(from_json(&bytes).ok().filter(whole).map(here))
}

/// Cuts `metrics.csv` back to the checkpoint: to the rows of the epochs that were complete then. Logs an error if rows
/// are missing; the run resumes without them.
fn cut_metrics(fs: &Arc<dyn Fs>, dir: &Path, cfg: &Config, epoch: u64, task: &EnvDescription) -> Result<MetricsCsv> {
    let columns = metrics::columns(task);
    let path = dir.join("metrics.csv");
    if !path.exists() {
        tracing::error!("{}: the file is gone; a new one begins here", path.display());
        write_atomic(&**fs, &path, MetricsCsv::header(&columns).as_bytes())?;
    }
    let last = cfg.run.warmup_steps + (epoch + 1) * cfg.run.epoch_steps - 1;
    let csv = MetricsCsv::cut_back(Arc::clone(fs), &path, columns, last)?;
    let held = metrics::read(&path)?.env_steps.len();
    if (held as u64) < epoch {
        tracing::error!("{}: has only {held} of {epoch} rows; the others are lost", path.display());
    }
    Ok(csv)
}

/// Adds this process to `provenance.json`. Logs an error if its results can differ from those of the process that began
/// the run.
fn record_resumption(fs: &dyn Fs, dir: &Path, threads: usize) -> Result<()> {
    let path = dir.join("provenance.json");
    let read = |bytes: Vec<u8>| from_json::<Map<String, Value>>(&bytes).ok();
    let Some(mut facts) = std::fs::read(&path).ok().and_then(read) else {
        tracing::error!("{}: is gone or broken; cannot check whether this is the same machine", path.display());
        return Ok(());
    };
    let here = provenance::collect(&[], threads, SystemTime::now());
    let differs = |key: &&str| facts.get(*key).is_some_and(|was| *was != here[*key]);
    for key in ["threads", "cpu_features"].into_iter().filter(differs) {
        let (is, was) = (&here[key], &facts[key]);
        tracing::error!("{key} is {is} here and was {was} when the run began; {NOT_THE_SAME}");
    }
    let build = ["git_commit", "git_dirty", "rustc", "program_blake3"].into_iter().filter(differs);
    let build: Vec<_> = build.map(|key| format!("{key} is {} and was {}", here[key], facts[key])).collect();
    if !build.is_empty() {
        tracing::info!("this is not the program that began the run: {}", build.join(", "));
    }
    let kept = ["started_at", "threads", "cpu", "cpu_features", "git_commit", "git_dirty", "program_blake3", "version"];
    let record: Map<String, Value> = kept.into_iter().map(|key| (key.to_owned(), here[key].clone())).collect();
    match facts.entry("resumed").or_insert_with(|| json!([])) {
        Value::Array(records) => records.push(record.into()),
        other => *other = json!([record]),
    }
    write_atomic(fs, &path, format!("{:#}\n", Value::Object(facts)).as_bytes())
}
