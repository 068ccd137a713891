//! Takes a run up again from its newest sound checkpoint.

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
use crate::keep::store::fs::{DiskFs, Fs, disk_error, read_if_there, write_atomic};
use crate::keep::summary::Summary;
use crate::keep::supervise::events::Kind;
use crate::keep::supervise::status::{Phase, Status};
use crate::run::goal_folder;
use crate::run::progress::Progress;
use crate::show::metrics::{self, MetricsCsv};
use crate::task::scene::{self, Build, Described};

/// Goes on to `run.steps` of the run's own configuration, or to `steps`; not from the `pass_over` newest checkpoints. A
/// finished run is left alone.
///
/// # Errors
/// As the contract's exit codes; `Damaged` where no checkpoint is sound.
pub fn resume(dir: &Path, steps: Option<u64>, pass_over: usize, progress: &mut dyn Progress) -> Result<Summary> {
    resume_in(dir, steps, pass_over, progress, &scene::build)
}

/// [`resume`] in an environment of the caller's.
///
/// # Errors
/// As there.
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
        return Err(Error::Usage(format!("{path}: seed = {is}, but the run was begun with {was}; put it back")));
    }
    let mut found = LoadedRun::read(&mut host, dir, &cfg, pass_over, build)?;
    // Nothing was changed so far. From here on the run is not finished, whatever an earlier process wrote.
    host.fs.remove(&summary).map_err(|e| disk_error("remove", &summary, &e))?;
    host.clear_requests(dir);
    let aside = found.from.map_or(Ok(Vec::new()), |update| checkpoint::set_aside(&*host.fs, dir, update))?;
    if found.env_restored {
        found.store.cut_back(found.state.episodes)?; // they are acted again; others are read from their shards
    }
    let LoadedRun { store, mut task, learner, state, goals, told, mut damage, .. } = found;
    goal_folder::save(&*host.fs, dir, &goals)?;
    task.replace_goals(goals);
    damage.extend(record_environment(&*host.fs, dir, told.as_ref(), &task.described)?);
    let metrics = cut_metrics(&host.fs, dir, &cfg, state.epoch, &task.described)?;
    write_atomic(&*host.fs, &dir.join("config.toml"), cfg.to_toml()?.as_bytes())?;
    record_resumption(&*host.fs, dir, learner.workers().count())?;
    let mut why = format!("at {} steps and {} updates", state.env_steps, state.counts.updates);
    if !aside.is_empty() {
        why += &format!("; newer checkpoints set aside: {}", aside.join(", "));
    }
    host.warn_of_faults();
    let log = Recorder::new(Arc::clone(&host.fs), store, metrics, &cfg.night, state.wall_s);
    let mut run = Run { cfg, task, learner, log, host, state };
    for what in damage {
        run.record(Kind::Damaged, &what)?;
    }
    run.explore(Kind::Resumed, &why)
}

/// Writes down what is explored where the run does not tell yet, and says where it tells otherwise.
fn record_environment(fs: &dyn Fs, dir: &Path, told: Option<&Described>, here: &Described) -> Result<Option<String>> {
    match told {
        Some(told) if told == here => Ok(None),
        Some(_) => Ok(Some(format!("{} tells of another environment of that name; {NOT_THE_SAME}", scene::FILE))),
        None => write_atomic(fs, &dir.join(scene::FILE), here.to_json()?.as_bytes()).map(|()| None),
    }
}

/// The summary of a run that has nothing left to do; one that was stopped in its last epoch has all steps and updates too.
///
/// # Errors
/// Where it is there and may not be read.
fn finished(dir: &Path, summary: &Path, cfg: &Config) -> Result<Option<Summary>> {
    let bytes = read_if_there(&DiskFs, summary)?.unwrap_or_default();
    let told = Status::read(&DiskFs, dir).is_ok_and(|status| status.state == Phase::Done);
    let (steps, updates) = (last_step(&cfg.run), cfg.run.epochs() * cfg.run.updates_per_epoch);
    let whole = |done: &Summary| told && done.env_steps >= steps && done.updates >= updates;
    Ok(serde_json::from_slice(&bytes).ok().filter(whole))
}

/// `metrics.csv` as it was at the checkpoint: the rows of the whole epochs behind it, not that of the one under way.
/// Rows that are gone are told of, and the run goes on without them.
fn cut_metrics(fs: &Arc<dyn Fs>, dir: &Path, cfg: &Config, epoch: u64, task: &Described) -> Result<MetricsCsv> {
    let columns = metrics::columns(task);
    let path = dir.join("metrics.csv");
    if !path.exists() {
        tracing::error!("{}: is gone; a new one goes on from here", path.display());
        write_atomic(&**fs, &path, MetricsCsv::header(&columns).as_bytes())?;
    }
    let last = cfg.run.warmup_steps + (epoch + 1) * cfg.run.epoch_steps - 1;
    let held = metrics::read(&path)?.env_steps.iter().filter(|steps| **steps <= last).count();
    if (held as u64) < epoch {
        tracing::error!("{}: holds {held} rows of {epoch}; the others are lost", path.display());
    }
    MetricsCsv::cut_back(Arc::clone(fs), &path, columns, last)
}

/// Adds this process to `provenance.json`, and tells where its results cannot be those of the one that began the run.
fn record_resumption(fs: &dyn Fs, dir: &Path, threads: usize) -> Result<()> {
    let path = dir.join("provenance.json");
    let read = |text: String| serde_json::from_str::<Map<String, Value>>(&text).ok();
    let Some(mut facts) = std::fs::read_to_string(&path).ok().and_then(read) else {
        tracing::error!("{}: is gone or broken; nobody can tell whether this is the machine of before", path.display());
        return Ok(());
    };
    let here = provenance::collect(&[], threads, SystemTime::now());
    let differs = |key: &&str| facts.get(*key).is_some_and(|was| *was != here[*key]);
    for key in ["threads", "cpu_features"].into_iter().filter(differs) {
        let (is, was) = (&here[key], &facts[key]);
        tracing::error!("{key} is {is} here and was {was} when the run began: {NOT_THE_SAME}");
    }
    let build = ["git_commit", "git_dirty", "rustc", "program_blake3"].into_iter().filter(differs);
    let build: Vec<_> = build.map(|key| format!("{key} is {} and was {}", here[key], facts[key])).collect();
    if !build.is_empty() {
        tracing::info!("another program goes on than the one that began the run: {}", build.join(", "));
    }
    let kept = ["started_at", "threads", "cpu", "cpu_features", "git_commit", "git_dirty", "program_blake3", "version"];
    let record: Map<String, Value> = kept.into_iter().map(|key| (key.to_owned(), here[key].clone())).collect();
    match facts.entry("resumed").or_insert_with(|| json!([])) {
        Value::Array(records) => records.push(record.into()),
        other => *other = json!([record]),
    }
    write_atomic(fs, &path, format!("{:#}\n", Value::Object(facts)).as_bytes())
}
