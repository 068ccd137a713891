//! An export as a dataset that Minari loads: `<id>/data/{main_data.hdf5, metadata.json}` in its folder of datasets.

use std::path::Path;

use serde_json::{Value, json};

use super::{Exported, create_atomically, opened, written};
use crate::error::{Error, Result};
use crate::keep::store::ShardRoot;
use crate::keep::store::fs::{DiskFs, Fs, disk_error, parent_of};
use crate::learn::episode::Episode;

/// The version of Minari whose format this is, and that was tried.
const VERSION: &str = "0.5.4";

/// Writes every sound episode of the run in `dir` as a new dataset in `datasets`, a folder as `~/.minari/datasets` is,
/// which is made where it does not exist. The dataset is there whole or not at all.
///
/// # Errors
/// As [`hdf5`](super::hdf5).
pub fn minari(dir: &Path, datasets: &Path) -> Result<Exported> {
    let store = opened(dir)?;
    let id = dataset_id(store.root());
    let place = datasets.join(&id);
    let parent = parent_of(&place);
    DiskFs.create_dir(parent).map_err(|e| disk_error("create", parent, &e))?;
    create_atomically(&place, "name another folder", |temporary| {
        let (data, file) = (temporary.join("data"), place.join("data/main_data.hdf5"));
        DiskFs.create_dir(&data).map_err(|e| disk_error("create", &data, &e))?;
        let exported = Exported { dataset_id: Some(id), ..written(&store, &data.join("main_data.hdf5"), &file)? };
        // The first sound one: `written` refuses a run without any.
        let sound = store.lines().iter().find_map(|line| store.episode(line.id).ok());
        let sound = sound.ok_or_else(|| Error::Damaged(format!("{}: no episode is sound", dir.display())))?;
        let path = data.join("metadata.json");
        let text = format!("{:#}\n", metadata(&exported, &sound, store.root()));
        let saved = DiskFs.write_new_synced(&path, text.as_bytes()).and_then(|()| DiskFs.sync_dir(&data));
        saved.and_then(|()| DiskFs.sync_dir(temporary)).map_err(|e| disk_error("write", &path, &e))?;
        Ok(exported)
    })
}

/// `<environment>/skewfit-<run>-v0`; an environment's name may have letters that Minari's names do not.
pub(super) fn dataset_id(root: &ShardRoot) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' };
    let env: String = root.env.chars().map(plain).collect();
    format!("{env}/skewfit-{}-v0", root.run_id)
}

/// What Minari asks for; its two spaces are JSON in a string.
fn metadata(exported: &Exported, episode: &Episode, root: &ShardRoot) -> Value {
    let side = episode.image_size;
    let picture = space("uint8", &[side, side, 3], [json!(0), json!(255)]);
    let mut observations = json!({ "image": picture, "desired_goal": picture });
    if episode.proprio_dim > 0 {
        let range = [f32::MIN, f32::MAX].map(|end| json!(f64::from(end)));
        observations["proprio"] = space("float32", &[episode.proprio_dim], range);
    }
    let observations = json!({ "type": "Dict", "subspaces": observations });
    json!({
        "dataset_id": exported.dataset_id,
        "data_format": "hdf5",
        "minari_version": VERSION,
        "jpeg_encoding": false,
        "total_episodes": exported.episodes,
        "total_steps": exported.steps,
        "dataset_size": (exported.bytes as f64 / 1e5).round() / 10.0, // MB
        "observation_space": observations.to_string(),
        "action_space": space("float32", &[episode.action_dim], [json!(-1.0), json!(1.0)]).to_string(),
        "algorithm_name": "Skew-Fit",
        "description": format!(
            "Exploration of `{}` by skewfit {}, seed {}. rewards are NaN: the run has none.",
            root.env, env!("CARGO_PKG_VERSION"), root.seed,
        ),
    })
}

/// Gymnasium's `Box`, every entry from `low` to `high`, as Minari writes it.
fn space(dtype: &str, shape: &[usize], [low, high]: [Value; 2]) -> Value {
    let filled = |entry: Value| shape.iter().rev().fold(entry, |inner, n| Value::Array(vec![inner; *n]));
    json!({ "type": "Box", "dtype": dtype, "shape": shape, "low": filled(low), "high": filled(high) })
}
