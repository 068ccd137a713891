//! Makes a run directory, or takes one up again from its newest sound checkpoint.

use std::path::Path;
use std::sync::{Arc, Mutex, atomic::AtomicBool};
use std::time::{Instant, SystemTime};

use skewfit_envs::{EnvSnapshot, Scene};
use tracing_subscriber::fmt::writer::MakeWriterExt;

use super::Run;
use super::state::{RunState, restore_models};
use crate::checkpoint;
use crate::config::{Config, EnvConfig, Setting};
use crate::coverage::Coverage;
use crate::episode::Episode;
use crate::error::{Error, Result};
use crate::estimate;
use crate::evaluate::{Evaluator, same_scene, scene};
use crate::learner::Learner;
use crate::metrics::{self, MetricsCsv};
use crate::progress::{Progress, Summary};
use crate::provenance;
use crate::store::fs::{DiskFs, Fs, disk_error, enough_disk, write_atomic};
use crate::store::{ShardRoot, Store};

/// Builds a scene as the configuration has it, with so many evaluation pictures. [`scene`] knows the shipped ones.
pub type Build<'a> = &'a dyn Fn(&EnvConfig, usize) -> Result<Box<dyn Scene>>;

/// Explores a shipped scene from the beginning, in the new or empty directory `dir`.
///
/// # Errors
/// As the contract's exit codes.
pub fn start(config: Config, dir: &Path, command: &[String], progress: &mut dyn Progress) -> Result<Summary> {
    start_in(config, dir, command, progress, &scene)
}

/// Explores a scene of the caller's.
///
/// # Errors
/// As the contract's exit codes.
pub fn start_in(
    config: Config,
    dir: &Path,
    command: &[String],
    progress: &mut dyn Progress,
    build: Build<'_>,
) -> Result<Summary> {
    let stop = stop_flag();
    enough_disk(&DiskFs, dir, estimate::of(&config)?.disk_bytes as u64)?;
    let env = build(&config.env, 0)?;
    let root = ShardRoot { run_id: config.run_id()?, seed: config.seed, env: env.spec().name.clone() };
    let evaluator = Evaluator::new(build(&config.env, config.evaluate.pictures)?)?;
    let learner = Learner::new(&config, env.spec().action_dim)?;
    let store = Store::create(dir, root)?;
    let started = SystemTime::now();
    let facts = provenance::collect(command, learner.workers.count(), started);
    write_atomic(&DiskFs, &dir.join("config.toml"), config.to_toml()?.as_bytes())?;
    write_atomic(&DiskFs, &dir.join("provenance.json"), format!("{facts:#}\n").as_bytes())?;
    let metrics = MetricsCsv::create(&dir.join("metrics.csv"), &metrics::names(&evaluator.metric_names()))?;
    log_to(dir)?;
    tracing::info!("{} seed {} begins: {}", config.name, config.seed, command.join(" "));
    let run = Run {
        coverage: Coverage::new(env.coverage().clone(), config.coverage.window_steps),
        visited: Vec::new(),
        state: RunState::default(),
        stop,
        begun: Instant::now(),
        earlier_s: 0.0,
        cfg: config,
        store,
        env,
        evaluator,
        learner,
        metrics,
        progress,
    };
    run.status("exploring")?;
    run.explore()
}

/// Goes on to `run.steps` of the run's own configuration, or to `steps`. A finished run is left alone.
///
/// # Errors
/// As the contract's exit codes; `Damaged` where no checkpoint is sound.
pub fn resume(dir: &Path, steps: Option<u64>, progress: &mut dyn Progress) -> Result<Summary> {
    resume_in(dir, steps, progress, &scene)
}

/// [`resume`] in a scene of the caller's.
///
/// # Errors
/// As there.
pub fn resume_in(dir: &Path, steps: Option<u64>, progress: &mut dyn Progress, build: Build<'_>) -> Result<Summary> {
    let stop = stop_flag();
    let root = Store::read_only(dir)?.root().clone();
    let file = dir.join("config.toml");
    let wanted = steps.map(|n| Setting {
        key: "run.steps".into(),
        value: toml::Value::Integer(i64::try_from(n).unwrap_or(i64::MAX)),
        origin: "--steps".into(),
    });
    let cfg = Config::read(&file, wanted.into_iter().collect())?;
    let summary = dir.join("summary.json");
    if let Some(done) = finished(&summary, &cfg) {
        return Ok(done);
    }
    let mut store = Store::open(dir)?;
    let none = || {
        let way = "nothing to resume from, no checkpoint was written; delete it and explore again";
        Error::Damaged(format!("{}: {way}", dir.display()))
    };
    let loaded = checkpoint::newest_sound(dir)?.ok_or_else(none)?;
    log_to(dir)?;
    loaded.passed_over.iter().for_each(|damage| tracing::error!("checkpoint passed over: {damage}"));
    let state = RunState::of(&loaded.snapshot)?;
    let mut env = build(&cfg.env, 0)?;
    same_scene(&root, env.spec())?;
    env.restore(&EnvSnapshot(loaded.snapshot.env.clone()))?;
    let evaluator = Evaluator::new(build(&cfg.env, cfg.evaluate.pictures)?)?;
    let mut learner = Learner::new(&cfg, env.spec().action_dim)?;
    restore_models(&mut learner, &loaded.snapshot)?;
    learner.counts = state.counts.clone();
    tracing::info!("resumed at env_steps={} updates={}", state.env_steps, loaded.snapshot.update);
    // Nothing was changed so far. From here on the run is not finished, whatever an earlier process wrote.
    DiskFs.remove(&summary).map_err(|e| disk_error("remove", &summary, &e))?;
    store.cut_back(state.episodes)?;
    let metrics = rows_behind(dir, &cfg, state.epoch, &evaluator)?;
    write_atomic(&DiskFs, &file, cfg.to_toml()?.as_bytes())?;
    let run = Run {
        coverage: Coverage::new(env.coverage().clone(), cfg.coverage.window_steps),
        visited: Vec::new(),
        stop,
        begun: Instant::now(),
        earlier_s: state.wall_s,
        cfg,
        store,
        env,
        evaluator,
        learner,
        state,
        metrics,
        progress,
    };
    run.status("exploring")?;
    run.replay_episodes()?.explore()
}

/// The summary of a run that has nothing left to do.
fn finished(summary: &Path, cfg: &Config) -> Option<Summary> {
    let done: Summary = serde_json::from_str(&std::fs::read_to_string(summary).ok()?).ok()?;
    let last = cfg.run.warmup_steps + cfg.run.epochs() * cfg.run.epoch_steps;
    (done.env_steps >= last && done.updates >= cfg.run.epochs() * cfg.run.updates_per_epoch).then_some(done)
}

/// `metrics.csv` as it was at the checkpoint: the rows of the whole epochs behind it, not that of the one under way.
/// Rows that are gone are told of, and the run goes on without them.
fn rows_behind(dir: &Path, cfg: &Config, epoch: u64, evaluator: &Evaluator) -> Result<MetricsCsv> {
    let path = dir.join("metrics.csv");
    if !path.exists() {
        tracing::error!("{}: is gone; a new one goes on from here", path.display());
        return MetricsCsv::create(&path, &metrics::names(&evaluator.metric_names()));
    }
    let last = cfg.run.warmup_steps + (epoch + 1) * cfg.run.epoch_steps - 1;
    let held = metrics::read(&path)?.env_steps.iter().filter(|steps| **steps <= last).count();
    if (held as u64) < epoch {
        tracing::error!("{}: holds {held} rows of {epoch}; the others are lost", path.display());
    }
    MetricsCsv::cut_back(&path, last)
}

impl Run<'_> {
    /// Coverage from every committed episode, replay from the newest ones. A damaged shard is named and left out.
    fn replay_episodes(mut self) -> Result<Self> {
        self.tick("reading episodes");
        let lines = self.store.lines().to_vec();
        let steps: Vec<u64> = lines.iter().map(|line| line.steps).collect();
        let kept = newest_within(&steps, self.cfg.replay.capacity as u64);
        let mut episodes: Vec<Episode> = Vec::with_capacity(kept);
        for (i, line) in lines.iter().enumerate() {
            match self.store.episode(line.id) {
                Ok(episode) => {
                    self.observe(&episode);
                    if i + kept >= lines.len() {
                        episodes.push(episode);
                    }
                }
                Err(damage @ Error::Damaged(_)) => {
                    tracing::error!("left out: {damage}; what follows is not the uninterrupted run bit for bit");
                }
                Err(other) => return Err(other),
            }
        }
        self.learner.restore_replay(episodes)?;
        Ok(self)
    }
}

/// How many of the newest episodes fit `capacity` steps; at least one where there is one.
fn newest_within(steps: &[u64], capacity: u64) -> usize {
    let mut sum = 0;
    let fits = |steps: &&u64| {
        sum += **steps;
        sum <= capacity
    };
    steps.iter().rev().take_while(fits).count().max(steps.len().min(1))
}

/// SIGTERM, SIGINT and SIGHUP ask for an orderly stop; a second one ends the process at once.
fn stop_flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP] {
        let first = signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&flag));
        let second = signal_hook::flag::register(signal, Arc::clone(&flag));
        if let Err(e) = first.and(second) {
            tracing::warn!("signal {signal} cannot be handled: {e}");
        }
    }
    flag
}

/// Events go to the run's `run.log`, errors to stderr as well; the first run of a process takes it.
fn log_to(dir: &Path) -> Result<()> {
    let path = dir.join("run.log");
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
    let file = file.map_err(|source| Error::Io { what: format!("{}: cannot write it", path.display()), source })?;
    let writer = Mutex::new(file).and(std::io::stderr.with_max_level(tracing::Level::ERROR));
    let _ = tracing_subscriber::fmt().with_ansi(false).with_target(false).with_writer(writer).try_init();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::newest_within;

    #[test]
    fn replay_holds_the_newest_episodes_that_fit() {
        assert_eq!([newest_within(&[], 10), newest_within(&[50], 10)], [0, 1]);
        assert_eq!(
            [newest_within(&[5, 5, 5], 10), newest_within(&[5, 5, 4], 9), newest_within(&[1, 20], 10)],
            [2, 2, 1]
        );
    }
}
