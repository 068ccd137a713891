//! Makes a run directory and begins.

use std::path::Path;
use std::sync::{Arc, Mutex, atomic::AtomicBool};
use std::time::{Instant, SystemTime};

use skewfit_envs::Scene;
use tracing_subscriber::fmt::writer::MakeWriterExt;

use super::Run;
use super::fits::fits;
use super::state::RunState;
use crate::config::{Config, EnvConfig};
use crate::coverage::Coverage;
use crate::error::{Error, Result};
use crate::estimate;
use crate::evaluate::{Evaluator, scene};
use crate::learner::Learner;
use crate::metrics::MetricsCsv;
use crate::progress::{Progress, Summary};
use crate::provenance;
use crate::store::fs::{DiskFs, enough_disk, write_atomic};
use crate::store::{ShardRoot, Store};
use crate::tensorboard::Events;

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
/// As the contract's exit codes; `Usage` where the scene does not fit the configuration.
pub fn start_in(
    config: Config,
    dir: &Path,
    command: &[String],
    progress: &mut dyn Progress,
    build: Build<'_>,
) -> Result<Summary> {
    let stop = stop_flag();
    enough_disk(&DiskFs, dir, estimate::of(&config)?.disk_bytes as u64)?;
    let scenes = scenes(&config, build)?;
    let spec = scenes.0.spec();
    let root = ShardRoot { run_id: config.run_id()?, seed: config.seed, env: spec.name.clone() };
    let learner = Learner::new(&config, spec.action_dim)?;
    let store = Store::create(dir, root)?;
    let facts = provenance::collect(command, learner.workers.count(), SystemTime::now());
    write_atomic(&DiskFs, &dir.join("config.toml"), config.to_toml()?.as_bytes())?;
    write_atomic(&DiskFs, &dir.join("provenance.json"), format!("{facts:#}\n").as_bytes())?;
    let metrics = MetricsCsv::create(&dir.join("metrics.csv"), &scenes.1.columns())?;
    log_to(dir)?;
    tracing::info!("{} seed {} begins: {}", config.name, config.seed, command.join(" "));
    Run::new((config, store, metrics), scenes, (learner, RunState::default()), progress, stop).explore()
}

/// The scene that is explored, and the one in which goals are tried.
pub(super) fn scenes(cfg: &Config, build: Build<'_>) -> Result<(Box<dyn Scene>, Evaluator)> {
    let (env, other) = (build(&cfg.env, 0)?, build(&cfg.env, cfg.evaluate.pictures)?);
    fits(&*env, &cfg.env)?;
    fits(&*other, &cfg.env)?;
    Ok((env, Evaluator::new(other)?))
}

impl<'a> Run<'a> {
    /// Ready to go on from `state`; the episodes that it speaks of are still to be read.
    pub(super) fn new(
        (cfg, store, metrics): (Config, Store, MetricsCsv),
        (env, evaluator): (Box<dyn Scene>, Evaluator),
        (learner, state): (Learner, RunState),
        progress: &'a mut dyn Progress,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self {
            coverage: Coverage::new(env.coverage().clone(), cfg.coverage.window_steps),
            visited: Vec::new(),
            begun: Instant::now(),
            earlier_s: state.wall_s,
            events: Events::of(store.dir()),
            cfg,
            store,
            env,
            evaluator,
            learner,
            state,
            metrics,
            progress,
            stop,
        }
    }
}

/// SIGTERM, SIGINT and SIGHUP ask for an orderly stop; a second one ends the process at once.
pub(super) fn stop_flag() -> Arc<AtomicBool> {
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
pub(super) fn log_to(dir: &Path) -> Result<()> {
    let path = dir.join("run.log");
    let file = std::fs::OpenOptions::new().append(true).create(true).open(&path);
    let file = file.map_err(|source| Error::Io { what: format!("{}: cannot write it", path.display()), source })?;
    let writer = Mutex::new(file).and(std::io::stderr.with_max_level(tracing::Level::ERROR));
    let _ = tracing_subscriber::fmt().with_ansi(false).with_target(false).with_writer(writer).try_init();
    Ok(())
}
