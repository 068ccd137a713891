//! Creates a run directory and begins the run.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::Run;
use super::host::{Host, log_to};
use super::recorder::Recorder;
use super::state::RunState;
use super::task::Task;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::keep::provenance;
use crate::keep::store::fs::enough_disk;
use crate::keep::store::{ShardRoot, Store};
use crate::keep::summary::Summary;
use crate::keep::supervise::events::Kind;
use crate::keep::supervise::status::RunPhase;
use crate::learn::learner::Learner;
use crate::run::estimate;
use crate::run::goal_folder;
use crate::run::progress::Progress;
use crate::run::threads;
use crate::show::metrics::{self, MetricsCsv};
use crate::show::redraw;
use crate::task::scene::{self, Build};

/// Begins a run of a shipped scene in the new or empty directory `dir`, and runs it to its end.
///
/// # Errors
/// As the exit codes in `docs/CONFIG.md`.
pub fn start(config: Config, dir: &Path, command: &[String], progress: &mut dyn Progress) -> Result<Summary> {
    start_in(config, dir, command, progress, &scene::build)
}

/// [`start`] in an environment of the caller.
///
/// # Errors
/// As [`start`]; `Usage` if the environment does not match the configuration.
pub fn start_in(
    mut config: Config,
    dir: &Path,
    command: &[String],
    progress: &mut dyn Progress,
    build: Build<'_>,
) -> Result<Summary> {
    threads::refuse_too_many(config.run.threads)?;
    let mut host = Host::of_this_process(progress)?;
    let mut task = Task::new(&config, build).map_err(Error::before_a_run)?;
    let goals = goal_folder::requested(&config)?;
    task.replace_goals(goals.clone());
    let spec = task.env.spec();
    config.env.scene.clone_from(&spec.name);
    let night = &config.night;
    let reserve = (night.min_free_mb + night.ballast_mb) * 1_000_000;
    enough_disk(&*host.fs, dir, (1.5 * estimate::of(&config, spec)?.disk_bytes) as u64 + reserve)?;
    let root = ShardRoot { run_id: config.run_id()?, seed: config.seed, env: spec.name.clone() };
    let learner = Learner::new(&config.learner(), spec.action_dim)?;
    let facts = provenance::collect(command, learner.workers().count(), SystemTime::now());
    let (resolved, facts) = (config.to_toml()?, format!("{facts:#}\n"));
    let columns = metrics::columns(&task.described);
    let header = MetricsCsv::header(&columns);
    let described = task.described.to_json()?;
    let files = [
        ("config.toml", &*resolved),
        ("provenance.json", &*facts),
        ("metrics.csv", &*header),
        (scene::FILE, &*described),
    ];
    let store = Store::create_in(Arc::clone(&host.fs), dir, root, &files)?;
    host.fs = store.fs();
    goal_folder::save(&*host.fs, dir, &goals)?;
    let metrics = MetricsCsv::cut_back(Arc::clone(&host.fs), &dir.join("metrics.csv"), columns, 0)?;
    log_to(dir, config.night.log_mb)?;
    host.warn_of_faults();
    threads::note(config.run.threads);
    let why = format!("{} seed {}: {}", config.name, config.seed, command.join(" "));
    let log = Recorder::new(Arc::clone(&host.fs), store, metrics, &config.night, 0.0);
    let run = Run { cfg: config, task, learner, log, host, state: RunState::default() };
    run.explore(Kind::Began, &why)
}

impl Run<'_> {
    /// Reloads earlier episodes, then [runs to the end](Self::run_to_end). A failure goes to `STATUS.json` and the log.
    pub(super) fn explore(mut self, how: Kind, why: &str) -> Result<Summary> {
        self.host.pulse.ready();
        let at = self.position();
        self.log.retry(&mut self.host, &at, |log| log.reserve_ballast())?;
        self.record(how, why)?;
        self.status(RunPhase::Exploring, None)?;
        let outcome = self.reload_episodes().and_then(|()| self.run_to_end());
        if let Err(e) = &outcome {
            if let Some(traceback) = e.traceback() {
                tracing::error!("the environment's traceback:\n{traceback}");
            }
            self.record_failure(&e.to_string());
        }
        self.log.release_ballast();
        outcome
    }

    /// Records a failure, also in a directory that was moved. Best effort: the caller reports the failure itself.
    fn record_failure(&mut self, why: &str) {
        if !self.log.follow() {
            return; // the directory was removed
        }
        let at = self.position();
        let _ = self.log.event(&at, Kind::Failed, why);
        let _ = self.log.status(&at, RunPhase::Failed, Some(why));
        if let Err(e) = redraw::plot(&[self.log.dir().to_owned()], None) {
            tracing::error!("the report could not be drawn: {e}");
        }
    }
}
