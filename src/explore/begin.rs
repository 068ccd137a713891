//! Makes a run directory and begins.

use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use skewfit_envs::Scene;

use super::Run;
use super::fits::fits;
use super::house::{House, log_to};
use super::state::RunState;
use crate::chaos::VARIABLE;
use crate::config::{Config, EnvConfig};
use crate::coverage::Coverage;
use crate::error::Result;
use crate::estimate;
use crate::evaluate::{Evaluator, scene};
use crate::learner::Learner;
use crate::metrics::MetricsCsv;
use crate::progress::{Progress, Summary};
use crate::provenance;
use crate::store::fs::enough_disk;
use crate::store::{ShardRoot, Store};
use crate::supervise::events::Kind;
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
    let house = House::of_this_process()?;
    let night = &config.night;
    let reserve = (night.min_free_mb + night.ballast_mb) * 1_000_000;
    enough_disk(&*house.fs, dir, (1.5 * estimate::of(&config)?.disk_bytes) as u64 + reserve)?;
    let scenes = scenes(&config, build)?;
    let spec = scenes.0.spec();
    let root = ShardRoot { run_id: config.run_id()?, seed: config.seed, env: spec.name.clone() };
    let learner = Learner::new(&config, spec.action_dim)?;
    let facts = provenance::collect(command, learner.workers.count(), SystemTime::now());
    let (resolved, facts) = (config.to_toml()?, format!("{facts:#}\n"));
    let header = MetricsCsv::header(&scenes.1.columns());
    let files = [("config.toml", &*resolved), ("provenance.json", &*facts), ("metrics.csv", &*header)];
    let store = Store::create_in(Arc::clone(&house.fs), dir, root, &files)?;
    let metrics = MetricsCsv::cut_back(Arc::clone(&house.fs), &dir.join("metrics.csv"), 0)?;
    log_to(dir, config.night.log_mb)?;
    let why = format!("{} seed {}: {}", config.name, config.seed, command.join(" "));
    let run = Run::new((config, store, metrics), scenes, (learner, RunState::default()), progress, house);
    run.explore(Kind::Began, &why)
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
        house: House,
    ) -> Self {
        if !house.chaos.is_none() {
            tracing::error!("{VARIABLE} is set: faults on purpose");
        }
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
            house,
            work: 0,
            told: None,
        }
    }
}

impl Run<'_> {
    /// [`run_out`](Self::run_out) after the episodes there are; where that fails, `STATUS.json` and the log say so.
    pub(super) fn explore(mut self, how: Kind, why: &str) -> Result<Summary> {
        self.house.pulse.ready();
        self.durably(|run| run.lay_ballast())?;
        self.durably(|run| run.tell(how, why))?;
        self.durably(|run| run.status("exploring", None))?;
        let outcome = self.replay_episodes().and_then(|()| self.run_out());
        if let Err(e) = &outcome {
            let _ = self.tell(Kind::Failed, &e.to_string()); // the first failure is the one to tell
            let _ = self.status("failed", Some(&e.to_string()));
            if let Err(e) = crate::redraw::plot(&[self.store.dir().to_owned()], None) {
                tracing::error!("the report could not be drawn: {e}");
            }
        }
        self.drop_ballast();
        outcome
    }
}
