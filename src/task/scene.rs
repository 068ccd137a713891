//! Builds the configured environment, checks that it matches the configuration and the run, and describes it in the
//! run's `env.json`. With that file a run can be read on a machine that does not have its environment.

use std::path::Path;

use serde::{Deserialize, Serialize};
use skewfit_envs::{CoverageGrid, Env, EnvSpec, GoalPicture, GridAxis, ReachableCells, StateVec, scenes};

use crate::config::EnvConfig;
use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, read_if_there};
use crate::keep::store::{ShardRoot, seal, unseal_versioned};

/// Name of the description's file in a run directory.
pub const FILE: &str = "env.json";
const FORMAT_VERSION: u64 = 1;
/// Most cells of a coverage grid.
const MOST_CELLS: usize = 100_000_000;

/// Builds an environment from `[env]` with a number of evaluation pictures. [`build`] builds the shipped scenes.
pub type Build<'a> = &'a dyn Fn(&EnvConfig, usize) -> Result<Box<dyn Env>>;

/// Builds the configured shipped scene.
///
/// # Errors
/// `Env` for an unknown scene or an option that the scene refuses.
pub fn build(cfg: &EnvConfig, evaluation_goals: usize) -> Result<Box<dyn Env>> {
    let options = scenes::SceneOptions {
        image_size: cfg.image_size,
        samples: cfg.samples,
        episode_steps: cfg.episode_steps,
        evaluation_goals,
        walls: cfg.walls.clone(),
    };
    Ok(scenes::build(&cfg.scene, &options)?)
}

/// Checks that the scene has the name of the run's scene.
///
/// # Errors
/// `Usage` if it does not.
pub fn check_same_scene(run: &ShardRoot, spec: &EnvSpec) -> Result<()> {
    let (have, want) = (&spec.name, &run.env);
    let way = "set `env.scene` back, or use the program that has it";
    let refuse = || Error::Usage(format!("run {} explores scene `{want}`, not `{have}`: {way}", run.run_id));
    if have == want { Ok(()) } else { Err(refuse()) }
}

/// Description of an environment, as in a run's `env.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvDescription {
    /// Shapes and names.
    pub spec: EnvSpec,
    /// Grid of the coverage cells; `None`: coverage is measured from pictures alone.
    pub coverage: Option<CoverageGrid>,
    /// Names of the metrics of attempts; `None` if the environment has no ground truth.
    pub metrics: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
struct EnvFile {
    format_version: u64,
    environment: EnvDescription,
}

impl EnvDescription {
    /// Describes an environment.
    #[must_use]
    pub fn of(env: &dyn Env) -> Self {
        let nowhere = StateVec(vec![0.0; env.spec().state_names.len()]);
        let names = env.truth().map(|truth| truth.metrics(&nowhere, &nowhere));
        let metrics = names.map(|metrics| metrics.into_iter().map(|(name, _)| name.into_owned()).collect());
        Self { spec: env.spec().clone(), coverage: env.coverage().cloned(), metrics }
    }

    /// Describes a run's environment from its `env.json`, or from its shipped scene if an older program began the run.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn of_run(dir: &Path, run: &ShardRoot, cfg: &EnvConfig) -> Result<Option<Self>> {
        let shipped = || build(cfg, 0).ok().map(|env| Self::of(&*env)).filter(|it| it.spec.name == run.env);
        Ok(Self::read(dir, run)?.or_else(shipped))
    }

    /// Reads a run's `env.json`; `None` without that file.
    ///
    /// # Errors
    /// `Damaged` if it is not as it was written; `Usage` if it may not be read or comes from a newer program.
    pub fn read(dir: &Path, run: &ShardRoot) -> Result<Option<Self>> {
        let path = dir.join(FILE);
        let Some(line) = read_if_there(&DiskFs, &path)? else { return Ok(None) };
        let file = unseal_versioned::<EnvFile>(&path.display().to_string(), &line, FORMAT_VERSION);
        let way = "put an undamaged copy back, or move it away and resume the run, which writes it again";
        let it = match file {
            Err(Error::Damaged(why)) => return Err(Error::Damaged(format!("{why}: {way}"))),
            file => file?.environment,
        };
        let counted = it.spec.counted_names().len();
        let sound = it.spec.name == run.env && it.coverage.as_ref().is_none_or(|grid| invalid(grid, counted).is_none());
        let other = || Error::Damaged(format!("{}: does not belong to this run: {way}", path.display()));
        if sound { Ok(Some(it)) } else { Err(other()) }
    }

    /// The text of `env.json`.
    ///
    /// # Errors
    /// `Usage` if it has no JSON form.
    pub fn to_json(&self) -> Result<String> {
        seal(&EnvFile { format_version: FORMAT_VERSION, environment: self.clone() })
    }

    /// The two axes of the coverage map.
    #[must_use]
    pub fn map_axes(&self) -> Option<&[GridAxis; 2]> {
        self.coverage.as_ref().map(|grid| &grid.heat_map)
    }
}

/// Checks that the environment's shapes match each other and the configuration.
///
/// # Errors
/// `Usage` if they do not.
pub fn check_scene(env: &dyn Env, cfg: &EnvConfig) -> Result<()> {
    let (spec, size) = (env.spec(), cfg.image_size);
    let (states, counted) = (spec.state_names.len(), spec.counted_names().len());
    let refuse = |what: String| Err(Error::Usage(format!("scene `{}`: {what}", spec.name)));
    if spec.image_size != size {
        let has = spec.image_size;
        return refuse(format!("its pictures are {has} pixels wide; build it with env.image_size = {size}"));
    }
    if spec.action_dim == 0 {
        return refuse("it takes no actions; set EnvSpec::action_dim to 1 or more".into());
    }
    if ![0, spec.proprio_dim].contains(&spec.proprio_names.len()) {
        let (names, dim) = (spec.proprio_names.len(), spec.proprio_dim);
        return refuse(format!(
            "it has {names} names for {dim} entries of proprioception; correct EnvSpec::proprio_names"
        ));
    }
    let misfit = |goal: &&GoalPicture| {
        let image = &goal.image;
        image.size != size || image.pixels.len() != size * size * 3 || goal.state.0.len() != states
    };
    if let Some(goal) = env.truth().and_then(|truth| truth.evaluation_goals().iter().find(misfit)) {
        let name = &goal.name;
        return refuse(format!("goal `{name}` must have {size} x {size} x 3 bytes and {states} state entries"));
    }
    if env.truth().is_some() && states == 0 {
        return refuse("it has a ground truth but no state; name the state's entries in EnvSpec::state_names".into());
    }
    let reachable = env.truth().and_then(|truth| truth.reachable()).map(ReachableCells::grid);
    match env.coverage().into_iter().chain(reachable).find_map(|grid| invalid(grid, counted)) {
        Some(asked) => refuse(format!("a coverage axis is invalid ({asked}); correct CoverageGrid")),
        None => Ok(()),
    }
}

/// What is invalid in a grid over states of `counted` entries; `None` if it is valid.
fn invalid(grid: &CoverageGrid, counted: usize) -> Option<String> {
    let whole = grid.axes.iter().try_fold(1_usize, |cells, axis| cells.checked_mul(axis.cells));
    if whole.is_none_or(|cells| cells > MOST_CELLS) {
        return Some(format!("more than {MOST_CELLS} cells in total"));
    }
    let sound = |axis: &&GridAxis| {
        let range = axis.low.is_finite() && axis.high.is_finite() && axis.low < axis.high;
        axis.state < counted && (1..=MOST_CELLS).contains(&axis.cells) && range
    };
    let GridAxis { state, low, high, cells } = grid.axes.iter().chain(&grid.heat_map).find(|axis| !sound(axis))?;
    Some(format!("entry {state} of {counted}, {cells} cells over [{low}, {high}]"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn root(env: &str) -> ShardRoot {
        ShardRoot { run_id: "0123456789abcdef".into(), seed: 0, env: env.into() }
    }

    #[test]
    fn a_description_reads_back_as_written_or_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let cfg = Config::resolve("corridor-tiny", Vec::new()).unwrap().env;
        let here = EnvDescription::of(&*build(&cfg, 0).unwrap());
        let read = || EnvDescription::read(dir.path(), &root("corridor"));
        let put = |text: &str| std::fs::write(dir.path().join(FILE), text).unwrap();
        assert_eq!(read().unwrap(), None);
        assert_eq!(
            EnvDescription::of_run(dir.path(), &root("corridor"), &cfg).unwrap(),
            Some(here.clone()),
            "a shipped scene"
        );
        assert_eq!(EnvDescription::of_run(dir.path(), &root("cart"), &cfg).unwrap(), None);
        let text = here.to_json().unwrap();
        put(&text);
        assert_eq!(read().unwrap(), Some(here.clone()));
        assert!(matches!(EnvDescription::read(dir.path(), &root("cart")), Err(Error::Damaged(_))), "another run's");
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            std::fs::write(dir.path().join(FILE), bytes).unwrap();
            assert!(read().is_err(), "byte {at}");
        }
        let with = |change: fn(&mut EnvDescription)| {
            let mut other = here.clone();
            change(&mut other);
            put(&other.to_json().unwrap());
            read().unwrap_err()
        };
        assert_eq!(with(|it| it.coverage.as_mut().unwrap().axes[0].cells = 0).exit_code(), 3);
        assert_eq!(with(|it| it.coverage.as_mut().unwrap().heat_map[1].state = 9).exit_code(), 3);
        put(&seal(&EnvFile { format_version: FORMAT_VERSION + 1, environment: here.clone() }).unwrap());
        assert_eq!(read().unwrap_err().exit_code(), 2, "a newer program's");
    }
}
