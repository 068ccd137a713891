//! Makes a [`Config`] from settings: fills in missing keys and refuses keys that contradict each other.

use super::Config;
use super::raw::RawConfig;
use crate::error::{Error, Result};
use crate::learn::latent::Architecture;
use toml::Value;

/// The validated configuration.
///
/// # Errors
/// `Usage`: keys contradict each other; names where one of them was set.
pub(super) fn validate(mut raw: RawConfig<'_>) -> Result<Config> {
    raw.fill_defaults()?;
    let size = raw.get("env.image_size").and_then(Value::as_integer).unwrap_or_default();
    raw.set_default("latent.channels", default_channels(size))?;
    let config: Config = raw.table().try_into().map_err(internal)?;
    match contradiction(&config) {
        None => Ok(config),
        Some((keys, why)) => Err(Error::Usage(format!("{}: {why}", raw.origin(keys)))),
    }
}

fn internal(error: impl std::fmt::Display) -> Error {
    Error::Usage(format!("configuration: {error}"))
}

fn default_channels(image_size: i64) -> Value {
    let channels = Architecture::usual_channels(usize::try_from(image_size).unwrap_or_default());
    Value::Array(channels.iter().map(|c| Value::Integer(*c as i64)).collect())
}

/// The first contradiction found: its keys and a sentence about it.
fn contradiction(c: &Config) -> Option<(&'static [&'static str], String)> {
    let episode = c.env.episode_steps as u64;
    let whole_episodes = |name: &str, steps: u64| {
        (!steps.is_multiple_of(episode))
            .then(|| format!("{name} = {steps} is not a multiple of env.episode_steps = {episode}"))
    };
    if let Some(why) = whole_episodes("run.warmup_steps", c.run.warmup_steps) {
        return Some((&["run.warmup_steps", "env.episode_steps"], why));
    }
    if let Some(why) = whole_episodes("run.epoch_steps", c.run.epoch_steps) {
        return Some((&["run.epoch_steps", "env.episode_steps"], why));
    }
    let size = c.env.image_size;
    let convolutions = Architecture::sizes(size).map_or(0, |sides| sides.len());
    let checks: [(bool, &[&str], String); 9] = [
        (
            c.agent.layer_norm && c.agent.hidden.iter().any(|units| *units < 2),
            &["agent.layer_norm", "agent.hidden"],
            format!(
                "agent.hidden = {:?} has a layer of one unit, which agent.layer_norm always makes 0; use 2 or more",
                c.agent.hidden
            ),
        ),
        (
            c.run.steps < c.run.warmup_steps,
            &["run.steps", "run.warmup_steps"],
            format!("run.steps = {} is less than run.warmup_steps = {}", c.run.steps, c.run.warmup_steps),
        ),
        (
            c.env.walls != "none" && c.env.scene != "point2d",
            &["env.walls", "env.scene"],
            format!("env.walls = \"{}\" is for point2d only; leave it out for {}", c.env.walls, c.env.scene),
        ),
        (
            c.latent.channels.len() != convolutions,
            &["latent.channels", "env.image_size"],
            format!(
                "latent.channels = {:?} must have {convolutions} entries, one per convolution, at env.image_size = {size}",
                c.latent.channels
            ),
        ),
        (
            c.skew.min_ess > 0.0 && c.skew.target_ess > 0.0,
            &["skew.min_ess", "skew.target_ess"],
            format!(
                "skew.min_ess = {} and skew.target_ess = {} both set the effective sample size; set one of them to 0",
                c.skew.min_ess, c.skew.target_ess
            ),
        ),
        (
            c.goals.relabel_keep + c.goals.relabel_source > 1.0,
            &["goals.relabel_keep", "goals.relabel_source"],
            format!(
                "goals.relabel_keep = {} and goals.relabel_source = {} add up to more than 1",
                c.goals.relabel_keep, c.goals.relabel_source
            ),
        ),
        (
            c.replay.capacity < c.agent.batch.max(c.latent.batch),
            &["replay.capacity", "agent.batch", "latent.batch"],
            format!(
                "replay.capacity = {} must hold a batch of agent.batch = {} and of latent.batch = {}",
                c.replay.capacity, c.agent.batch, c.latent.batch
            ),
        ),
        (
            c.replay.capacity < c.env.episode_steps,
            &["replay.capacity", "env.episode_steps"],
            format!("replay.capacity = {} must hold an episode of env.episode_steps = {episode}", c.replay.capacity),
        ),
        (
            c.evaluate.pictures_each_time > c.evaluate.pictures,
            &["evaluate.pictures_each_time", "evaluate.pictures"],
            format!(
                "evaluate.pictures_each_time = {} is more than evaluate.pictures = {}",
                c.evaluate.pictures_each_time, c.evaluate.pictures
            ),
        ),
    ];
    checks.into_iter().find(|(wrong, ..)| *wrong).map(|(_, keys, why)| (keys, why))
}
