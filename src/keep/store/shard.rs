//! One episode as one HDF5 file, built and parsed in memory; any HDF5 program can open it. Format version 1:
//! `/observations/{image u8 (T+1,H,W,3), proprio f32 (T+1,P)}`, `/actions f32 (T,A)`,
//! `/goal/{image u8 (H,W,3), latent f32 (Z)}`, `/state f64 (T+1,S)` with attribute `names`. There is no `proprio` if
//! P = 0, and no `state` if S = 0. Each frame is one chunk. The same episode always gives the same bytes. An episode with
//! several goals has the group `goals`, too.

mod goals;

use hdf5::{AttrValue, DType, FileBuilder, H5Element};
use serde::{Deserialize, Serialize};
use skewfit_envs::Ending;

use super::seal::check_version;
use crate::error::{Error, Result};
use crate::learn::episode::{Episode, EpisodeGoal, GoalOrigin};
pub use goals::has_goals;

/// The format version that this program writes, and the newest that it reads.
pub const FORMAT_VERSION: u64 = 1;

/// Largest compression ratio of deflate: an array that claims more than `MAX_RATIO` times the file's size is damaged.
const MAX_RATIO: usize = 1032;

/// Identity of a run: the attributes at the root of each of its shards, and the content of `run.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardRoot {
    /// 16 hex digits of BLAKE3(resolved configuration, seed).
    pub run_id: String,
    /// Seed of every random stream.
    pub seed: u64,
    /// Scene name.
    pub env: String,
}

/// The bytes of `episode`'s shard.
///
/// # Errors
/// [`Error::Usage`] where the episode's arrays do not fit together.
pub fn encode(episode: &Episode, root: &ShardRoot) -> Result<Vec<u8>> {
    let refuse = |why: String| Error::Usage(format!("episode {}: {why}; it cannot be stored", episode.id));
    check_shapes(episode).map_err(refuse)?;
    let [steps, side, proprio, action, states] =
        [episode.steps(), episode.image_size, episode.proprio_dim, episode.action_dim, episode.state_names.len()]
            .map(|n| n as u64);
    let mut file = FileBuilder::new();

    let mut observations = file.create_group("observations");
    let image = observations.create_dataset("image").with_u8_data(&episode.frames);
    image.with_shape(&[steps + 1, side, side, 3]).with_chunks(&[1, side, side, 3]).with_shuffle().with_deflate(1);
    if proprio > 0 {
        observations.create_dataset("proprio").with_data(&episode.proprio).with_shape(&[steps + 1, proprio]);
    }
    file.add_group(observations.finish());

    file.create_dataset("actions").with_data(&episode.actions).with_shape(&[steps, action]);

    let mut goal = file.create_group("goal");
    goal.create_dataset("image").with_u8_data(&episode.goal.picture).with_shape(&[side, side, 3]);
    goal.create_dataset("latent").with_data(&episode.goal.latent).with_shape(&[episode.goal.latent.len() as u64]);
    file.add_group(goal.finish());
    goals::add(&mut file, episode);

    if states > 0 {
        let state = file.create_dataset("state").with_data(&episode.states).with_shape(&[steps + 1, states]);
        state.set_attr("names", AttrValue::VarLenStringArray(episode.state_names.clone()));
    }
    for (name, value) in [
        ("format_version", AttrValue::U64(FORMAT_VERSION)),
        ("run_id", AttrValue::VarLenString(root.run_id.clone())),
        ("episode_id", AttrValue::U64(episode.id)),
        ("seed", AttrValue::U64(root.seed)),
        ("env", AttrValue::VarLenString(root.env.clone())),
        ("ending", AttrValue::VarLenString(ending_name(episode.ending).into())),
        ("goal_source", AttrValue::VarLenString(episode.goal.origin.name().into())),
    ] {
        file.set_attr(name, value);
    }
    file.finish().map_err(|e| refuse(e.to_string()))
}

/// The episode in a shard's bytes, and the run it belongs to.
///
/// # Errors
/// [`Error::Damaged`] for bytes that are not such a shard; [`Error::Usage`] for one of a newer format.
pub fn decode(bytes: &[u8]) -> Result<(Episode, ShardRoot)> {
    let damaged = |why: String| Error::Damaged(format!("not an episode: {why}"));
    let shard = Shard::open(bytes).map_err(damaged)?;
    check_version("the shard", shard.number("format_version").map_err(damaged)?, FORMAT_VERSION)?;
    let (episode, root) = shard.episode().map_err(damaged)?;
    check_shapes(&episode).map_err(damaged)?;
    Ok((episode, root))
}

/// An open shard; its errors say what is wrong with it.
struct Shard {
    file: hdf5::File,
    attrs: std::collections::HashMap<String, AttrValue>,
    size: usize,
}

impl Shard {
    fn open(bytes: &[u8]) -> Result<Self, String> {
        let file = hdf5::File::from_bytes(bytes.to_vec()).map_err(|e| e.to_string())?;
        let attrs = file.root().attrs().map_err(|e| e.to_string())?;
        Ok(Self { file, attrs, size: bytes.len() })
    }

    fn episode(&self) -> Result<(Episode, ShardRoot), String> {
        let has = |group: &str, name: &str| -> Result<bool, String> {
            let group = self.file.group(group).map_err(|e| e.to_string())?;
            Ok(group.datasets().map_err(|e| e.to_string())?.iter().any(|n| n == name))
        };
        let ([_, image_size, ..], frames) = self.array::<u8, 4>("observations/image", DType::U8)?;
        let ([_, action_dim], actions) = self.array::<f32, 2>("actions", DType::F32)?;
        let (_, goal_picture) = self.array::<u8, 3>("goal/image", DType::U8)?;
        let (_, goal_latent) = self.array::<f32, 1>("goal/latent", DType::F32)?;
        let origin = GoalOrigin::from_name(self.text("goal_source")?);
        let origin = origin.ok_or("its goal_source is not one that this program knows")?;
        let mut goal = EpisodeGoal::first(goal_picture, goal_latent, origin);
        let mut later_goals = goals::read(self)?.unwrap_or_default();
        if !later_goals.is_empty() {
            let first = later_goals.remove(0);
            (goal.reached, goal.frame) = (first.reached, first.frame);
        }
        let (proprio_dim, proprio) = if has("observations", "proprio")? {
            let ([_, dim], proprio) = self.array::<f32, 2>("observations/proprio", DType::F32)?;
            (dim, proprio)
        } else {
            (0, Vec::new())
        };
        let (state_names, states) = if has("/", "state")? {
            (self.names("state")?, self.array::<f64, 2>("state", DType::F64)?.1)
        } else {
            (Vec::new(), Vec::new())
        };
        let episode = Episode {
            id: self.number("episode_id")?,
            image_size,
            frames,
            proprio,
            proprio_dim,
            actions,
            action_dim,
            goal,
            later_goals,
            states,
            state_names,
            ending: ending_from_name(self.text("ending")?).ok_or("its ending is not one that this program knows")?,
        };
        let root = ShardRoot {
            run_id: self.text("run_id")?.to_owned(),
            seed: self.number("seed")?,
            env: self.text("env")?.to_owned(),
        };
        Ok((episode, root))
    }

    /// Shape (`rank` entries) and values of an array of type `dtype`.
    fn array<T: H5Element, const RANK: usize>(
        &self,
        path: &str,
        dtype: DType,
    ) -> Result<([usize; RANK], Vec<T>), String> {
        let at = |e: hdf5::Error| format!("/{path}: {e}");
        let dataset = self.file.dataset(path).map_err(at)?;
        let found = dataset.dtype().map_err(at)?;
        let shape = dataset.shape().map_err(at)?;
        let shape = shape.into_iter().map(usize::try_from).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
        let bytes = shape.iter().try_fold(size_of::<T>(), |n, &d| n.checked_mul(d));
        let plausible = bytes.is_some_and(|n| n <= self.size.saturating_mul(MAX_RATIO));
        let sizes = <[usize; RANK]>::try_from(shape.as_slice()).ok().filter(|_| found == dtype && plausible);
        let unfit = || format!("/{path} is {found} {shape:?}, not {dtype} in {RANK} dimensions that fit the file");
        Ok((sizes.ok_or_else(unfit)?, dataset.read::<T>().map_err(at)?))
    }

    /// The attribute `names` of a dataset.
    fn names(&self, path: &str) -> Result<Vec<String>, String> {
        let attrs = self.file.dataset(path).and_then(|dataset| dataset.attrs()).map_err(|e| e.to_string())?;
        let names = attrs.get("names").and_then(AttrValue::as_strings);
        names.map(<[String]>::to_vec).ok_or_else(|| format!("/{path} has no attribute names"))
    }

    fn number(&self, name: &str) -> Result<u64, String> {
        self.attrs.get(name).and_then(AttrValue::as_u64).ok_or_else(|| format!("no number {name} at its root"))
    }

    fn text(&self, name: &str) -> Result<&str, String> {
        self.attrs.get(name).and_then(AttrValue::as_str).ok_or_else(|| format!("no text {name} at its root"))
    }
}

/// Checks that the arrays have the lengths given by T, H, P, A and S, and that T, H, A and Z are at least 1.
fn check_shapes(e: &Episode) -> Result<(), String> {
    let instants = e.steps() + 1;
    let pixels = e.image_size.checked_pow(2).and_then(|n| n.checked_mul(3)).unwrap_or(0);
    for (name, got, each, times) in [
        ("frames", e.frames.len(), pixels, instants),
        ("proprio", e.proprio.len(), e.proprio_dim, instants),
        ("actions", e.actions.len(), e.action_dim, instants - 1),
        ("goal_image", e.goal.picture.len(), pixels, 1),
        ("states", e.states.len(), e.state_names.len(), instants),
    ] {
        if each.checked_mul(times) != Some(got) {
            return Err(format!("{name} holds {got} numbers, not {times} x {each}"));
        }
    }
    if pixels == 0 || e.actions.is_empty() || e.goal.latent.is_empty() {
        return Err("it has no step, no pixel or no goal".into());
    }
    goals::check(e, pixels)
}

fn ending_name(ending: Ending) -> &'static str {
    match ending {
        Ending::Terminated => "terminated",
        Ending::Truncated => "truncated",
    }
}

fn ending_from_name(name: &str) -> Option<Ending> {
    [Ending::Terminated, Ending::Truncated].into_iter().find(|&ending| ending_name(ending) == name)
}
