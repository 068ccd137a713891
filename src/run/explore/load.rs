//! Loads a run to resume it: opens it for writing and checks it, without changing a file.

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
use crate::task::scene::{Build, EnvDescription, check_same_scene};

/// A run that is ready to resume.
pub(super) struct LoadedRun {
    pub store: Store,
    pub task: Task,
    pub learner: Learner,
    pub state: RunState,
    /// The user's evaluation pictures.
    pub goals: Vec<EvaluationGoal>,
    /// The run's `env.json`; `None` if an older program began the run.
    pub described: Option<EnvDescription>,
    /// Update of the checkpoint; `None` if the run ended before its first checkpoint.
    pub from: Option<u64>,
    /// Whether the environment was restored to its state at the checkpoint.
    pub env_restored: bool,
    /// Damage to record once the run resumes.
    pub damage: Vec<String>,
}

impl LoadedRun {
    /// Opens the run in `dir` at its newest sound checkpoint, after skipping the `pass_over` newest ones; `host` then
    /// writes to that run.
    ///
    /// # Errors
    /// `Damaged` if no checkpoint is sound, if the journal ends before it, or if `env.json` is not as it was written.
    /// Errors of the environment.
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
            let way = "restore one, or explore again in another directory";
            return Err(Error::Damaged(format!("{}: all checkpoints are gone; {way}", dir.display())));
        }
        log_to(dir, cfg.night.log_mb)?;
        let task = Task::new(cfg, build)?;
        check_same_scene(store.root(), task.env.spec())?;
        let learner = Learner::new(&cfg.learner(), task.env.spec().action_dim)?;
        let (goals, described) = (goal_folder::load(dir, cfg)?, EnvDescription::read(dir, store.root())?);
        let (state, from, env_restored, damage) = (RunState::default(), None, false, Vec::new());
        let mut run = Self { store, task, learner, state, goals, described, from, env_restored, damage };
        if let Some(Loaded { content, passed_over }) = loaded {
            run.state = RunState::of(&content)?;
            run.store.first_lines(run.state.episodes)?;
            restore(&mut run.learner, &content)?;
            run.from = Some(content.update);
            run.env_restored = run.task.restore_env(&content.env)?;
            run.note_differences(cfg, !content.env.is_empty())?;
            run.damage.extend(passed_over.iter().map(|damage| format!("checkpoint skipped: {damage}")));
        }
        Ok(run)
    }

    /// Notes what makes the resumed run differ from an uninterrupted one.
    fn note_differences(&mut self, cfg: &Config, was_frozen: bool) -> Result<()> {
        if !self.state.config.is_empty() && !cfg.has_identity(&self.state.config)? {
            self.damage.push(format!("config.toml is not that of the checkpoint; {NOT_THE_SAME}"));
        }
        if was_frozen && !self.env_restored {
            self.damage
                .push(format!("the environment cannot be restored to its state at the checkpoint; {NOT_THE_SAME}"));
        }
        let later = &self.store.lines()[self.state.episodes as usize..];
        if !self.env_restored && later.iter().any(|line| line.at_update.is_none()) {
            self.damage.push(format!("the journal does not say when episodes entered replay; {NOT_THE_SAME}"));
        }
        Ok(())
    }
}
