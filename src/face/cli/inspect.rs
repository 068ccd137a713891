//! `skewfit inspect`: lists what a run directory contains and checks it.

use super::output;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::keep::checkpoint;
use crate::keep::checkpoint::CheckpointContent;
use crate::keep::store::fs::{DiskFs, read_error, read_if_there};
use crate::keep::store::{Damage, JournalLine, Store};
use crate::keep::supervise::status::{self, Status};
use crate::show::metrics;
use crate::show::metrics::MetricsTable;
use crate::task::coverage::Coverage;
use crate::task::scene::{self, EnvDescription};
use serde_json::{Value, json};
use std::io::ErrorKind;
use std::path::PathBuf;

/// List what a run contains; with --verify check every byte of it
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit inspect results/door/RUN             the run may be live
  skewfit inspect results/door/RUN --verify    read and check every file; exit code 3 if one is damaged
  skewfit inspect results/door/RUN --json")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Check every episode against its hash
    #[arg(long)]
    verify: bool,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    let report = report(args)?;
    if args.json {
        output::json(&report)?;
    } else {
        print(&report)?;
    }
    match report["damaged"].as_array().map_or(0, Vec::len) {
        damaged if args.verify && damaged > 0 => Err(Error::Damaged(format!(
            "{}: {damaged} damaged, named above; restore sound copies, or resume the run, which skips damage",
            args.run.display()
        ))),
        _ => Ok(()),
    }
}

fn report(args: &Args) -> Result<Value> {
    let store = Store::read_only(&args.run)?;
    let mut damage = if args.verify { store.verify()? } else { store.damaged().to_vec() };
    let checkpoint = sound_checkpoint(args, &mut damage)?;
    let mut note = |file: &str, error: Error| damage.push(Damage { file: file.into(), why: error.to_string() });

    let [config_toml, metrics_csv] = ["config.toml", "metrics.csv"].map(|name| args.run.join(name));
    read_if_there(&DiskFs, &config_toml)?; // a file that may not be read is an error, not damage
    let config = Config::of_run(&args.run, vec![]).map_err(|e| note("config.toml", e)).ok();
    let there = read_if_there(&DiskFs, &metrics_csv)?.is_some();
    let table = if there { metrics::read(&metrics_csv) } else { Ok(MetricsTable::default()) };
    let table = table.map_err(|e| note("metrics.csv", e)).unwrap_or_default();
    let updates = match Status::read(&DiskFs, &args.run) {
        Ok(status) => status.updates,
        Err(e) if e.kind() == ErrorKind::NotFound => 0,
        Err(e) if e.kind() == ErrorKind::InvalidData => {
            let way = "a live run rewrites it";
            note("STATUS.json", Error::Damaged(format!("is not valid ({e}); {way}")));
            0
        }
        Err(e) => return Err(read_error(&args.run.join(status::FILE), &e)),
    };
    let saved = checkpoint.as_ref().and_then(|c| c["update"].as_u64()).unwrap_or_default();
    let (coverage, found) = coverage(&store, config.as_ref(), &table)?;
    if !args.verify {
        damage.extend(found);
    }
    Ok(json!({
        "run": args.run.display().to_string(),
        "run_id": store.root().run_id,
        "env_steps": env_steps(&store),
        "updates": updates.max(saved),
        "episodes": store.lines().len(),
        "goals": goals(&store),
        "damaged": damage.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "checkpoint": checkpoint,
        "coverage": coverage,
    }))
}

fn env_steps(store: &Store) -> u64 {
    store.lines().last().map_or(0, |line| line.env_steps_end)
}

/// Goals of all episodes, and how many of them the explorer was seen to reach; with `goals.after_reaching = "stay"` it does
/// not look.
fn goals(store: &Store) -> Value {
    let sum = |count: fn(&JournalLine) -> u64| store.lines().iter().map(count).sum::<u64>();
    json!({ "set": sum(|line| line.goals.unwrap_or(1)), "reached": sum(|line| line.reached.unwrap_or(0)) })
}

/// Coverage, and the damaged files found on the way. Coverage comes from `metrics.csv` if its last row belongs to the
/// last episode, otherwise from the states of all episodes.
fn coverage(store: &Store, config: Option<&Config>, table: &MetricsTable) -> Result<(Value, Vec<Damage>)> {
    let mut damaged = Vec::new();
    let grid = match config.map(|c| EnvDescription::of_run(store.dir(), store.root(), &c.env)) {
        Some(Err(Error::Damaged(why))) => {
            damaged.push(Damage { file: scene::FILE.into(), why });
            None
        }
        described => described.transpose()?.flatten().and_then(|it| it.coverage),
    };
    let known = config.zip(grid).map(|(c, grid)| Coverage::new(grid, c.coverage.window_steps));
    let cells_total = known.as_ref().map(Coverage::cells_total);
    let (cells, entropy_nats) = match known {
        Some(mut seen) if table.env_steps.last() != Some(&env_steps(store)) => {
            for line in store.lines() {
                match store.sound(line)? {
                    Ok(episode) => (1..=episode.steps()).for_each(|t| seen.observe(&episode.counted(t))),
                    Err(damage) => damaged.push(damage),
                }
            }
            (seen.cells(), seen.entropy_nats())
        }
        _ => {
            let last = |name| table.last(name).unwrap_or_default();
            (last("coverage/cells") as usize, last("coverage/entropy_nats"))
        }
    };
    Ok((json!({ "cells": cells, "cells_total": cells_total, "entropy_nats": entropy_nats }), damaged))
}

/// The checkpoint that `resume` would use; adds damaged ones to `damage`.
fn sound_checkpoint(args: &Args, damage: &mut Vec<Damage>) -> Result<Option<Value>> {
    let loaded = match checkpoint::newest_sound(&args.run) {
        Err(Error::Damaged(_)) => {
            damage.extend(checkpoint::verify(&args.run)?);
            return Ok(None);
        }
        other => other?,
    };
    let Some(loaded) = loaded else { return Ok(None) };
    damage.extend(if args.verify { checkpoint::verify(&args.run)? } else { loaded.passed_over });
    let CheckpointContent { update, models, .. } = loaded.content;
    Ok(Some(json!({ "update": update, "params_blake3": checkpoint::params_blake3(&models) })))
}

fn print(report: &Value) -> Result<()> {
    let coverage = &report["coverage"];
    output::line(&format!("run         {} ({})", text(&report["run"]), text(&report["run_id"])))?;
    output::line(&format!("steps       {}", report["env_steps"]))?;
    output::line(&format!("updates     {}", report["updates"]))?;
    output::line(&format!("episodes    {}", report["episodes"]))?;
    let goals = &report["goals"];
    output::line(&format!("goals       {}, {} reached", goals["set"], goals["reached"]))?;
    let of = coverage["cells_total"].as_u64().map_or(String::new(), |total| format!(" of {total}"));
    let cells = &coverage["cells"];
    output::line(&format!(
        "coverage    {cells}{of} cells, {:.2} nats",
        coverage["entropy_nats"].as_f64().unwrap_or(0.0)
    ))?;
    let checkpoint = &report["checkpoint"];
    match checkpoint["update"].as_u64() {
        Some(update) => output::line(&format!("checkpoint  {update}, {}", text(&checkpoint["params_blake3"])))?,
        None => output::line("checkpoint  none")?,
    }
    let damaged = report["damaged"].as_array().map(Vec::as_slice).unwrap_or_default();
    damaged.iter().try_for_each(|d| output::line(&format!("damaged     {}", text(d))))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
