//! `skewfit inspect`: what a run holds on disk, and whether it is sound.

use super::output;
use crate::checkpoint::Snapshot;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::store::{Damage, Store};
use crate::{checkpoint, metrics};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Tell what a run holds, and with --verify whether every byte of it is sound
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit inspect results/door/RUN             may be used while the run is live
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
            "{}: {damaged} damaged, named above; put a sound copy back, or resume, which falls back",
            args.run.display()
        ))),
        _ => Ok(()),
    }
}

fn report(args: &Args) -> Result<Value> {
    let store = Store::read_only(&args.run)?;
    let mut damage = if args.verify { store.verify() } else { store.damaged().to_vec() };
    let checkpoint = sound_checkpoint(args, &mut damage)?;
    let mut note = |file: &str, error: Error| damage.push(Damage { file: file.into(), why: error.to_string() });

    let config = Config::read(&args.run.join("config.toml"), vec![]).map_err(|e| note("config.toml", e)).ok();
    let metrics_csv = args.run.join("metrics.csv");
    let table = if metrics_csv.exists() { metrics::read(&metrics_csv) } else { Ok(metrics::Table::default()) };
    let table = table.map_err(|e| note("metrics.csv", e)).unwrap_or_default();
    Ok(json!({
        "run": args.run.display().to_string(),
        "run_id": store.root().run_id,
        "env_steps": store.lines().last().map_or(0, |l| l.env_steps_end),
        "updates": checkpoint.as_ref().map_or(json!(0), |c| c["update"].clone()),
        "episodes": store.lines().len(),
        "damaged": damage.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "checkpoint": checkpoint,
        "coverage": {
            "cells": table.last("coverage/cells").unwrap_or(0.0) as u64,
            "cells_total": config.as_ref().and_then(cells_total),
            "entropy_nats": table.last("coverage/entropy_nats").unwrap_or(0.0),
        },
    }))
}

/// The checkpoint that `resume` would take; damaged ones are named.
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
    let Snapshot { update, params, optimizer, .. } = loaded.snapshot;
    Ok(Some(json!({ "update": update, "params_blake3": checkpoint::params_blake3(&params, &optimizer) })))
}

fn cells_total(config: &Config) -> Option<usize> {
    let options = skewfit_envs::scenes::SceneOptions {
        image_size: config.env.image_size,
        samples: config.env.samples,
        episode_steps: config.env.episode_steps,
        evaluation_goals: config.evaluate.pictures,
        walls: config.env.walls.clone(),
    };
    skewfit_envs::scenes::build(&config.env.scene, &options).ok().map(|scene| scene.coverage().cells())
}

fn print(report: &Value) -> Result<()> {
    let coverage = &report["coverage"];
    output::line(&format!("run         {} ({})", text(&report["run"]), text(&report["run_id"])))?;
    output::line(&format!("steps       {}", report["env_steps"]))?;
    output::line(&format!("updates     {}", report["updates"]))?;
    output::line(&format!("episodes    {}", report["episodes"]))?;
    let cells = format!("{} of {} cells", coverage["cells"], coverage["cells_total"]);
    output::line(&format!("coverage    {cells}, {:.2} nats", coverage["entropy_nats"].as_f64().unwrap_or(0.0)))?;
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
mod tests {
    use super::*;
    use crate::checkpoint::{NamedTensor, save};
    use crate::episode::{Episode, GoalOrigin};
    use crate::store::{ShardRoot, fs::DiskFs};
    use skewfit_envs::Ending;

    fn run_of_two_episodes() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        let root = ShardRoot { run_id: "0123456789abcdef".into(), seed: 0, env: "corridor".into() };
        let mut store = Store::create(dir.path(), root).unwrap();
        for id in 0..2 {
            let episode = Episode {
                id,
                image_size: 2,
                frames: vec![7; 24],
                proprio: vec![],
                proprio_dim: 0,
                actions: vec![0.5, 0.5],
                action_dim: 2,
                goal_image: vec![0; 12],
                goal_latent: vec![0.0],
                goal_origin: GoalOrigin::Prior,
                states: vec![0.0; 4],
                state_names: vec!["x".into(), "y".into()],
                ending: Ending::Truncated,
            };
            store.commit(&episode, id + 1).unwrap();
        }
        let config = Config::resolve("corridor", vec![]).unwrap();
        std::fs::write(dir.path().join("config.toml"), config.to_toml().unwrap()).unwrap();
        dir
    }

    #[test]
    fn a_run_is_told_and_its_damage_named() {
        let dir = run_of_two_episodes();
        let tensor = |x: f32| NamedTensor { name: "w".into(), shape: vec![1], data: vec![x] };
        let hashes: Vec<String> = [3u64, 6]
            .iter()
            .map(|&update| {
                let snapshot = Snapshot {
                    update,
                    params: vec![tensor(update as f32)],
                    optimizer: vec![],
                    state: json!({}),
                    env: vec![],
                };
                save(&DiskFs, dir.path(), &snapshot, 3).unwrap().params_blake3
            })
            .collect();
        let args = |verify| Args { run: dir.path().into(), verify, json: true };
        let told = report(&args(true)).unwrap();
        assert_eq!(
            (told["episodes"].clone(), told["env_steps"].clone(), told["damaged"].clone()),
            (json!(2), json!(2), json!([]))
        );
        assert_eq!(told["checkpoint"], json!({ "update": 6, "params_blake3": hashes[1] }));

        let break_file = |file: &str| std::fs::write(dir.path().join(file), "broken").unwrap();
        break_file("checkpoints/00000006/params.safetensors");
        let told = report(&args(false)).unwrap();
        assert_eq!(told["checkpoint"], json!({ "update": 3, "params_blake3": hashes[0] }));
        for file in ["episodes/000001.h5", "config.toml", "metrics.csv", "checkpoints/00000003/params.safetensors"] {
            break_file(file);
        }
        let told = report(&args(true)).unwrap();
        let damaged = told["damaged"].as_array().unwrap();
        for part in ["episodes/000001.h5", "config.toml", "metrics.csv", "00000003", "00000006"] {
            assert_eq!(damaged.iter().filter(|d| text(d).contains(part)).count(), 1, "{part}: {damaged:?}");
        }
        assert_eq!(
            (told["episodes"].clone(), told["checkpoint"].clone(), told["updates"].clone()),
            (json!(2), Value::Null, json!(0))
        );
        assert!(matches!(run(&args(true)), Err(Error::Damaged(_))) && run(&args(false)).is_ok());
    }
}
