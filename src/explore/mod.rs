//! The loop: collect episodes towards goals of its own, learn from them, look again; stop and go on at any point.
//!
//! Everything is a function of (configuration, seed, counters), so a checkpoint is parameters, counters and the scene.

mod begin;
mod finish;
mod fits;
mod house;
mod parts;
mod rarest;
mod record;
mod resume;
mod stand;
pub mod state;
mod survive;

pub use begin::{Build, start, start_in};
pub use house::stop_flag;
pub use resume::{resume, resume_in};

use std::time::Instant;

use skewfit_envs::Scene;

use crate::actor_loop::{Behaviour, rollout};
use crate::chaos::Place;
use crate::config::Config;
use crate::coverage::Coverage;
use crate::error::{Error, Result};
use crate::evaluate::Evaluator;
use crate::learner::Learner;
use crate::metrics::MetricsCsv;
use crate::progress::{Progress, Summary};
use crate::rng;
use crate::store::Store;
use crate::tensorboard::Events;
use house::House;
use state::RunState;

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
    house: House,
    /// What was done besides steps and updates: attempts, episodes read, pictures drawn.
    work: u64,
    /// When `STATUS.json` was written last.
    told: Option<Instant>,
    begun: Instant,
    /// Seconds spent by processes before this one.
    earlier_s: f64,
}

impl Run<'_> {
    /// To the end of `run.steps`, or to where it is asked to stop; then evaluation, checkpoint, pictures.
    fn run_out(&mut self) -> Result<Summary> {
        if self.state.env_steps == 0 {
            self.tick("beginning");
            self.due_checkpoint()?;
        }
        if self.state.env_steps < self.cfg.run.warmup_steps {
            self.warm_up()?;
        }
        while self.state.epoch < self.cfg.run.epochs() && !self.stopping()? {
            self.epoch()?;
        }
        self.finish()
    }

    /// Episodes towards the prior's goals, which no epoch's row tells of.
    fn warm_up(&mut self) -> Result<()> {
        while self.state.env_steps < self.cfg.run.warmup_steps {
            if self.stopping()? {
                return Ok(());
            }
            self.collect("warm-up")?;
        }
        self.state.sums = self.state.sums.after_warm_up(self.wall_s());
        self.due_checkpoint()
    }

    /// Collect, practise, look again, evaluate, record. Counters say how far it got, so it can be left and re-entered.
    fn epoch(&mut self) -> Result<()> {
        let (epoch, run) = (self.state.epoch, self.cfg.run.clone());
        while self.state.env_steps < run.warmup_steps + (epoch + 1) * run.epoch_steps {
            if self.stopping()? {
                return Ok(());
            }
            self.collect("exploring")?;
        }
        while self.learner.counts.updates < (epoch + 1) * run.updates_per_epoch {
            if self.stopping()? {
                return Ok(());
            }
            self.practise()?;
        }
        if !self.look_again(epoch)? {
            return Ok(());
        }
        if (epoch + 1).is_multiple_of(self.cfg.evaluate.every_epochs) {
            self.evaluate(epoch)?;
        }
        self.state.epoch += 1;
        self.record_epoch()?;
        if self.state.epoch.is_multiple_of(run.checkpoint_every_epochs) {
            self.due_checkpoint()?;
        }
        Ok(())
    }

    /// One episode towards a goal of its own, committed before it is learned from; none if the policy gave no number.
    fn collect(&mut self, phase: &str) -> Result<()> {
        self.tick(phase);
        if !self.need_room()? {
            return Ok(());
        }
        let began = Instant::now();
        let id = self.state.episodes;
        self.spoil(Place::Episode, id + self.state.skipped);
        let before = self.env.snapshot()?;
        let target = self.goal(id);
        let [mut reset, mut noise] = ["env", "policy"].map(|name| rng::stream(self.cfg.seed, name, &[id]));
        let models = (&mut self.learner.vae, &mut self.learner.sac);
        let length = (id, self.cfg.env.episode_steps);
        let episode = rollout(&mut *self.env, models, &target, length, &mut reset, Behaviour::Explore(&mut noise));
        self.state.sums.env_s += began.elapsed().as_secs_f64();
        if let Err(Error::NotFinite(why)) = &episode {
            self.env.restore(&before)?;
            return self.trouble(why);
        }
        self.commit(episode?)
    }
}
