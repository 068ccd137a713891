//! A live run, a sound one and a damaged one, inspected.

use super::*;
use crate::keep::checkpoint::{Retention, save};
use crate::keep::store::{ShardRoot, fs::DiskFs};
use crate::learn::episode::{Episode, EpisodeGoal, GoalOrigin};
use crate::learn::nn::{ModelState, NamedTensor};
use skewfit_envs::Ending;

/// A run with two episodes, which end in two corners of the corridor.
fn run_of_two_episodes(env: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = ShardRoot { run_id: "0123456789abcdef".into(), seed: 0, env: env.into() };
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
            goal: EpisodeGoal::first(vec![0; 12], vec![0.0], GoalOrigin::Prior),
            later_goals: vec![],
            states: vec![0.0, 0.0, 1.0 - 2.0 * id as f64, 1.0],
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
fn a_live_run_is_reported_as_far_as_it_got() {
    let dir = run_of_two_episodes("corridor");
    let inspected = || report(&Args { run: dir.path().into(), verify: false, json: true }).unwrap();
    let from_shards = json!({ "cells": 2, "cells_total": 3600, "entropy_nats": 2f64.ln() });
    assert_eq!((inspected()["coverage"].clone(), inspected()["updates"].clone()), (from_shards.clone(), json!(0)));
    assert_eq!(inspected()["goals"], json!({ "set": 2, "reached": 0 }));
    let put = |file: &str, text: &str| std::fs::write(dir.path().join(file), text).unwrap();
    put("STATUS.json", r#"{ "state": "exploring", "updates": 7 }"#);
    put("metrics.csv", "env_steps,coverage/cells,coverage/entropy_nats\n1,40,0.5\n");
    assert_eq!((inspected()["coverage"].clone(), inspected()["updates"].clone()), (from_shards, json!(7)));
    put("metrics.csv", "env_steps,coverage/cells,coverage/entropy_nats\n2,40,0.5\n");
    assert_eq!(inspected()["coverage"], json!({ "cells": 40, "cells_total": 3600, "entropy_nats": 0.5 }));
    put("metrics.csv", "env_steps\n");
    put("episodes/000001.h5", "broken");
    put("STATUS.json", "broken");
    assert_eq!(inspected()["coverage"], json!({ "cells": 1, "cells_total": 3600, "entropy_nats": 0.0 }));
    let damaged = inspected()["damaged"].to_string();
    assert!(damaged.contains("episodes/000001.h5: its bytes") && damaged.contains("STATUS.json"), "{damaged}");
}

#[test]
fn the_grid_of_a_scene_that_is_not_shipped_is_unknown() {
    let dir = run_of_two_episodes("slider");
    let inspected = report(&Args { run: dir.path().into(), verify: true, json: true }).unwrap();
    assert_eq!(inspected["coverage"]["cells_total"], Value::Null);
    print(&inspected).unwrap();
}

#[test]
fn a_run_is_reported_and_its_damage_named() {
    let dir = run_of_two_episodes("corridor");
    let tensor = |x: f32| NamedTensor { name: "w".into(), shape: vec![1], data: vec![x] };
    let hashes: Vec<String> = [3u64, 6]
        .iter()
        .map(|&update| {
            let models = ModelState { params: vec![tensor(update as f32)], optimizer: vec![] };
            let snapshot = CheckpointContent { update, models, state: json!({}), env: vec![] };
            save(&DiskFs, dir.path(), &snapshot, Retention { newest: 3, every_s: 0.0, protected: &[] })
                .unwrap()
                .params_blake3
        })
        .collect();
    let args = |verify| Args { run: dir.path().into(), verify, json: true };
    let inspected = report(&args(true)).unwrap();
    assert_eq!(
        (inspected["episodes"].clone(), inspected["env_steps"].clone(), inspected["damaged"].clone()),
        (json!(2), json!(2), json!([]))
    );
    assert_eq!(inspected["checkpoint"], json!({ "update": 6, "params_blake3": hashes[1] }));

    let break_file = |file: &str| std::fs::write(dir.path().join(file), "broken").unwrap();
    break_file("checkpoints/00000006/params.safetensors");
    let inspected = report(&args(false)).unwrap();
    assert_eq!(inspected["checkpoint"], json!({ "update": 3, "params_blake3": hashes[0] }));
    for file in ["episodes/000001.h5", "config.toml", "metrics.csv", "checkpoints/00000003/params.safetensors"] {
        break_file(file);
    }
    let inspected = report(&args(true)).unwrap();
    let damaged = inspected["damaged"].as_array().unwrap();
    for part in ["episodes/000001.h5", "config.toml", "metrics.csv", "00000003", "00000006"] {
        assert_eq!(damaged.iter().filter(|d| text(d).contains(part)).count(), 1, "{part}: {damaged:?}");
    }
    assert_eq!(
        (inspected["episodes"].clone(), inspected["checkpoint"].clone(), inspected["updates"].clone()),
        (json!(2), Value::Null, json!(0))
    );
    assert!(matches!(run(&args(true)), Err(Error::Damaged(_))) && run(&args(false)).is_ok());
}
