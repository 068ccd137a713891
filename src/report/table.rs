//! `table.md`: what each run came to, beside what makes it repeatable: command, commit, machine, wall time.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::page::figure;
use super::runs::Run;
use crate::figures::{duration, grouped};

/// One run's line.
struct Row {
    name: String,
    seed: String,
    steps: u64,
    /// (heading, value).
    figures: Vec<(String, f64)>,
    wall_s: Option<f64>,
    /// `skewfit explore ...`, commit, machine.
    provenance: String,
}

/// Markdown: a line a run, the mean of each experiment, then how each run was made.
pub(super) fn table(dirs: &[&Path], runs: &[Run]) -> String {
    let rows: Vec<Row> = dirs.iter().zip(runs).map(|(dir, run)| row(dir, run)).collect();
    let headings: BTreeSet<&str> = rows.iter().flat_map(|r| r.figures.iter().map(|(name, _)| name.as_str())).collect();
    let head: String = headings.iter().map(|h| format!(" {h} |")).collect();
    let rule = "---:|".repeat(headings.len());
    let mut text = format!("| experiment | seed | steps |{head} wall time |\n|:---|---:|---:|{rule}---:|\n");
    let cells = |of: &dyn Fn(&str) -> Option<f64>| -> String {
        headings.iter().map(|h| of(h).map_or(" |".to_owned(), |v| format!(" {} |", figure(v)))).collect()
    };
    for r in &rows {
        let own = cells(&|h| r.figures.iter().find(|(name, _)| name == h).map(|(_, v)| *v));
        let wall = r.wall_s.map_or(String::new(), duration);
        text += &format!("| {} | {} | {} |{own} {wall} |\n", r.name, r.seed, grouped(r.steps));
    }
    let mut names: Vec<&str> = rows.iter().map(|r| r.name.as_str()).collect();
    names.dedup();
    for name in names {
        let group: Vec<&Row> = rows.iter().filter(|r| r.name == name).collect();
        if group.len() > 1 {
            let mean = cells(&|h| {
                let of = |r: &&Row| r.figures.iter().find(|(name, _)| name == h).map(|(_, v)| *v);
                let values: Vec<f64> = group.iter().filter_map(of).collect();
                (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
            });
            text += &format!("| **{name}, mean of {}** | | |{mean} |\n", group.len());
        }
    }
    text + "\n" + &rows.iter().map(|r| format!("- {}\n", r.provenance)).collect::<String>()
}

fn row(dir: &Path, run: &Run) -> Row {
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(dir.join(name)).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or(Value::Null) // absent before a run has ended: its cells stay empty
    };
    let (summary, made) = (read("summary.json"), read("provenance.json"));
    let last = ["coverage/cells", "coverage/entropy_nats"].into_iter();
    let mut figures: Vec<(String, f64)> = last.filter_map(|n| Some((n.to_owned(), run.table.last(n)?))).collect();
    for (name, value) in summary["final"].as_object().into_iter().flatten() {
        figures.extend(value.as_f64().map(|v| (format!("final {name}"), v)));
    }
    let words = made["command"].as_array().map(Vec::as_slice).unwrap_or_default();
    let words: Vec<&str> = words.iter().skip(1).filter_map(Value::as_str).collect();
    let text = |key: &str| made[key].as_str().unwrap_or("unknown").to_owned();
    let commit: String = text("git_commit").chars().take(12).collect();
    let dirty = if made["git_dirty"].as_bool() == Some(true) { ", with local changes" } else { "" };
    let features: Vec<&str> = made["cpu_features"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let machine = format!("{} ({}), {} threads", text("cpu"), features.join(", "), made["threads"]);
    let steps = run.table.env_steps.last().copied().unwrap_or(0);
    let resumed = match made["resumed"].as_array().map_or(0, Vec::len) {
        0 => String::new(),
        times => format!(", {times} x `skewfit resume`, up to {} steps", grouped(steps)),
    };
    Row {
        name: run.name.clone(),
        seed: run.seed().to_owned(),
        steps,
        figures,
        wall_s: summary["wall_s"].as_f64(),
        provenance: format!(
            "`skewfit {}`{resumed}: commit {commit}{dirty}; {machine}; {}",
            repeatable(&words),
            text("started_at")
        ),
    }
}

/// A command without `--out DIR`, which names a place and changes nothing.
fn repeatable(words: &[&str]) -> String {
    let (mut words, mut kept) = (words.iter(), Vec::new());
    while let Some(word) = words.next() {
        match *word {
            "--out" => drop(words.next()),
            place if place.starts_with("--out=") => {}
            word => kept.push(word),
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::repeatable;

    #[test]
    fn a_command_is_told_without_its_directory() {
        for words in [
            &["explore", "door", "--out", "results/door", "--seed", "1"][..],
            &["explore", "door", "--seed", "1", "--out", "x"],
            &["explore", "--out=x", "door", "--seed", "1"],
            &["explore", "door", "--seed", "1"],
        ] {
            assert_eq!(repeatable(words), "explore door --seed 1");
        }
    }
}
