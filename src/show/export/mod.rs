//! All episodes of a run as one HDF5 file, in the groups of a Minari dataset (minari.farama.org, "Dataset Standards"), or
//! as such a dataset:
//! `/episode_<k>/{observations/{image, proprio, desired_goal}, actions, rewards, terminations, truncations, infos/...}`,
//! k from 0 without gaps; T + 1 observations and infos, T of the others; goals are named as in a `GoalEnv`.
//!
//! A run stores no reward, but Minari's reader requires the array: it is filled with NaN, which cannot be taken for a reward.

mod minari;

use std::path::Path;

use hdf5::{
    AttrValue, DatasetBuilder, Datatype, EnumTypeBuilder, File, FileAccessProperties, FileBuilder, StagedGroup,
    SyncPolicy,
};
use serde::Serialize;
use skewfit_envs::Ending;

use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, Fs, disk_error, lock_exclusively, may_write, parent_of, temporary_of};
use crate::keep::store::{Damage, ShardRoot, Store};
use crate::learn::episode::Episode;
pub use minari::minari;

/// Bytes of pictures collected in memory before they are written.
const AT_ONCE: usize = 64 << 20;
/// Rows per chunk of arrays that are small or repeat themselves.
const ROWS: usize = 64;

/// Result of an export: the JSON of `skewfit export`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Run directory.
    pub run: String,
    /// Path of the file.
    pub file: String,
    /// Episodes in the file.
    pub episodes: u64,
    /// Steps in the file.
    pub steps: u64,
    /// Size of the file, bytes.
    pub bytes: u64,
    /// Files that were left out, and why.
    pub damaged: Vec<String>,
    /// The name that Minari loads it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataset_id: Option<String>,
}

/// Writes the undamaged episodes of the run in `dir` to the new file `path`, which is either complete or absent. A live run
/// is exported up to its last committed episode. Memory use does not grow with the run.
///
/// # Errors
/// `Usage` if `dir` is not a run or has no episode yet, and if `path` exists, its directory does not, or it cannot be
/// written; `Damaged` if all episodes are damaged; `Disk`.
pub fn hdf5(dir: &Path, path: &Path) -> Result<Exported> {
    let store = opened(dir)?;
    let refuse = |why: &str| Err(Error::Usage(format!("{}: {why}", path.display())));
    if !parent_of(path).is_dir() {
        return refuse("its directory does not exist; make it first");
    }
    create_atomically(path, "name another file", |temporary| written(&store, temporary, path))
}

/// A run with an episode.
fn opened(dir: &Path) -> Result<Store> {
    let store = Store::read_only(dir)?;
    if store.lines().is_empty() && store.damaged().is_empty() {
        return Err(Error::Usage(format!("{}: has no episode yet; let it run longer", dir.display())));
    }
    Ok(store)
}

/// Makes `path`, a new file or directory whose parent exists, at a temporary name; it is there whole or not at all.
fn create_atomically(path: &Path, way: &str, make: impl FnOnce(&Path) -> Result<Exported>) -> Result<Exported> {
    let refuse = |why: String| Err(Error::Usage(format!("{}: {why}", path.display())));
    if let Err(e) = may_write(parent_of(path)) {
        return refuse(format!("cannot be written there: {e}; {way}"));
    }
    let _alone = lock_exclusively(parent_of(path)); // two exports to one place have the same temporary name
    if path.symlink_metadata().is_ok() {
        return refuse(format!("exists already; {way}"));
    }
    let temporary = temporary_of(path)?;
    DiskFs.remove(&temporary).map_err(|e| disk_error("write", path, &e))?;
    let made = make(&temporary).and_then(|exported| {
        let publish = DiskFs.rename(&temporary, path).and_then(|()| DiskFs.sync_dir(parent_of(path)));
        publish.map(|()| exported).map_err(|e| disk_error("write", path, &e))
    });
    if made.is_err() {
        let _ = DiskFs.remove(&temporary); // report the first failure
    }
    made
}

/// Writes all sound episodes to `temporary`, which will be `path`.
fn written(store: &Store, temporary: &Path, path: &Path) -> Result<Exported> {
    let failed = |e: hdf5::Error| match e {
        hdf5::Error::Io(e) => disk_error("write", path, &e),
        e => Error::Disk(format!("could not write {}: {e}; make room or check the disk", path.display())),
    };
    FileBuilder::new().write(temporary).map_err(failed)?;
    let once = FileAccessProperties::new().with_sync_policy(SyncPolicy::OnClose);
    let file = File::open_rw_with_options(temporary, once).map_err(failed)?;
    // The type that h5py uses for booleans.
    let boolean = EnumTypeBuilder::u8_based().value("FALSE", 0).value("TRUE", 1).build();
    let boolean = boolean.map_err(|e| failed(e.into()))?;
    let (mut exported, mut gathered) = (Exported::nothing(store, path), 0);
    for line in store.lines() {
        let episode = match store.sound(line)? {
            Ok(episode) => episode,
            Err(damage) => {
                exported.damaged.push(damage.to_string());
                continue;
            }
        };
        let k = exported.episodes;
        let build = |group: &mut StagedGroup<'_>| fill(group, k, &episode, store.root(), &boolean);
        file.root().create_group_with(&format!("episode_{k}"), build).map_err(failed)?;
        exported.episodes += 1;
        exported.steps += episode.steps() as u64;
        gathered += 2 * episode.frames.len();
        if gathered >= AT_ONCE {
            file.commit().map_err(failed)?;
            gathered = 0;
        }
    }
    if exported.episodes == 0 {
        let way = "put the shards named by `skewfit inspect --verify` back";
        return Err(Error::Damaged(format!("{}: no episode is sound; {way}", store.dir().display())));
    }
    for (name, value) in about(store.root(), &exported) {
        file.root().set_attr(name, value).map_err(failed)?;
    }
    file.commit().and_then(|()| file.close()).map_err(failed)?;
    exported.bytes = temporary.metadata().map_err(|e| disk_error("write", path, &e))?.len();
    Ok(exported)
}

impl Exported {
    fn nothing(store: &Store, path: &Path) -> Self {
        let [run, file] = [store.dir(), path].map(|place| place.display().to_string());
        let damaged = store.damaged().iter().map(Damage::to_string).collect();
        Self { run, file, episodes: 0, steps: 0, bytes: 0, damaged, dataset_id: None }
    }
}

/// Attributes of the file.
fn about(root: &ShardRoot, exported: &Exported) -> [(&'static str, AttrValue); 7] {
    let text = |text: &str| AttrValue::VarLenString(text.to_owned());
    [
        ("dataset_id", text(&minari::dataset_id(root))),
        ("total_episodes", AttrValue::U64(exported.episodes)),
        ("total_steps", AttrValue::U64(exported.steps)),
        ("env", text(&root.env)),
        ("run_id", text(&root.run_id)),
        ("seed", AttrValue::U64(root.seed)),
        (
            "rewards_note",
            text("NaN: rewards are not stored; training computed them from latents, which are not stored either"),
        ),
    ]
}

/// Fills the group of the `k`-th undamaged episode.
fn fill(group: &mut StagedGroup<'_>, k: u64, episode: &Episode, root: &ShardRoot, boolean: &Datatype) {
    let (steps, side) = (episode.steps(), episode.image_size);
    let instants = steps + 1;
    for (name, value) in [
        ("id", AttrValue::U64(k)),
        ("episode_id", AttrValue::U64(episode.id)),
        ("seed", AttrValue::U64(root.seed)),
        ("total_steps", AttrValue::U64(steps as u64)),
        ("goal_source", AttrValue::VarLenString(episode.goal.origin.name().into())),
    ] {
        group.set_attr(name, value);
    }
    group.create_group_with("observations", |observations| {
        let pictures = [instants, side, side, 3];
        let goals: Vec<u8> = (0..instants).flat_map(|t| episode.goal_at(t).picture.iter().copied()).collect();
        observations.create_dataset("image", |b| shaped(b.with_u8_data(&episode.frames), &pictures, 1));
        observations.create_dataset("desired_goal", |b| {
            shaped(b.with_u8_data(&goals), &pictures, ROWS);
        });
        if episode.proprio_dim > 0 {
            let shape = [instants, episode.proprio_dim];
            observations.create_dataset("proprio", |b| shaped(b.with_data(&episode.proprio), &shape, ROWS));
        }
    });
    group.create_dataset("actions", |b| shaped(b.with_data(&episode.actions), &[steps, episode.action_dim], ROWS));
    group.create_dataset("rewards", |b| shaped(b.with_data(&vec![f64::NAN; steps]), &[steps], ROWS));
    for (name, ending) in [("terminations", Ending::Terminated), ("truncations", Ending::Truncated)] {
        let ends = (1..=steps).map(|t| u8::from(t == steps && episode.ending == ending));
        group.create_dataset(name, |b| flags(b, boolean, &ends.collect::<Vec<_>>()));
    }
    group.create_group_with("infos", |infos| {
        let latents: Vec<f32> = (0..instants).flat_map(|t| episode.goal_at(t).latent.iter().copied()).collect();
        infos.create_dataset("goal_latent", |b| {
            shaped(b.with_data(&latents), &[instants, episode.goal.latent.len()], ROWS)
        });
        if !episode.state_names.is_empty() {
            let shape = [instants, episode.state_names.len()];
            infos.create_dataset("state", |b| {
                shaped(b.with_data(&episode.states), &shape, ROWS);
                b.set_attr("names", AttrValue::VarLenStringArray(episode.state_names.clone()));
            });
        }
    });
}

/// Sets the shape and deflate compression, in chunks of `rows` along the first axis.
fn shaped(builder: &mut DatasetBuilder, shape: &[usize], rows: usize) {
    let shape: Vec<u64> = shape.iter().map(|n| *n as u64).collect();
    let mut chunk = shape.clone();
    chunk[0] = chunk[0].min(rows as u64);
    builder.with_shape(&shape).with_chunks(&chunk).with_deflate(1);
}

/// A one-dimensional array of the type `boolean`.
fn flags(builder: &mut DatasetBuilder, boolean: &Datatype, values: &[u8]) {
    builder.with_enum_u8_data(boolean.clone(), values).with_shape(&[values.len() as u64]);
}
