//! h5py reads every array of every sound episode of an export, in the groups of a Minari dataset.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{explore, files, json, python_with, python_with_h5py, refused, skewfit, stderr};
use serde_json::{Value, json};
use skewfit::keep::store::Store;
use skewfit::learn::episode::Episode;
use skewfit_envs::Ending;

fn export(run: &Path, file: &Path) -> std::process::Output {
    skewfit("export", run, &["--hdf5", file.to_str().unwrap(), "--json"])
}

/// Type, shape and BLAKE3 of an array's bytes.
fn array(dtype: &str, shape: &[usize], bytes: impl IntoIterator<Item = u8>) -> Value {
    let bytes: Vec<u8> = bytes.into_iter().collect();
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    json!([dtype, shape, blake3::hash(hex.as_bytes()).to_string()])
}

/// The expected content of the `k`-th group.
fn group(k: u64, e: &Episode, seed: u64) -> Value {
    let (t, z, side) = (e.steps(), e.goal.latent.len(), e.image_size);
    let f32s = |data: &[f32]| data.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let ends = |ending: Ending| (1..=t).map(move |i| u8::from(i == t && e.ending == ending));
    json!({
        "attrs": {
            "id": k, "episode_id": e.id, "seed": seed, "total_steps": t, "goal_source": e.goal.origin.name(),
        },
        "arrays": {
            "observations/image": array("|u1", &[t + 1, side, side, 3], e.frames.clone()),
            "observations/desired_goal": array("|u1", &[t + 1, side, side, 3], e.goal.picture.repeat(t + 1)),
            "actions": array("<f4", &[t, e.action_dim], f32s(&e.actions)),
            "rewards": array("<f8", &[t], vec![f64::NAN; t].iter().flat_map(|x| x.to_le_bytes())),
            "terminations": array("|b1", &[t], ends(Ending::Terminated)),
            "truncations": array("|b1", &[t], ends(Ending::Truncated)),
            "infos/goal_latent": array("<f4", &[t + 1, z], f32s(&e.goal.latent.repeat(t + 1))),
            "infos/state": array("<f8", &[t + 1, e.state_names.len()], e.states.iter().flat_map(|x| x.to_le_bytes())),
        },
        "names": e.state_names,
    })
}

/// The content as h5py reads it; hashes are computed here, so Python needs no BLAKE3.
fn read(python: &str, file: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_export.py");
    let read = Command::new(python).arg(script).arg(file).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    let mut told: Value = serde_json::from_slice(&read.stdout).unwrap();
    for group in told["groups"].as_object_mut().unwrap().values_mut() {
        for array in group["arrays"].as_object_mut().unwrap().values_mut() {
            array[2] = blake3::hash(array[2].as_str().unwrap().as_bytes()).to_string().into();
        }
    }
    told
}

#[test]
fn h5py_reads_every_sound_episode_and_the_damaged_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let [run, whole, rest] = ["run", "whole.h5", "rest.h5"].map(|name| dir.path().join(name));
    explore(&run, &["run.steps=400"]);
    let before = files(&run);
    let store = Store::read_only(&run).unwrap();
    let told = json(&export(&run, &whole));
    let size = fs::metadata(&whole).unwrap().len();
    let paths = |file: &Path| [&run, file].map(|p| p.to_str().unwrap().to_owned());
    let [in_words, file] = paths(&whole);
    assert_eq!(told, json!({"run": in_words, "file": file, "episodes": 8, "steps": 400, "bytes": size, "damaged": []}));
    assert!(files(&run) == before);
    refused(&export(&run, &whole), 2, &["whole.h5", "exists already"]);
    assert_eq!(fs::metadata(&whole).unwrap().len(), size);

    let shard = run.join(&store.lines()[3].file);
    let mut bytes = fs::read(&shard).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&shard, bytes).unwrap();
    let told = json(&export(&run, &rest));
    assert_eq!((&told["episodes"], &told["steps"]), (&7.into(), &350.into()));
    let damaged = told["damaged"].as_array().unwrap();
    assert!(damaged.len() == 1 && damaged[0].as_str().unwrap().contains("000003.h5"), "{damaged:?}");
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "no temporary file is left: {left:?}");

    let Some(python) = python_with_h5py() else { return };
    let root = store.root();
    for (file, ids) in [(&whole, vec![0, 1, 2, 4, 5, 6, 7]), (&rest, vec![0, 1, 2, 4, 5, 6, 7])] {
        let told = read(&python, file);
        let all = file == &whole;
        let about = json!({
            "dataset_id": format!("corridor/skewfit-{}-v0", root.run_id), "total_episodes": if all { 8 } else { 7 },
            "total_steps": if all { 400 } else { 350 }, "env": "corridor", "run_id": root.run_id, "seed": root.seed,
        });
        for (name, value) in about.as_object().unwrap() {
            assert_eq!(&told["attrs"][name], value, "{name}");
        }
        assert_eq!(told["groups"].as_object().unwrap().len(), if all { 8 } else { 7 });
        for (k, id) in ids.into_iter().enumerate() {
            let k = if all { id } else { k as u64 };
            let want = group(k, &store.episode(id).unwrap(), root.seed);
            assert_eq!(told["groups"][format!("episode_{k}")], want, "{k}");
        }
    }
}

/// `load_dataset` and `list_local_datasets` need the name in `metadata.json` and the dataset at the path of that name.
#[test]
fn minari_loads_an_export() {
    let dir = tempfile::tempdir().unwrap();
    let (run, datasets) = (dir.path().join("run"), dir.path().join("datasets"));
    explore(&run, &["run.steps=400"]);
    let store = Store::read_only(&run).unwrap();
    let minari = || skewfit("export", &run, &["--minari", datasets.to_str().unwrap(), "--json"]);
    let told = json(&minari());
    let id = format!("corridor/skewfit-{}-v0", store.root().run_id);
    let data = datasets.join(&id).join("data");
    assert_eq!((&told["dataset_id"], &told["file"]), (&json!(id), &json!(data.join("main_data.hdf5").to_str())));
    let metadata: Value = serde_json::from_slice(&fs::read(data.join("metadata.json")).unwrap()).unwrap();
    for (key, value) in [
        ("dataset_id", json!(id)),
        ("data_format", "hdf5".into()),
        ("minari_version", "0.5.4".into()),
        ("jpeg_encoding", false.into()),
        ("total_episodes", 8.into()),
        ("total_steps", 400.into()),
    ] {
        assert_eq!(metadata[key], value, "{key}");
    }
    assert!(metadata["dataset_size"].is_f64() && metadata["description"].is_string());
    let space = |key: &str| serde_json::from_str::<Value>(metadata[key].as_str().unwrap()).unwrap();
    let (actions, observations) = (space("action_space"), space("observation_space"));
    let bounds = json!({ "type": "Box", "dtype": "float32", "shape": [2], "low": [-1.0, -1.0], "high": [1.0, 1.0] });
    assert_eq!(actions, bounds);
    assert_eq!(observations["type"], "Dict");
    for name in ["image", "desired_goal"] {
        let it = &observations["subspaces"][name];
        assert_eq!((&it["type"], &it["dtype"], &it["shape"]), (&json!("Box"), &json!("uint8"), &json!([24, 24, 3])));
        assert_eq!((&it["low"][23][23], &it["high"][0][0]), (&json!([0, 0, 0]), &json!([255, 255, 255])));
    }
    assert_eq!(observations["subspaces"].as_object().unwrap().len(), 2, "the corridor has no joints");

    let alone = dir.path().join("alone.h5");
    json(&export(&run, &alone));
    assert!(fs::read(&alone).unwrap() == fs::read(data.join("main_data.hdf5")).unwrap(), "the same file");
    refused(&minari(), 2, &["skewfit-", "exists already"]);
    let left: Vec<_> = fs::read_dir(datasets.join("corridor")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 1, "no temporary directory is left: {left:?}");
    let neither = skewfit("export", &run, &[]);
    assert!(neither.status.code() == Some(2) && stderr(&neither).contains("--minari"), "{}", stderr(&neither));

    let Some(python) = python_with("minari, PIL") else { return };
    let script = "import sys, minari
it = minari.load_dataset(sys.argv[1])
assert list(minari.list_local_datasets()) == [sys.argv[1]]
episodes = list(it.iterate_episodes())
assert (len(episodes), it.total_steps) == (8, 400)
for e in episodes:
    assert e.observations['image'].shape == (51, 24, 24, 3) and len(e) == 50 and e.infos['state'].shape == (51, 2)
    assert all(it.action_space.contains(a) for a in e.actions)
    assert all(it.observation_space.contains({k: v[t] for k, v in e.observations.items()}) for t in (0, 50))
";
    let run = Command::new(&python).args(["-c", script, &id]).env("MINARI_DATASETS_PATH", &datasets).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn a_refused_export_leaves_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let (run, file) = (dir.path().join("run"), dir.path().join("all.h5"));
    explore(&run, &["run.steps=300"]);
    refused(&export(dir.path(), &file), 2, &["is not a run"]);
    refused(&export(&run, &dir.path().join("no/where.h5")), 2, &["where.h5", "directory does not exist"]);
    for shard in fs::read_dir(run.join("episodes")).unwrap() {
        fs::write(shard.unwrap().path(), "broken").unwrap();
    }
    refused(&export(&run, &file), 3, &["no episode is sound"]);
    fs::write(run.join("episodes.jsonl"), "").unwrap();
    refused(&export(&run, &file), 2, &["has no episode yet"]);
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["run"]);
}
