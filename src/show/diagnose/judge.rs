//! Derives the verdicts from the findings: VAE, density and skewing here, the agent in `judge_agent`.

use super::findings::Findings;
use super::judge_agent::{critic, goals, policy, progress, warn_if_few_updates};
use super::probe::StateProbe;
use super::verdicts::{self as want, Level, Says, Verdict};
use crate::format::grouped;

/// All verdicts on a run.
#[must_use]
pub fn verdicts(found: &Findings) -> Vec<Verdict> {
    let mut all = Vec::new();
    if found.vae_trained() {
        all.extend(vae(found));
        all.extend(found.probes.iter().map(sees));
        all.extend(density(found));
    } else {
        let why = "the VAE has not been trained yet: its latents are random until the first VAE phase";
        all.push(Verdict::without_value("vae_explains", Level::Ok, why));
    }
    all.extend(skewing(found));
    all.extend(goals(found));
    if found.agent_updated() {
        all.extend(
            [progress(found), critic(found), policy(found)].concat().into_iter().map(|v| warn_if_few_updates(found, v)),
        );
    } else {
        let why = "the agent has not been updated yet: policy and critics have their initial values";
        all.push(Verdict::without_value("q_bias", Level::Ok, why));
    }
    all
}

fn vae(found: &Findings) -> Vec<Verdict> {
    let (encoded, n) = (&found.encoded, found.sample.frames.len());
    let says = Says { good: "the VAE reconstructs the pictures", bad: "the VAE does not reconstruct the pictures" };
    let explains =
        Verdict::graded("vae_explains", encoded.explained(0..n), want::EXPLAINED, says, "variance explained");
    let ranges = found.ranges.iter().filter(|range| range.frames.0 >= want::FEWEST_FRAMES);
    let worst = ranges.min_by(|a, b| a.explained.total_cmp(&b.explained)).map(|part| {
        let (low, high) = (want::three_digits(part.range.0), want::three_digits(part.range.1));
        let what = format!("variance explained for {} in [{low}, {high}]", part.axis);
        let says = Says {
            good: "the VAE reconstructs every part of the visited range",
            bad: "the VAE does not reconstruct a part of the visited range",
        };
        Verdict::graded("vae_explains_all", part.explained, want::EXPLAINED_ALL, says, &what)
    });
    let says = Says { good: "enough latent dimensions are active", bad: "too few latent dimensions are active" };
    let what = format!("of {} dimensions,", encoded.dim);
    let active = Verdict::graded("active_dims", encoded.active().len() as f64, want::ACTIVE, says, &what);
    [Some(explains), worst, Some(active)].into_iter().flatten().collect()
}

/// Judges by the linear probe; it is a fault only if the nearest-neighbour probe fails too.
fn sees(probe: &StateProbe) -> Verdict {
    let state = &probe.name;
    let name = format!("sees_{state}");
    let Some((linear, nearest)) = probe.linear.zip(probe.nearest) else {
        let why =
            format!("`{state}` cannot be probed: it does not vary on held-out episodes, or there are too few episodes");
        return Verdict::without_value(&name, Level::Warn, why);
    };
    let good = format!("the latents encode `{state}`");
    let bad = format!("the latents do not encode `{state}`");
    let mut verdict = Verdict::graded(&name, linear, want::LATENT_R2, Says { good: &good, bad: &bad }, "R²");
    if verdict.level != Level::Ok {
        let best = want::LATENT_R2.level(linear.max(nearest));
        verdict.level = if best == Level::Fault { Level::Fault } else { Level::Warn };
        if best == Level::Ok {
            verdict.sentence = verdict.sentence.replace(&bad, &format!("{good} nonlinearly"));
        }
        verdict.sentence += &format!(", {} by nearest neighbours", want::three_digits(nearest));
    }
    verdict
}

fn density(found: &Findings) -> Option<Verdict> {
    if found.visits.is_none() {
        return Some(Verdict::without_value(
            "density_rarity",
            Level::Ok,
            "no true states are stored, so rarity is unknown",
        ));
    }
    let says =
        Says { good: "rare states have a low density", bad: "the density does not separate rare from common states" };
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
        return vec![Verdict::without_value(
            "skew_active",
            Level::Ok,
            "skewing is off by configuration (skew.power = 0: RIG)",
        )];
    }
    let Some(skewed) = &found.skewed else {
        let why = format!("skewing has not begun: it starts with the VAE phase after epoch {}", skew.start_epoch + 1);
        return vec![Verdict::without_value("skew_active", Level::Ok, why)];
    };
    let column = found.table.column("skew/ess").unwrap_or_default();
    let logged: Vec<(u64, f64)> =
        found.table.env_steps.iter().zip(column).filter_map(|(steps, ess)| Some((*steps, (*ess)?))).collect();
    let ess = logged.last().map_or(skewed.ess, |last| last.1);
    let says = Says { good: "skewing is active", bad: "skewing is inactive" };
    let active = Verdict::graded("skew_active", ess, want::ESS, says, "ESS");
    vec![active, collapse(&logged, ess), direction(found, skewed.power)]
}

/// Judges by the later half of the logged values: a VAE that was trained on few pictures in one early phase has been trained
/// on others since. A lower value in the first half is only reported.
fn collapse(logged: &[(u64, f64)], ess: f64) -> Verdict {
    let (before, late) = logged.split_at(logged.len() / 2);
    let lowest = late.iter().map(|(_, ess)| *ess).fold(ess, f64::min);
    let says = Says { good: "the weights are spread", bad: "the weights collapse onto few pictures" };
    let mut verdict = Verdict::graded("skew_collapse", lowest, want::COLLAPSE, says, "lowest ESS of the later half");
    if let Some((steps, once)) = before.iter().min_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, once)| *once < lowest) {
        verdict.sentence += &format!("; earlier, {} at {} steps", want::three_digits(*once), grouped(*steps));
    }
    verdict
}

/// Judges by the visits of true states, or by the power's sign if there are none. A positive power is always a fault.
fn direction(found: &Findings, power: f64) -> Verdict {
    let says = Says { good: "skewing favours rare states", bad: "skewing favours common states" };
    let shown = want::three_digits(power);
    let mut verdict = match found.weight_rank() {
        Some(rank) => {
            let what = format!("power {shown}, rank correlation of weight with visit count");
            Verdict::graded("skew_direction", rank, want::DIRECTION, says, &what)
        }
        None => Verdict::graded("skew_direction", power, want::Want::AtMost(0.0, 0.0), says, "power"),
    };
    if power > 0.0 {
        verdict.level = Level::Fault;
        verdict.sentence = verdict.sentence.replace(says.good, says.bad);
    }
    verdict
}
