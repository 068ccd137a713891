//! Units that write to the disk: an episode, a checkpoint.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use skewfit_envs::Env;

use super::networks::ACTIONS;
use super::timing::Work;
use crate::config::Config;
use crate::error::Result;
use crate::keep::checkpoint::{self, CheckpointContent, Retention};
use crate::keep::store::fs::DiskFs;
use crate::keep::store::{ShardRoot, Store};
use crate::learn::episode::{Episode, GoalOrigin};
use crate::learn::learner::Learner;
use crate::learn::rng;
use crate::learn::rollout::{Behaviour, RolloutGoal, rollout};
use crate::run::explore::state::RunState;
use crate::task::scene;

/// Commits an episode of the door to a store in a [`TempFolder`].
pub(super) fn commit_episode() -> Result<Work> {
    let cfg = Config::resolve("door", Vec::new())?;
    let mut scene = scene::build(&cfg.env, 0)?;
    let mut learner = Learner::new(&cfg.learner(), ACTIONS)?;
    let mut episode = door_episode(&cfg, &mut *scene, &mut learner, 0)?;
    let (mut store, folder) = temporary_store(&cfg)?;
    Ok(Box::new(move || {
        let _alive = &folder; // until the last repetition
        store.commit(&episode, (episode.id + 1) * 100)?;
        episode.id += 1;
        Ok(())
    }))
}

/// Saves a checkpoint of the door's learner; the three newest are kept.
pub(super) fn checkpoint_door() -> Result<Work> {
    let cfg = Config::resolve("door", Vec::new())?;
    let (scene, learner) = (scene::build(&cfg.env, 0)?, Learner::new(&cfg.learner(), ACTIONS)?);
    let (store, folder) = temporary_store(&cfg)?;
    let mut update = 0;
    Ok(Box::new(move || {
        let _alive = &folder; // until the last repetition
        let (models, state) = (learner.models()?, serde_json::json!(RunState::default()));
        let snapshot = CheckpointContent { update, models, state, env: scene.snapshot()?.0 };
        checkpoint::save(&DiskFs, store.dir(), &snapshot, Retention { newest: 3, every_s: 0.0, protected: &[] })?;
        update += 1;
        Ok(())
    }))
}

/// Collects an episode towards a goal from the prior.
pub(super) fn door_episode(cfg: &Config, scene: &mut dyn Env, learner: &mut Learner, id: u64) -> Result<Episode> {
    let [mut reset, mut noise] = ["env", "policy"].map(|name| rng::stream(0, name, &[id]));
    let latent = rng::normals(cfg.latent.dim, &mut noise);
    let target = RolloutGoal { picture: learner.latent.decode(&latent)?, latent, origin: GoalOrigin::Prior };
    let behaviour = Behaviour::Explore(&mut noise);
    rollout(scene, learner.policy()?, behaviour, &target, id, cfg.env.episode_steps, &mut reset)
}

/// A new store in a [`TempFolder`].
pub(super) fn temporary_store(cfg: &Config) -> Result<(Store, TempFolder)> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("skewfit-bench-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let folder = TempFolder(std::env::temp_dir().join(name));
    let root = ShardRoot { run_id: cfg.run_id()?, seed: 0, env: cfg.env.scene.clone() };
    Ok((Store::create(&folder.0, root)?, folder))
}

/// A folder in the system's temporary folder; removed on drop.
pub(super) struct TempFolder(PathBuf);

impl Drop for TempFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0); // the system clears its temporary folder anyway
    }
}
