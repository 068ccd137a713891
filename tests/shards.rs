//! h5py, an independent program, reads a committed shard.
//! `SKEWFIT_TEST_PYTHON` names a Python that has h5py; default `python3`.

mod common;

use std::path::Path;
use std::process::Command;

use common::python_with_h5py;
use serde_json::{Value, json};
use skewfit::keep::store::{ShardRoot, Store};
use skewfit::learn::episode::{Episode, EpisodeGoal, GoalOrigin};
use skewfit_envs::Ending;

fn episode(id: u64, proprio_dim: usize, state_names: &[&str]) -> Episode {
    let states = state_names.len() * 4;
    Episode {
        id,
        image_size: 5,
        frames: (0..4 * 5 * 5 * 3).map(|i| (i * 7) as u8).collect(),
        proprio: (0..4 * proprio_dim).map(|i| i as f32 * 0.1).collect(),
        proprio_dim,
        actions: vec![-1.0, 1.0, 0.25, f32::MIN_POSITIVE, -0.0, 1e-7],
        action_dim: 2,
        goal: EpisodeGoal::first(
            (0..5 * 5 * 3).map(|i| (255 - i) as u8).collect(),
            vec![0.5, -2.0, 3.25],
            GoalOrigin::SkewedReplay,
        ),
        later_goals: vec![],
        states: (0..states).map(|i| i as f64 / 3.0).collect(),
        state_names: state_names.iter().map(|&name| name.into()).collect(),
        ending: Ending::Terminated,
    }
}

fn array(dtype: &str, shape: &[usize], bytes: impl IntoIterator<Item = u8>) -> Value {
    let hex = bytes.into_iter().map(|b| format!("{b:02x}")).collect::<String>();
    json!({"dtype": dtype, "shape": shape, "hex": hex})
}

/// The content of a shard of `e` by the contract.
fn expected(e: &Episode, root: &ShardRoot) -> Value {
    let f32s = |data: &[f32]| data.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>();
    let mut arrays = json!({
        "observations/image": array("|u1", &[4, 5, 5, 3], e.frames.clone()),
        "actions": array("<f4", &[3, 2], f32s(&e.actions)),
        "goal/image": array("|u1", &[5, 5, 3], e.goal.picture.clone()),
        "goal/latent": array("<f4", &[3], f32s(&e.goal.latent)),
    });
    if e.proprio_dim > 0 {
        arrays["observations/proprio"] = array("<f4", &[4, e.proprio_dim], f32s(&e.proprio));
    }
    if !e.state_names.is_empty() {
        let bytes = e.states.iter().flat_map(|x| x.to_le_bytes());
        arrays["state"] = array("<f8", &[4, e.state_names.len()], bytes);
    }
    json!({
        "arrays": arrays,
        "image_filters": [[1, 5, 5, 3], "gzip", 1, true],
        "names": if e.state_names.is_empty() { Value::Null } else { json!(e.state_names) },
        "attrs": {
            "format_version": 1, "run_id": root.run_id, "episode_id": e.id, "seed": root.seed, "env": root.env,
            "ending": "terminated", "goal_source": "skewed-replay",
        },
    })
}

#[test]
fn h5py_reads_every_array_and_attribute() {
    let Some(python) = python_with_h5py() else { return };
    let dir = tempfile::tempdir().unwrap();
    let root = ShardRoot { run_id: "00112233aabbccdd".into(), seed: u64::MAX, env: "door".into() };
    let mut store = Store::create(&dir.path().join("run"), root.clone()).unwrap();
    for episode in [episode(0, 3, &["hand_x", "Türwinkel"]), episode(1, 0, &[])] {
        store.commit(&episode, 3).unwrap();
        let shard = store.dir().join(&store.lines()[episode.id as usize].file);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_shard.py");
        let read = Command::new(&python).arg(script).arg(shard).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        assert_eq!(serde_json::from_slice::<Value>(&read.stdout).unwrap(), expected(&episode, &root));
    }
}
