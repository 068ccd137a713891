//! Verdicts on the agent: goals, progress, critics, policy.

use super::findings::Findings;
use super::verdicts::{self as want, Level, Says, Verdict};
use crate::format::grouped;

pub(super) fn goals(found: &Findings) -> Vec<Verdict> {
    let mix = &found.cfg.goals;
    let says = Says {
        good: "enough training goals come from the goal source",
        bad: "too many training goals are hindsight goals",
    };
    let share = mix.relabel_keep + mix.relabel_source;
    let mut all = vec![Verdict::graded(
        "own_goals",
        share,
        want::OWN_GOALS,
        says,
        "share from the goal source, by configuration",
    )];
    if let Some(share) = found.own_share.filter(|_| found.agent_updated() && found.vae_trained()) {
        let says = Says {
            good: "rewards match training on goals near and far",
            bad: "rewards match training on hindsight goals only",
        };
        all.push(Verdict::graded(
            "practised_goals",
            share,
            want::OWN_REWARDS,
            says,
            "share from the goal source, by the rewards",
        ));
    }
    if let Some(visits) = found.goal_visits.filter(|_| found.vae_trained() && found.skewed.is_some()) {
        let says = Says {
            good: "exploration goals are rarer than stored frames",
            bad: "exploration goals are more common than stored frames",
        };
        let what = "visits of a late goal's cell over those of a frame's cell";
        all.push(Verdict::graded("goals_rare", visits, want::GOAL_VISITS, says, what));
    }
    if let Some(idle) = found.practice.idle.filter(|_| found.agent_updated() && found.vae_trained()) {
        let says = Says {
            good: "the robot moves on when a goal is reached",
            bad: "the robot stands at goals that it has reached",
        };
        let mut verdict = Verdict::graded("idle", idle, want::IDLE, says, "share of the latest steps");
        if verdict.level != Level::Ok {
            verdict.sentence += "; `goals.after_reaching = \"wander\"` lets it move on";
        }
        all.push(verdict);
    }
    all
}

pub(super) fn progress(found: &Findings) -> Vec<Verdict> {
    let says = Says {
        good: "episodes end nearer to their own goal than to others",
        bad: "the goal hardly changes where an episode ends",
    };
    let what = "distance to the own goal over that to others";
    let graded = |ratio| Verdict::graded("goal_progress", ratio, want::PROGRESS, says, what);
    found.progress.map(graded).into_iter().collect()
}

/// Turns a fault into a warning while the agent has had few updates.
pub(super) fn warn_if_few_updates(found: &Findings, mut verdict: Verdict) -> Verdict {
    let updates = found.counts.updates;
    if verdict.level == Level::Fault && updates < want::FEW_UPDATES {
        verdict.level = Level::Warn;
        verdict.sentence += &format!("; only {} updates so far", grouped(updates));
    }
    verdict
}

pub(super) fn critic(found: &Findings) -> Vec<Verdict> {
    let Some(returns) = &found.returns else { return Vec::new() };
    let bias = returns.bias();
    let says = Says { good: "Q matches the returns on average", bad: "Q differs from the returns on average" };
    let mut verdict = Verdict::graded("q_bias", bias.abs(), want::BIAS, says, "bias over the scale of returns");
    if verdict.level != Level::Ok {
        let side = if bias > 0.0 { "Q overestimates the returns" } else { "Q underestimates the returns" };
        verdict.sentence = verdict.sentence.replace(says.bad, side);
    }
    let (n, agent) = (found.counts.updates, &found.cfg.agent);
    let followed = 1.0 - (-(n as f64) * agent.tau * (1.0 - agent.discount)).exp();
    let slow = Says {
        good: "the target critics had time to converge",
        bad: "Q is too low: the target critics change too slowly",
    };
    let what = format!("share of a constant return they can reach after {} updates", grouped(n));
    let followed = Verdict::graded("targets_follow", followed, want::TARGET_CONVERGENCE, slow, &what);
    let says = Says { good: "Q ranks good steps above bad ones", bad: "Q does not rank good steps above bad ones" };
    let what = "rank correlation with returns";
    let rank = returns.rank().map(|rank| Verdict::graded("q_rank", rank, want::RANK, says, what));
    [verdict, followed].into_iter().chain(rank).collect()
}

pub(super) fn policy(found: &Findings) -> Vec<Verdict> {
    let mut all = Vec::new();
    if let Some(entropy) = found.table.last("train/entropy") {
        let says = Says {
            good: "the policy's entropy is near its target",
            bad: "the policy's entropy is far from its target",
        };
        let target = found.target_entropy();
        let what = format!("{} nats, target {}, difference", want::three_digits(entropy), want::three_digits(target));
        all.push(Verdict::graded("entropy", (entropy - target).abs(), want::ENTROPY_GAP, says, &what));
    }
    let says =
        Says { good: "the temperature is small beside the rewards", bad: "the entropy bonus outweighs the rewards" };
    all.push(Verdict::graded("temperature", found.temperature, want::TEMPERATURE, says, "temperature"));
    if let Some(share) = found.saturation {
        let says = Says { good: "few actions are at their bounds", bad: "many actions are at their bounds" };
        all.push(Verdict::graded("saturation", share, want::SATURATION, says, "share of entries beyond 0.95"));
    }
    all
}

impl Findings {
    /// The target entropy of the policy, nats.
    #[must_use]
    pub fn target_entropy(&self) -> f64 {
        let actions = self.sample.recent.first().map_or(0, |e| e.action_dim) as f64;
        self.cfg.agent.target_entropy.unwrap_or(-actions)
    }
}
