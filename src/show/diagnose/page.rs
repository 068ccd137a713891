//! `DIAGNOSE.md`: verdicts first, then each question with its figures and its picture.

use std::path::Path;

use super::findings::Findings;
use super::verdicts::{Verdict, figure};
use crate::format::grouped;

/// (heading, what the pictures show, pictures), in the order of the method.
const QUESTIONS: [(&str, &str, &[&str]); 8] = [
    (
        "What does each latent dimension do?",
        "Each row moves one dimension from two standard deviations below its mean to two above; the others stay. A dimension \
         is active where its posterior means vary by more than 0.01; the others say nothing to distances and are left out.",
        &["traversals"],
    ),
    (
        "Can the true state be read off the latents?",
        "R² on episodes that were held out, from the active dimensions: of a linear map, and of the mean over the five \
         nearest latents, which follows curves.",
        &["correlations"],
    ),
    (
        "Are rare states rare pictures?",
        "log p(x) of stored frames, as the skewing sees it, against how often their true state's cell was visited.",
        &["density"],
    ),
    (
        "What does skewing favour?",
        "Weights p(x)^power as multiples of a uniform draw's. ESS 1 is replay as it is, 1/N a single picture.",
        &["weights"],
    ),
    (
        "Which goals does it set itself?",
        "A goal is a decoded latent; its state is that of the stored frame whose latent is nearest.",
        &["goals", "goal_states"],
    ),
    (
        "Does Q promise what comes?",
        "Q(s, g, a) of the latest stored episodes against their discounted return towards the goal they had, entropy \
         included where the target has it. What would have come after the time limit is taken to be as good as the last \
         quarter of the episode. The policy that collected them was a little older.",
        &["returns"],
    ),
    (
        "How does it act?",
        "Entropy and temperature, what practice earns, and how often actions are at their bound.",
        &["policy"],
    ),
    (
        "What does the VAE keep?",
        "Stored frames over the range of one state, each beside its reconstruction.",
        &["reconstructions"],
    ),
];

/// The whole page, in Markdown; pictures lie beside it.
#[must_use]
pub fn page(dir: &Path, found: &Findings, verdicts: &[Verdict], drawn: &[&str]) -> String {
    let (cfg, counts) = (&found.cfg, &found.counts);
    let mut text = format!(
        "# Diagnosis of {}, seed {}\n\n{} steps explored; looked at with the checkpoint of {} SAC and {} VAE updates, \
         on {} frames of {} episodes.\n\n",
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
            2 => parts(found),
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
    let shown = |r2: Option<f64>| r2.map_or_else(|| "not measured".into(), figure);
    let active = found.view.active();
    let mut text = "\n| state | linear R² | nearest R² | carried most by |\n|:---|---:|---:|:---|\n".to_owned();
    for probe in &found.probes {
        let mut order: Vec<usize> = (0..probe.correlation.len()).collect();
        order.sort_by(|a, b| probe.correlation[*b].abs().total_cmp(&probe.correlation[*a].abs()));
        let carriers: Vec<String> =
            order.iter().take(3).map(|k| format!("z{} ({:+.2})", active[*k], probe.correlation[*k])).collect();
        let (linear, nearest) = (shown(probe.linear), shown(probe.nearest));
        text += &format!("| {} | {linear} | {nearest} | {} |\n", probe.name, carriers.join(", "));
    }
    text
}

fn parts(found: &Findings) -> String {
    if found.parts.is_empty() {
        return String::new();
    }
    let head = "| state | share of frames | variance explained | mean log p | mean weight |";
    let mut text = format!("\n{head}\n|:---|---:|---:|---:|---:|\n");
    for part in &found.parts {
        let (low, high) = (figure(part.range.0), figure(part.range.1));
        let (share, explained) = (figure(part.frames.1), figure(part.explained));
        let (log_p, weight) = (format!("{:.1}", part.log_density), part.weight.map_or_else(String::new, figure));
        text += &format!("| {} {low} to {high} | {share} | {explained} | {log_p} | {weight} |\n", part.axis);
    }
    text
}
