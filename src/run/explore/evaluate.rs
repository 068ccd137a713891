//! Evaluation on a few pictures at the end of an epoch.

use super::Run;
use crate::error::{Error, Result};
use crate::task::attempt::{Attempt, EvaluationGoal};
use crate::task::scores;

impl Run<'_> {
    /// Evaluates the next few pictures; successive evaluations rotate through the fixed, shuffled set.
    pub(super) fn evaluate(&mut self, epoch: u64) -> Result<()> {
        let goals = self.task.goals.clone();
        if goals.is_empty() {
            return Ok(());
        }
        self.tick("evaluating");
        let evaluate = &self.cfg.evaluate;
        let most = if evaluate.folder.is_empty() { usize::MAX } else { goals.len() };
        let each = evaluate.pictures_each_time.min(most) as u64;
        let numbers = (0..each).map(|k| (epoch / self.cfg.evaluate.every_epochs * each + k) % goals.len() as u64);
        let chosen: Vec<(u64, EvaluationGoal)> = numbers.map(|n| (n, goals[n as usize].clone())).collect();
        let attempts = match self.attempt(&chosen) {
            Err(Error::NotFinite(why)) => return self.handle_non_finite(&why),
            attempts => attempts?,
        };
        let (metrics, success_rate) = scores::means(&attempts, self.task.judged());
        self.state.evaluation = metrics.first().cloned();
        metrics.iter().for_each(|(name, mean)| self.state.sums.set(&format!("eval/final_{name}"), *mean));
        success_rate.iter().for_each(|rate| self.state.sums.set("eval/success_rate", *rate));
        Ok(())
    }

    /// Makes one attempt at each goal.
    pub(super) fn attempt(&mut self, goals: &[(u64, EvaluationGoal)]) -> Result<Vec<Attempt>> {
        let pulse = &mut self.host.pulse;
        self.task.attempt(&self.learner, &self.cfg, goals, &mut || pulse.beat())
    }
}
