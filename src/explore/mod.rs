//! The loop: collect episodes towards goals of its own, learn from them, look again; stop and go on at any point.
//!
//! Everything is a function of (configuration, seed, counters), so a checkpoint is parameters, counters and the scene.

mod begin;
mod finish;
mod fits;
mod parts;
mod rarest;
mod record;
mod resume;
pub mod state;

pub use begin::{Build, start, start_in};
pub use resume::{resume, resume_in};

use std::sync::{Arc, atomic::AtomicBool, atomic::Ordering};
use std::time::Instant;

use skewfit_envs::Scene;

use crate::actor_loop::{Behaviour, rollout};
use crate::config::Config;
use crate::coverage::Coverage;
use crate::episode::Episode;
use crate::error::Result;
use crate::evaluate::Evaluator;
use crate::learner::Learner;
use crate::metrics::MetricsCsv;
use crate::progress::{Progress, Summary};
use crate::rng;
use crate::store::Store;
use crate::tensorboard::Events;
use state::{RunState, Sums};

/// An exploration under way, lockstep: the scene, what was learned, and what is on disk.
pub struct Run<'a> {
    cfg: Config,
    store: Store,
    env: Box<dyn Scene>,
    evaluator: Evaluator,
    learner: Learner,
    state: RunState,
    coverage: Coverage,
    /// Every visited state on the heat map's two axes.
    visited: Vec<[f64; 2]>,
    metrics: MetricsCsv,
    events: Events,
    progress: &'a mut dyn Progress,
    stop: Arc<AtomicBool>,
    begun: Instant,
    /// Seconds spent by processes before this one.
    earlier_s: f64,
}

impl Run<'_> {
    /// [`run_out`](Self::run_out) after the episodes there are; where that fails, `STATUS.json` and the log say so.
    fn explore(mut self) -> Result<Summary> {
        self.status("exploring")?;
        let outcome = self.replay_episodes().and_then(|()| self.run_out());
        if let Err(e) = &outcome {
            tracing::warn!("failed: {e}");
            let _ = self.status("failed"); // the first failure is the one to tell
        }
        outcome
    }

    /// To the end of `run.steps`, or to where it is asked to stop; then evaluation, checkpoint, pictures.
    fn run_out(&mut self) -> Result<Summary> {
        if self.state.env_steps == 0 {
            self.tick("beginning");
            self.checkpoint()?;
        }
        if self.state.env_steps < self.cfg.run.warmup_steps {
            self.warm_up()?;
        }
        while self.state.epoch < self.cfg.run.epochs() && !self.stopping() {
            self.epoch()?;
        }
        self.finish()
    }

    /// Episodes towards the prior's goals, which no epoch's row tells of.
    fn warm_up(&mut self) -> Result<()> {
        while self.state.env_steps < self.cfg.run.warmup_steps {
            if self.stopping() {
                return Ok(());
            }
            self.collect("warm-up")?;
        }
        self.state.sums = Sums::since(self.wall_s());
        self.checkpoint().map(drop)
    }

    /// Collect, practise, look again, evaluate, record. Counters say how far it got, so it can be left and re-entered.
    fn epoch(&mut self) -> Result<()> {
        let (epoch, run) = (self.state.epoch, self.cfg.run.clone());
        while self.state.env_steps < run.warmup_steps + (epoch + 1) * run.epoch_steps {
            if self.stopping() {
                return Ok(());
            }
            self.collect("exploring")?;
        }
        while self.learner.counts.updates < (epoch + 1) * run.updates_per_epoch {
            if self.stopping() {
                return Ok(());
            }
            self.practise()?;
        }
        self.look_again(epoch)?;
        if (epoch + 1).is_multiple_of(self.cfg.evaluate.every_epochs) {
            self.evaluate(epoch)?;
        }
        self.state.epoch += 1;
        self.record_epoch()?;
        if self.state.epoch.is_multiple_of(run.checkpoint_every_epochs) {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// One episode towards a goal of its own, committed before it is learned from.
    fn collect(&mut self, phase: &str) -> Result<()> {
        self.tick(phase);
        let began = Instant::now();
        let id = self.state.episodes;
        let target = self.goal(id);
        let [mut reset, mut noise] = ["env", "policy"].map(|name| rng::stream(self.cfg.seed, name, &[id]));
        let models = (&mut self.learner.vae, &mut self.learner.sac);
        let length = (id, self.cfg.env.episode_steps);
        let episode = rollout(&mut *self.env, models, &target, length, &mut reset, Behaviour::Explore(&mut noise))?;
        self.state.sums.env_s += began.elapsed().as_secs_f64();
        self.commit(episode)
    }

    fn commit(&mut self, episode: Episode) -> Result<()> {
        self.state.env_steps += episode.steps() as u64;
        self.state.episodes += 1;
        self.state.sums.count_goal(episode.goal_origin);
        if self.store.commit(&episode, self.state.env_steps)?.diverged {
            let id = episode.id;
            tracing::error!(
                "episode {id} came out differently than before it was cut back: another machine or binary?"
            );
        }
        self.observe(&episode);
        self.learner.add(episode)
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
