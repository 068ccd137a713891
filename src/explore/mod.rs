//! The loop: collect episodes towards goals of its own, learn from them, look again; stop and go on at any point.
//!
//! Everything is a function of (configuration, seed, counters), so a checkpoint is parameters, counters and the scene.

mod begin;
mod finish;
mod record;
pub mod state;

pub use begin::{Build, resume, resume_in, start, start_in};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use skewfit_envs::Scene;

use crate::actor_loop::{Behaviour, Target, rollout};
use crate::config::Config;
use crate::coverage::Coverage;
use crate::episode::Episode;
use crate::error::Result;
use crate::evaluate::{self, Evaluator, Goal};
use crate::learner::Learner;
use crate::metrics::MetricsCsv;
use crate::progress::{Progress, Summary};
use crate::rng;
use crate::store::Store;
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
    progress: &'a mut dyn Progress,
    stop: Arc<AtomicBool>,
    begun: Instant,
    /// Seconds spent by processes before this one.
    earlier_s: f64,
}

impl Run<'_> {
    /// [`run_out`](Self::run_out); where that fails, `STATUS.json` and the log say so.
    fn explore(mut self) -> Result<Summary> {
        let outcome = self.run_out();
        if let Err(e) = &outcome {
            tracing::warn!("failed: {e}");
            let _ = self.status("failed"); // the first failure is the one to tell
        }
        outcome
    }

    /// To the end of `run.steps`, or to where it is asked to stop; then evaluation, checkpoint, pictures.
    fn run_out(&mut self) -> Result<Summary> {
        while self.state.env_steps < self.cfg.run.warmup_steps && !self.stopping() {
            self.collect("warm-up")?;
        }
        while self.state.epoch < self.cfg.run.epochs() && !self.stopping() {
            self.epoch()?;
        }
        self.finish()
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
        let behaviour = Behaviour::Explore(&mut noise);
        let episode = rollout(&mut *self.env, models, &target, length, &mut reset, behaviour)?;
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

    /// Counts an episode's states (its first one was counted with the episode before, or is the start).
    fn observe(&mut self, episode: &Episode) {
        let axes = self.env.coverage().heat_map.clone();
        for t in 1..=episode.steps() {
            let state = episode.state(t);
            self.coverage.observe(state);
            self.visited.push([&axes[0], &axes[1]].map(|axis| state.get(axis.state).copied().unwrap_or(f64::NAN)));
        }
    }

    /// A goal for episode `id`, with the picture that will stand for it after the next refresh.
    fn goal(&mut self, id: u64) -> Target {
        let mut draws = rng::stream(self.cfg.seed, "goal", &[id]);
        let mut latent = vec![0.0; self.cfg.latent.dim];
        let warm_up = self.state.env_steps < self.cfg.run.warmup_steps;
        let prior = crate::goals::PriorGoals { dim: latent.len() };
        let goals = if warm_up { Box::new(prior) } else { self.learner.goals() };
        let drawn = goals.write(&mut draws, &mut latent);
        drop(goals);
        let real = drawn.slot.filter(|_| !self.cfg.goals.keep_decoded_picture);
        let picture = match real {
            Some(slot) => self.learner.replay.next_frame(slot).to_vec(),
            None => self.learner.vae.decode(&latent),
        };
        Target { latent, picture, origin: drawn.origin }
    }

    /// One SAC update.
    fn practise(&mut self) -> Result<()> {
        if self.learner.counts.updates.is_multiple_of(16) {
            self.tick("practising");
        }
        let began = Instant::now();
        let (info, reward) = self.learner.update_agent()?;
        self.state.sums.add_update(&info, reward);
        self.state.sums.sac_s += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// The VAE phase and the refresh that follows it, if one is due; skewing acts from the refresh after `start_epoch` + 1 on.
    fn look_again(&mut self, epoch: u64) -> Result<()> {
        let updates = self.cfg.latent.updates_at(epoch);
        if updates == 0 || self.learner.replay.transitions() == 0 {
            return Ok(());
        }
        let began = Instant::now();
        for k in 0..updates {
            if k.is_multiple_of(16) {
                self.tick("fitting the VAE");
            }
            let info = self.learner.update_vae()?;
            self.state.sums.add_vae(&info);
        }
        self.state.sums.vae_s += began.elapsed().as_secs_f64();
        let began = Instant::now();
        let skew = self.cfg.skew.power < 0.0 && epoch > self.cfg.skew.start_epoch;
        self.state.sums.skew = self.learner.refresh(skew)?.map(Into::into);
        self.state.sums.refresh_s += began.elapsed().as_secs_f64();
        Ok(())
    }

    /// A few of the evaluation pictures, rotating through the fixed, shuffled set.
    fn evaluate(&mut self, epoch: u64) -> Result<()> {
        self.tick("evaluating");
        let goals = self.evaluator.goals();
        let each = self.cfg.evaluate.pictures_each_time as u64;
        let numbers =
            (0..each).map(|k| (epoch / self.cfg.evaluate.every_epochs * each + k) % goals.len().max(1) as u64);
        let chosen: Vec<(u64, Goal)> = numbers.map(|n| (n, goals[n as usize].clone())).collect();
        let (metrics, success_rate) = evaluate::means(&self.try_goals(&chosen)?);
        self.state.evaluation = metrics.first().cloned();
        self.state.sums.evaluation = metrics;
        self.state.sums.success_rate = success_rate;
        Ok(())
    }

    /// In an instance of its own, or in the exploration's, as the configuration says.
    fn try_goals(&mut self, goals: &[(u64, Goal)]) -> Result<Vec<evaluate::Attempt>> {
        if !self.cfg.evaluate.shared_env {
            return self.evaluator.attempt(&mut self.learner, &self.cfg, goals);
        }
        goals.iter().map(|g| evaluate::attempt(&mut *self.env, &mut self.learner, &self.cfg, g)).collect()
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
