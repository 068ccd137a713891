//! `DIAGNOSE.md`: the verdicts, then each question with its table and figures.

use std::path::Path;

use super::findings::Findings;
use super::verdicts::{Verdict, three_digits};
use crate::format::grouped;

/// (heading, caption, figures), in the order of the method.
const QUESTIONS: [(&str, &str, &[&str]); 9] = [
    (
        "What does each latent dimension do?",
        "Each row moves one dimension from two standard deviations below its mean to two above; the others stay at their \
         means. A dimension is active if the variance of its posterior means is above 0.01. Inactive dimensions hardly change \
         latent distances and are left out.",
        &["traversals"],
    ),
    (
        "Do the latents encode the true state?",
        "R² on held-out episodes, from the active dimensions: of a linear map, and of the mean over the five nearest \
         neighbours, which can follow curves.",
        &["correlations"],
    ),
    (
        "Do rare states have a low density?",
        "log p(x) of stored frames, as used for skewing, against the number of visits of their true state's cell. The \
         second table has every density on the same frames: Spearman's rank correlation of log p with the visits, and the \
         entropy over cells (nats) that one skewing step would gain, at the configuration's power and with the power set \
         so that ESS is 0.2, on cells of at most 20 parts an axis. Its last row, the visits themselves, is the most that can \
         be had.",
        &["density"],
    ),
    (
        "Which states does skewing favour?",
        "Weights p(x)^power, relative to uniform sampling. An effective sample size (ESS) of 1 is uniform sampling, 1/N is a \
         single picture.",
        &["weights"],
    ),
    (
        "Which goals does exploration use?",
        "A goal is shown as its picture; its state is taken from the stored frame whose latent is nearest.",
        &["goals", "goal_states"],
    ),
    (
        "Which goals does it reach?",
        "Goals of the latest episodes by their latent distance where they were set, in median distances of one step. In the \
         figure, each point of the line is the share of a tenth of the goals.",
        &["goals_reached"],
    ),
    (
        "Does Q match the returns?",
        "Q(s, g, a) on the latest stored episodes against their discounted return for their own goal, with the entropy bonus \
         if the critics' target has it. After a time limit the episode is assumed to continue like its last quarter; \
         where the robot moved on from a reached goal, as if it had stayed. A slightly older policy collected these episodes.",
        &["returns"],
    ),
    (
        "How does the policy act?",
        "Entropy and temperature, mean reward and mean Q in training, and how often actions are at their bounds.",
        &["policy"],
    ),
    (
        "What does the VAE reconstruct?",
        "Stored frames over the range of one state, each beside its reconstruction.",
        &["reconstructions"],
    ),
];

/// The page in Markdown; its pictures are in the same directory.
#[must_use]
pub fn page(dir: &Path, found: &Findings, verdicts: &[Verdict], drawn: &[&str]) -> String {
    let (cfg, counts) = (&found.cfg, &found.counts);
    let mut text = format!(
        "# Diagnosis of {}, seed {}\n\n{} exploration steps; examined with the checkpoint of {} SAC and {} VAE \
         updates, on {} frames of {} episodes.\n\n",
        cfg.name,
        cfg.seed,
        grouped(found.env_steps),
        grouped(counts.updates),
        grouped(counts.vae_updates),
        grouped(found.sample.frames.len() as u64),
        grouped(found.sample.episodes as u64),
    );
    text += "| | verdict |\n|:---|:---|\n";
    for verdict in verdicts {
        text += &format!("| {} | {} |\n", verdict.level.word(), verdict.sentence.replace('|', "\\|"));
    }
    for damage in &found.damaged {
        text += &format!("\nNot read: {damage}\n");
    }
    for (k, (heading, caption, pictures)) in QUESTIONS.iter().enumerate() {
        let pictures: Vec<_> = pictures.iter().filter(|name| drawn.contains(name)).collect();
        let table = match k {
            1 => probes(found),
            2 => ranges(found) + &densities(found),
            5 => reached(found),
            _ => String::new(),
        };
        if pictures.is_empty() && table.is_empty() {
            continue;
        }
        text += &format!("\n## {heading}\n\n{caption}\n{table}");
        pictures.iter().for_each(|name| text += &format!("\n![{heading}]({name}.png)\n"));
    }
    let path = dir.display().to_string().replace('\'', r"'\''");
    text + &format!(
        "\nMade by `skewfit diagnose '{path}'`; the thresholds and their reasons are in `src/show/diagnose/verdicts.rs`.\n"
    )
}

fn probes(found: &Findings) -> String {
    if found.probes.is_empty() {
        return String::new();
    }
    let shown = |r2: Option<f64>| r2.map_or_else(|| "not measured".into(), three_digits);
    let active = found.encoded.active();
    let mut text =
        "\n| state | linear R² | nearest-neighbour R² | most correlated dimensions |\n|:---|---:|---:|:---|\n"
            .to_owned();
    for probe in &found.probes {
        let mut order: Vec<usize> = (0..probe.correlation.len()).collect();
        order.sort_by(|a, b| probe.correlation[*b].abs().total_cmp(&probe.correlation[*a].abs()));
        let dimensions: Vec<String> =
            order.iter().take(3).map(|k| format!("z{} ({:+.2})", active[*k], probe.correlation[*k])).collect();
        let (linear, nearest) = (shown(probe.linear), shown(probe.nearest));
        text += &format!("| {} | {linear} | {nearest} | {} |\n", probe.name, dimensions.join(", "));
    }
    text
}

fn densities(found: &Findings) -> String {
    if found.densities.is_empty() {
        return String::new();
    }
    let head = "| density | rank correlation with visits | gain at the power | gain at ESS 0.2 |";
    let mut text = format!("\n{head}\n|:---|---:|---:|---:|\n");
    for row in &found.densities {
        let rank = row.rank_correlation.map_or_else(|| "not measured".into(), three_digits);
        text += &format!("| {} | {rank} | {:+.2} | {:+.2} |\n", row.name, row.gain, row.gain_at_ess);
    }
    text
}

fn reached(found: &Findings) -> String {
    if found.practice.reached.is_empty() {
        return String::new();
    }
    let mut text = "\n| distance, steps | goals | share reached |\n|:---|---:|---:|\n".to_owned();
    for (distance, goals, share) in &found.practice.reached {
        text += &format!("| {distance} | {goals} | {} |\n", three_digits(*share));
    }
    text
}

fn ranges(found: &Findings) -> String {
    if found.ranges.is_empty() {
        return String::new();
    }
    let head = "| state | share of frames | variance explained | mean log p | mean weight |";
    let mut text = format!("\n{head}\n|:---|---:|---:|---:|---:|\n");
    for part in &found.ranges {
        let (low, high) = (three_digits(part.range.0), three_digits(part.range.1));
        let (share, explained) = (three_digits(part.frames.1), three_digits(part.explained));
        let (log_p, weight) = (format!("{:.1}", part.log_density), part.weight.map_or_else(String::new, three_digits));
        text += &format!("| {} {low} to {high} | {share} | {explained} | {log_p} | {weight} |\n", part.axis);
    }
    text
}
