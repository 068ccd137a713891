//! The end of a run: a checkpoint, one attempt at each evaluation picture, pictures, report.

use skewfit_envs::Image;

use super::Run;
use super::rarest::rarest;
use super::record::last_step;
use crate::error::{Error, Result};
use crate::keep::store::fs::write_atomic;
use crate::keep::summary::Summary;
use crate::keep::supervise::events::Kind;
use crate::keep::supervise::status::RunPhase;
use crate::learn::rng;
use crate::learn::rng::normals;
use crate::show::evaluation;
use crate::show::redraw;
use crate::show::report::{ReportInputs, draw};
use crate::task::attempt::Attempt;
use crate::task::scores;

/// Number of reconstructions and of prior samples shown.
const PICTURES_SHOWN: usize = 24;

impl Run<'_> {
    /// Finishes a complete or a stopped run. The checkpoint comes first, so nothing below affects a resumed run.
    pub(super) fn finish(&mut self) -> Result<Summary> {
        let saved = self.checkpoint()?;
        self.tick("final evaluation");
        let goals: Vec<_> = (0u64..).zip(self.task.goals.clone()).collect();
        let attempts = loop {
            match self.attempt(&goals) {
                Err(Error::NotFinite(why)) => self.roll_back(&why)?,
                attempts => break attempts?,
            }
        };
        let (metrics, success_rate) = scores::means(&attempts, self.task.judged());
        let mut final_metrics = metrics;
        final_metrics.extend(success_rate.map(|rate| ("success_rate".to_owned(), rate)));
        final_metrics.extend(scores::over_goals(&attempts, &*self.task.env));
        let (dir, updates) = (self.log.dir().to_owned(), self.learner.counts.updates);
        let folder = dir.join("eval").join(format!("{updates:08}"));
        let report = evaluation::report(&dir, Some(&folder), updates, &attempts, &*self.task.env, self.task.judged());
        let at = self.position();
        self.log.retry(&mut self.host, &at, |_| evaluation::write(&folder, &report, &attempts))?;
        let summary = Summary {
            run: dir.display().to_string(),
            env_steps: self.state.env_steps,
            updates,
            episodes: self.state.episodes,
            wall_s: self.log.wall_s(),
            params_blake3: saved.params_blake3,
            final_metrics: final_metrics.into_iter().collect(),
        };
        let run = &self.cfg.run;
        let whole = self.state.env_steps >= last_step(run) && self.state.epoch >= run.epochs();
        let (kind, state, why) = match whole {
            true => (Kind::Done, RunPhase::Done, "all steps are done"),
            false => (Kind::Stopped, RunPhase::Paused, "a stop was requested"),
        };
        self.record(kind, why)?;
        self.tick("drawing");
        let drawn = self.drawn(&attempts, &summary)?;
        self.host.work += 1;
        self.tick("drawing");
        self.log.store.still_ours()?; // the pictures go into that directory
        match draw(&dir, &drawn) {
            Ok(files) => {
                self.log.retry(&mut self.host, &at, |log| log.tensorboard_pictures(at.env_steps, &files))?;
            }
            Err(e) => tracing::error!("the pictures could not be drawn: {e}; draw them with `skewfit plot`"),
        }
        let json = serde_json::to_string_pretty(&summary).map_err(|e| Error::Damaged(format!("summary: {e}")))?;
        self.log.retry(&mut self.host, &at, |log| {
            write_atomic(&*log.fs, &dir.join("summary.json"), json.as_bytes())?;
            log.status(&at, state, (!whole).then_some(why))
        })?;
        Ok(summary)
    }

    fn drawn(&mut self, attempts: &[Attempt], summary: &Summary) -> Result<ReportInputs> {
        let (goals_early, goals_late) = redraw::goals(&self.log.store, &self.cfg.run);
        let size = self.cfg.env.image_size;
        let pixels = size * size * 3;
        let image = |bytes: &[u8]| Image { size, pixels: bytes.to_vec() };
        let shown: Vec<Image> = attempts.iter().take(PICTURES_SHOWN).map(|a| a.goal.image.clone()).collect();
        let policy = self.learner.policy()?;
        let mut scratch = policy.scratch();
        let latents: Vec<f32> = shown.iter().flat_map(|i| policy.encode(&mut scratch, &i.pixels)).collect();
        let rebuilt = self.learner.latent.decode(&latents)?;
        let mut draws = rng::stream(self.cfg.seed, "prior-samples", &[]);
        let prior = self.learner.latent.decode(&normals(PICTURES_SHOWN * self.cfg.latent.dim, &mut draws))?;
        Ok(ReportInputs {
            wall_s: Some(summary.wall_s),
            final_metrics: summary.final_metrics.clone().into_iter().collect(),
            goals_early,
            goals_late,
            reached: evaluation::pairs(attempts),
            rarest: rarest(self.learner.densities(), size),
            reconstructions: shown.into_iter().zip(rebuilt.chunks_exact(pixels).map(image)).collect(),
            prior_samples: prior.chunks_exact(pixels).map(image).collect(),
            states: redraw::states(std::mem::take(&mut self.task.visited), &self.task.described, attempts),
            last_episode: redraw::last_episode(&self.log.store),
        })
    }
}
