//! A run as a process finds it that takes it up again: opened for writing, checked, nothing changed.

use std::path::Path;
use std::sync::Arc;

use super::NOT_THE_SAME;
use super::host::{Host, log_to};
use super::state::RunState;
use super::task::Task;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::keep::checkpoint::{self, Loaded};
use crate::keep::store::Store;
use crate::learn::learner::Learner;
use crate::run::goal_folder;
use crate::task::attempt::EvaluationGoal;
use crate::task::opened::restore;
use crate::task::scene::{Build, Described, check_same_scene};

/// See the module.
pub(super) struct LoadedRun {
    pub store: Store,
    pub task: Task,
    pub learner: Learner,
    pub state: RunState,
    /// Pictures of the user's.
    pub goals: Vec<EvaluationGoal>,
    /// What the run's `env.json` tells; `None` of a run of an older program.
    pub told: Option<Described>,
    /// The checkpoint's update; `None` of a run whose process ended before its first one.
    pub from: Option<u64>,
    /// Whether the environment is where it was at the checkpoint.
    pub env_restored: bool,
    /// What is to be recorded once the run goes on.
    pub damage: Vec<String>,
}

impl LoadedRun {
    /// Opens the run in `dir`, which `host` writes to from here on; not at the `pass_over` newest checkpoints.
    ///
    /// # Errors
    /// `Damaged` where no checkpoint is sound, the journal does not reach it or `env.json` is not what was written; what the environment refuses.
    pub(super) fn read(
        host: &mut Host<'_>,
        dir: &Path,
        cfg: &Config,
        pass_over: usize,
        build: Build<'_>,
    ) -> Result<Self> {
        let store = Store::open_in(Arc::clone(&host.fs), dir)?;
        host.fs = store.fs();
        let loaded = checkpoint::sound_after(dir, pass_over)?;
        if loaded.is_none() && !store.lines().is_empty() {
            let way = "nothing to resume from, its checkpoints are gone; put one back, or explore again elsewhere";
            return Err(Error::Damaged(format!("{}: there is no checkpoint: {way}", dir.display())));
        }
        log_to(dir, cfg.night.log_mb)?;
        let task = Task::new(cfg, build)?;
        check_same_scene(store.root(), task.env.spec())?;
        let learner = Learner::new(&cfg.learner(), task.env.spec().action_dim)?;
        let (goals, told) = (goal_folder::load(dir, cfg)?, Described::read(dir, store.root())?);
        let (state, from, env_restored, damage) = (RunState::default(), None, false, Vec::new());
        let mut found = Self { store, task, learner, state, goals, told, from, env_restored, damage };
        if let Some(Loaded { snapshot, passed_over }) = loaded {
            found.state = RunState::of(&snapshot)?;
            found.store.holds(found.state.episodes)?;
            restore(&mut found.learner, &snapshot)?;
            found.from = Some(snapshot.update);
            found.env_restored = found.task.restore_env(&snapshot.env)?;
            found.note_differences(cfg, !snapshot.env.is_empty())?;
            found.damage.extend(passed_over.iter().map(|damage| format!("checkpoint passed over: {damage}")));
        }
        Ok(found)
    }

    /// What keeps the run from ending in the bytes of one that was not interrupted.
    fn note_differences(&mut self, cfg: &Config, was_frozen: bool) -> Result<()> {
        if !self.state.config.is_empty() && !cfg.has_identity(&self.state.config)? {
            self.damage.push(format!("config.toml is not that of the checkpoint; {NOT_THE_SAME}"));
        }
        if was_frozen && !self.env_restored {
            self.damage.push(format!("the environment cannot be put back to where it was; {NOT_THE_SAME}"));
        }
        let later = &self.store.lines()[self.state.episodes as usize..];
        if !self.env_restored && later.iter().any(|line| line.at_update.is_none()) {
            self.damage.push(format!("the journal does not tell when episodes entered replay; {NOT_THE_SAME}"));
        }
        Ok(())
    }
}
