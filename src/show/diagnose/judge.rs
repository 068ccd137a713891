//! From findings to verdicts, in the order of the method: see, weigh, set goals, practise, act.

use super::findings::Findings;
use super::probe::Probe;
use super::verdicts::{self as want, Level, Verdict};
use crate::format::grouped;

/// Every verdict on a run.
#[must_use]
pub fn verdicts(found: &Findings) -> Vec<Verdict> {
    let mut all = Vec::new();
    if found.fitted() {
        all.extend(vae(found));
        all.extend(found.probes.iter().map(sees));
        all.extend(density(found));
    } else {
        let why = "the VAE was not fitted yet: what it sees is chance until the first epoch is over";
        all.push(Verdict::told("vae_explains", Level::Ok, why));
    }
    all.extend(skewing(found));
    all.extend(goals(found));
    if found.practised() {
        all.extend([progress(found), critic(found), policy(found)].concat().into_iter().map(|v| bear(found, v)));
    } else {
        let why = "the agent has not practised yet: its policy and critics are as they were drawn";
        all.push(Verdict::told("q_bias", Level::Ok, why));
    }
    all
}

fn vae(found: &Findings) -> Vec<Verdict> {
    let (view, n) = (&found.view, found.sample.frames.len());
    let says = ("reconstructions keep the picture", "the VAE has not learned the pictures");
    let explains = Verdict::graded("vae_explains", view.explained(0..n), want::EXPLAINED, says, "variance explained");
    let sound = found.parts.iter().filter(|part| part.frames.0 >= want::FEWEST_FRAMES);
    let worst = sound.min_by(|a, b| a.explained.total_cmp(&b.explained)).map(|part| {
        let (low, high) = (want::figure(part.range.0), want::figure(part.range.1));
        let what = format!("variance explained for {} in [{low}, {high}]", part.axis);
        let says = ("reconstructions keep every part of what it saw", "the VAE does not keep a part of what it saw");
        Verdict::graded("vae_explains_all", part.explained, want::EXPLAINED_ALL, says, &what)
    });
    let says = ("latent dimensions tell pictures apart", "too few latent dimensions tell pictures apart");
    let what = format!("of {}, active", view.dim);
    let active = Verdict::graded("active_dims", view.active().len() as f64, want::ACTIVE, says, &what);
    [Some(explains), worst, Some(active)].into_iter().flatten().collect()
}

/// By the linear probe; it is a fault where the nearest latents do not know the state either.
fn sees(probe: &Probe) -> Verdict {
    let state = &probe.name;
    let name = format!("sees_{state}");
    let Some((linear, nearest)) = probe.linear.zip(probe.nearest) else {
        let why = format!("`{state}` cannot be probed: it does not vary on held-out episodes, or there are too few");
        return Verdict::told(&name, Level::Warn, why);
    };
    let says = (format!("the encoder sees `{state}`"), format!("the encoder does not see `{state}`"));
    let mut verdict = Verdict::graded(&name, linear, want::SEES, (&says.0, &says.1), "R²");
    if verdict.level != Level::Ok {
        let best = want::SEES.level(linear.max(nearest));
        verdict.level = if best == Level::Fault { Level::Fault } else { Level::Warn };
        if best == Level::Ok {
            verdict.sentence = verdict.sentence.replace(&says.1, &format!("the encoder sees `{state}` along a curve"));
        }
        verdict.sentence += &format!(", {} by the nearest latents", want::figure(nearest));
    }
    verdict
}

fn density(found: &Findings) -> Option<Verdict> {
    if found.visits.is_none() {
        return Some(Verdict::told("density_rarity", Level::Ok, "no true states are stored: rarity is not known"));
    }
    let says = ("rare states are rare pictures", "the density does not know rare states from common ones");
    Some(Verdict::graded(
        "density_rarity",
        found.density_rank()?,
        want::DENSITY,
        says,
        "rank correlation of log p with visit count",
    ))
}

fn skewing(found: &Findings) -> Vec<Verdict> {
    let skew = &found.cfg.skew;
    if skew.power == 0.0 && found.skewed.is_none() {
        return vec![Verdict::told("skew_active", Level::Ok, "skewing is off by configuration (skew.power = 0: RIG)")];
    }
    let Some(skewed) = &found.skewed else {
        let why = format!("skewing has not begun: it acts from the VAE phase after epoch {} on", skew.start_epoch + 1);
        return vec![Verdict::told("skew_active", Level::Ok, why)];
    };
    let column = found.table.column("skew/ess").unwrap_or_default();
    let logged: Vec<(u64, f64)> =
        found.table.env_steps.iter().zip(column).filter_map(|(steps, ess)| Some((*steps, (*ess)?))).collect();
    let ess = logged.last().map_or(skewed.ess, |last| last.1);
    let active = ("skewing acts", "skewing is inactive");
    let active = Verdict::graded("skew_active", ess, want::ESS, active, "ESS");
    vec![active, collapse(&logged, ess), direction(found, skewed.alpha)]
}

/// By the later half of what was logged: a VAE that was fitted to a few pictures for one phase has long been fitted to
/// others. What was lower before is told.
fn collapse(logged: &[(u64, f64)], ess: f64) -> Verdict {
    let (before, late) = logged.split_at(logged.len() / 2);
    let lowest = late.iter().map(|(_, ess)| *ess).fold(ess, f64::min);
    let says = ("weights are spread", "the weights collapse onto few pictures");
    let mut verdict = Verdict::graded("skew_collapse", lowest, want::COLLAPSE, says, "lowest ESS of the later half");
    if let Some((steps, once)) = before.iter().min_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, once)| *once < lowest) {
        verdict.sentence += &format!("; before, {} at {} steps", want::figure(*once), grouped(*steps));
    }
    verdict
}

/// By the visits of true states; the power's sign decides where they are not known, and is a fault by itself.
fn direction(found: &Findings, alpha: f64) -> Verdict {
    let says = ("skewing favours the rare", "skewing favours the common");
    let power = want::figure(alpha);
    let mut verdict = match found.weight_rank() {
        Some(rank) => {
            let what = format!("power {power}, rank correlation of weight with visit count");
            Verdict::graded("skew_direction", rank, want::DIRECTION, says, &what)
        }
        None => Verdict::graded("skew_direction", alpha, want::Want::AtMost(0.0, 0.0), says, "power"),
    };
    if alpha > 0.0 {
        verdict.level = Level::Fault;
        verdict.sentence = verdict.sentence.replace(says.0, says.1);
    }
    verdict
}

fn goals(found: &Findings) -> Vec<Verdict> {
    let mix = &found.cfg.goals;
    let says = ("it practises goals of its own", "hindsight goals only: it never practises what it sets itself");
    let share = mix.relabel_keep + mix.relabel_source;
    let mut all = vec![Verdict::graded("own_goals", share, want::OWN_GOALS, says, "share by configuration")];
    if let Some(share) = found.own_share.filter(|_| found.practised() && found.fitted()) {
        let says = ("the rewards practised are those of goals far and near", "practised goals are the near future's");
        all.push(Verdict::graded(
            "practised_goals",
            share,
            want::OWN_REWARDS,
            says,
            "share of own goals by the rewards",
        ));
    }
    if let Some(visits) = found.goal_visits.filter(|_| found.fitted() && found.skewed.is_some()) {
        let says = ("its goals are rarer than what it sees", "its goals are commoner than what it sees");
        let what = "visits of a late goal's cell over a frame's";
        all.push(Verdict::graded("goals_rare", visits, want::GOAL_VISITS, says, what));
    }
    all
}

fn progress(found: &Findings) -> Vec<Verdict> {
    let says = ("it ends nearer its own goal than others'", "which goal it has hardly changes where it ends");
    let what = "distance to its own goal over others'";
    let graded = |ratio| Verdict::graded("goal_progress", ratio, want::PROGRESS, says, what);
    found.progress.map(graded).into_iter().collect()
}

/// What an agent cannot do after so few updates is no fault yet.
fn bear(found: &Findings, mut verdict: Verdict) -> Verdict {
    let updates = found.counts.updates;
    if verdict.level == Level::Fault && updates < want::YOUNG {
        verdict.level = Level::Warn;
        verdict.sentence += &format!("; only {} updates so far", grouped(updates));
    }
    verdict
}

fn critic(found: &Findings) -> Vec<Verdict> {
    let Some(returns) = &found.returns else { return Vec::new() };
    let bias = returns.bias();
    let (says, what) = (("Q is of the size of returns", "Q is off the returns"), "bias over what rewards add up to");
    let mut verdict = Verdict::graded("q_bias", bias.abs(), want::BIAS, says, what);
    if verdict.level != Level::Ok {
        let side = if bias > 0.0 { "Q promises more than comes" } else { "Q promises less than comes" };
        verdict.sentence = verdict.sentence.replace(says.1, side);
    }
    let (n, agent) = (found.counts.updates, &found.cfg.agent);
    let followed = 1.0 - (-(n as f64) * agent.tau * (1.0 - agent.discount)).exp();
    let slow = ("the slow targets had time to follow", "the slow targets hold Q back");
    let what = format!("share of a steady return they can hold after {} updates", grouped(n));
    let followed = Verdict::graded("targets_follow", followed, want::FOLLOWED, slow, &what);
    let says = ("Q tells good steps from bad ones", "Q does not tell good steps from bad ones");
    let what = "rank correlation with returns";
    let rank = returns.rank().map(|rank| Verdict::graded("q_rank", rank, want::RANK, says, what));
    [verdict, followed].into_iter().chain(rank).collect()
}

fn policy(found: &Findings) -> Vec<Verdict> {
    let mut all = Vec::new();
    if let Some(entropy) = found.table.last("train/entropy") {
        let says = ("the policy's entropy is what is asked for", "the policy's entropy is not what is asked for");
        let aim = found.target_entropy();
        let what = format!("{} nats, aimed at {}, apart", want::figure(entropy), want::figure(aim));
        all.push(Verdict::graded("entropy", (entropy - aim).abs(), want::ENTROPY_GAP, says, &what));
    }
    let says = ("the temperature is small beside rewards", "chance outweighs rewards");
    all.push(Verdict::graded("temperature", found.temperature, want::TEMPERATURE, says, "temperature"));
    if let Some(share) = found.saturation {
        let says = ("actions have room", "actions are at their bounds");
        all.push(Verdict::graded("saturation", share, want::SATURATION, says, "share of entries beyond 0.95"));
    }
    all
}

impl Findings {
    /// Nats.
    #[must_use]
    pub fn target_entropy(&self) -> f64 {
        let actions = self.sample.recent.first().map_or(0, |e| e.action_dim) as f64;
        self.cfg.agent.target_entropy.unwrap_or(-actions)
    }
}
