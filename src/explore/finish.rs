//! The end of a run: a checkpoint, one attempt at every evaluation picture, the pictures, the report.

use skewfit_envs::Image;

use super::Run;
use super::record::last_step;
use crate::error::{Error, Result};
use crate::evaluate;
use crate::learner::normals;
use crate::progress::Summary;
use crate::report::{Drawn, States, axis_name, draw};
use crate::rng;
use crate::store::fs::{DiskFs, write_atomic};

/// Goals shown from the beginning and from the end.
const GOALS_SHOWN: usize = 24;
/// Reconstructions and prior samples shown.
const PICTURES_SHOWN: usize = 24;

impl Run<'_> {
    /// As far as the run got: checkpoint first, so that nothing below can change what a resumed run continues.
    pub(super) fn finish(&mut self) -> Result<Summary> {
        let saved = self.checkpoint()?;
        self.tick("final evaluation");
        let goals: Vec<_> = (0u64..).zip(self.evaluator.goals()).collect();
        let attempts = self.try_goals(&goals)?;
        let (metrics, success_rate) = evaluate::means(&attempts);
        let mut final_metrics = metrics;
        final_metrics.extend(success_rate.map(|rate| ("success_rate".to_owned(), rate)));
        let dir = self.store.dir().to_owned();
        let report = evaluate::report(&dir, self.learner.counts.updates, &attempts, self.env.spec());
        evaluate::write(&dir.join("eval").join(format!("{:08}", self.learner.counts.updates)), &report, &attempts)?;
        self.tick("drawing");
        let mut figures = final_metrics.clone();
        figures.push(("coverage/cells".into(), self.coverage.cells() as f64));
        figures.push(("coverage/entropy_nats".into(), self.coverage.entropy_nats()));
        let drawn = self.drawn(&attempts, figures)?;
        draw(&dir, &drawn)?;
        let summary = Summary {
            run: dir.display().to_string(),
            env_steps: self.state.env_steps,
            updates: self.learner.counts.updates,
            episodes: self.state.episodes,
            wall_s: self.wall_s(),
            params_blake3: saved.params_blake3,
            final_metrics: final_metrics.into_iter().collect(),
        };
        let json = serde_json::to_string_pretty(&summary).map_err(|e| Error::Damaged(format!("summary: {e}")))?;
        write_atomic(&DiskFs, &dir.join("summary.json"), json.as_bytes())?;
        let run = &self.cfg.run;
        let whole = self.state.env_steps >= last_step(run) && self.state.epoch >= run.epochs();
        self.status(if whole { "done" } else { "paused" })?;
        Ok(summary)
    }

    fn drawn(&mut self, attempts: &[evaluate::Attempt], final_metrics: Vec<(String, f64)>) -> Result<Drawn> {
        let (goals_early, goals_late) = self.proposed_goals()?;
        let size = self.cfg.env.image_size;
        let pixels = size * size * 3;
        let image = |bytes: &[u8]| Image { size, pixels: bytes.to_vec() };
        let shown: Vec<Image> = attempts.iter().take(PICTURES_SHOWN).map(|a| a.goal.image.clone()).collect();
        let latents: Vec<f32> = shown.iter().flat_map(|i| self.learner.vae.encode_one(&i.pixels)).collect();
        let rebuilt = self.learner.vae.decode(&latents);
        let mut draws = rng::stream(self.cfg.seed, "prior-samples", &[]);
        let prior = self.learner.vae.decode(&normals(PICTURES_SHOWN * self.cfg.latent.dim, &mut draws));
        let axes = self.env.coverage().heat_map.clone();
        let place = |a: &evaluate::Attempt| {
            let state = a.goal.state.as_ref()?;
            Some([&axes[0], &axes[1]].map(|axis| state.0[axis.state]))
        };
        Ok(Drawn {
            wall_s: Some(self.wall_s()),
            final_metrics,
            goals_early,
            goals_late,
            reached: evaluate::pairs(attempts),
            reconstructions: shown.into_iter().zip(rebuilt.chunks_exact(pixels).map(image)).collect(),
            prior_samples: prior.chunks_exact(pixels).map(image).collect(),
            states: Some(States {
                names: [&axes[0], &axes[1]].map(|axis| axis_name(self.env.spec(), axis)),
                goals: attempts.iter().filter_map(place).collect(),
                visited: std::mem::take(&mut self.visited),
                axes,
            }),
        })
    }

    /// Pictures of the first and last goals that were the robot's own, warm-up and damaged shards left out.
    fn proposed_goals(&self) -> Result<(Vec<Image>, Vec<Image>)> {
        let own: Vec<u64> = (self.store.lines().iter())
            .filter(|line| line.env_steps_end > self.cfg.run.warmup_steps + self.cfg.run.epoch_steps)
            .map(|line| line.id)
            .collect();
        let picture = |id: &u64| match self.store.episode(*id) {
            Ok(episode) => Some(Ok(Image { size: episode.image_size, pixels: episode.goal_image })),
            Err(Error::Damaged(_)) => None, // named when it was left out of replay, or by `inspect`
            Err(other) => Some(Err(other)),
        };
        let half = GOALS_SHOWN.min(own.len() / 2);
        let early = own[..half].iter().filter_map(picture).collect::<Result<Vec<_>>>()?;
        let late = own[own.len() - half..].iter().filter_map(picture).collect::<Result<Vec<_>>>()?;
        Ok((early, late))
    }
}
