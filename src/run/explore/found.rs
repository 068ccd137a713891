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
use crate::task::attempt::Goal;
use crate::task::opened::restore;
use crate::task::scene::{Build, Described, same_scene};

/// See the module.
pub(super) struct Found {
    pub store: Store,
    pub task: Task,
    pub learner: Learner,
    pub state: RunState,
    /// Pictures of the user's.
    pub goals: Vec<Goal>,
    /// What the run's `env.json` tells; `None` of a run of an older program.
    pub told: Option<Described>,
    /// The checkpoint's update; `None` of a run whose process ended before its first one.
    pub from: Option<u64>,
    /// Whether the environment is where it was at the checkpoint.
    pub put_back: bool,
    /// What is to be recorded once the run goes on.
    pub damage: Vec<String>,
}

impl Found {
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
        same_scene(store.root(), task.env.spec())?;
        let learner = Learner::new(&cfg.learner(), task.env.spec().action_dim)?;
        let (goals, told) = (goal_folder::kept(dir, cfg)?, Described::told(dir, store.root())?);
        let (state, from, put_back, damage) = (RunState::default(), None, false, Vec::new());
        let mut found = Self { store, task, learner, state, goals, told, from, put_back, damage };
        if let Some(Loaded { snapshot, passed_over }) = loaded {
            found.state = RunState::of(&snapshot)?;
            found.store.first_lines(found.state.episodes)?;
            restore(&mut found.learner, &snapshot)?;
            found.from = Some(snapshot.update);
            found.put_back = found.task.put_back(&snapshot.env)?;
            found.note(cfg, !snapshot.env.is_empty())?;
            found.damage.extend(passed_over.iter().map(|damage| format!("checkpoint passed over: {damage}")));
        }
        Ok(found)
    }

    /// What keeps the run from ending in the bytes of one that was not interrupted.
    fn note(&mut self, cfg: &Config, was_frozen: bool) -> Result<()> {
        if !self.state.config.is_empty() && !cfg.has_identity(&self.state.config)? {
            self.damage.push(format!("config.toml is not that of the checkpoint; {NOT_THE_SAME}"));
        }
        if was_frozen && !self.put_back {
            self.damage.push(format!("the environment cannot be put back to where it was; {NOT_THE_SAME}"));
        }
        let later = &self.store.lines()[self.state.episodes as usize..];
        if !self.put_back && later.iter().any(|line| line.at_update.is_none()) {
            self.damage.push(format!("the journal does not tell when episodes entered replay; {NOT_THE_SAME}"));
        }
        Ok(())
    }
}
