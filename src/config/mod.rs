//! TOML -> `RawConfig` (unknown keys refused) -> validated `Config`; the only place where defaults live.
//!
//! [`keys::KEYS`] is the table of keys, defaults and ranges. `--set` overrides the file or preset; the last `--set` of
//! a key wins. [`Config::of_run`] reads a run's own file: a key it lacks has the value its program used, not today's
//! default.

mod identity;
pub mod keys;
pub mod overrides;
mod presets;
mod raw;
mod settings;
#[cfg(test)]
mod tests;
mod validate;
pub mod written;

pub use presets::{PRESETS, Preset};
pub use raw::Setting;
pub use settings::{Config, CoverageConfig, EnvConfig, EvaluateConfig, NightConfig, RunConfig, Schedule, Warmup};

use crate::error::{Error, Result};
use keys::KEYS;
use raw::{RawConfig, WrittenBy};
use std::io::Read;
use std::path::Path;

/// Longest configuration file that is read, bytes.
const LONGEST_FILE: u64 = 1 << 20;
/// What some editors put at the beginning of a text.
const MARK: char = '\u{feff}';

impl Config {
    /// The configuration of an experiment. `what` is a file if it ends in `.toml`, else a preset; `overrides` are
    /// applied after it.
    ///
    /// # Errors
    /// `Usage`: the file or preset does not exist, or something in it is wrong (with file, key and line).
    pub fn resolve(what: &str, overrides: Vec<Setting>) -> Result<Self> {
        if what.ends_with(".toml") {
            return Self::read(Path::new(what), overrides);
        }
        let preset = PRESETS.iter().find(|p| p.name == what).ok_or_else(|| {
            let nearest = overrides::nearest(what, PRESETS.iter().map(|p| p.name)).unwrap_or_default();
            Error::Usage(format!(
                "unknown preset `{what}`; the nearest is `{nearest}` (`skewfit explore` lists all; a file ends in .toml)"
            ))
        })?;
        Self::parse(preset.text, &format!("preset {what}"), overrides)
    }

    /// Reads a user's file, then applies `overrides`.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn read(path: &Path, overrides: Vec<Setting>) -> Result<Self> {
        Self::parse(&text_of(path)?, &path.display().to_string(), overrides)
    }

    /// Reads `config.toml` of a run directory, then applies `overrides`. A key that the file lacks has the value
    /// [`ConfigKey::value_before`](keys::ConfigKey::value_before): the value that the run's program used. A key that has no such value
    /// is written by every program: if the file lacks it, a user has removed it. It then has the default, and the
    /// checkpoint's identity shows whether this makes another experiment. The scene may be a caller's own.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn of_run(dir: &Path, overrides: Vec<Setting>) -> Result<Self> {
        let path = dir.join("config.toml");
        let raw = RawConfig::new(KEYS, WrittenBy::Program);
        settle(raw, &text_of(&path)?, &path.display().to_string(), overrides)
    }

    /// As [`read`](Self::read), from a text; error messages call it `name`.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn parse(text: &str, name: &str, overrides: Vec<Setting>) -> Result<Self> {
        settle(RawConfig::new(KEYS, WrittenBy::User), text, name, overrides)
    }
}

/// Reads a text, applies `overrides`, then sets the missing keys.
fn settle(mut raw: RawConfig<'_>, text: &str, name: &str, overrides: Vec<Setting>) -> Result<Config> {
    raw.set_all(text, name)?;
    overrides.into_iter().try_for_each(|setting| raw.set(setting))?;
    validate::validate(raw)
}

/// The text of a file; refuses what is not a regular file, or larger than [`LONGEST_FILE`].
fn text_of(path: &Path) -> Result<String> {
    let refuse = |why: String| Error::Usage(format!("{}: {why}", path.display()));
    let unopened = |e: std::io::Error| refuse(format!("cannot be opened: {e}"));
    if !path.metadata().map_err(unopened)?.is_file() {
        return Err(refuse("is not a file; give a configuration in TOML".into())); // opening a pipe would wait
    }
    let file = std::fs::File::open(path).map_err(unopened)?;
    let mut bytes = Vec::new();
    file.take(LONGEST_FILE + 1).read_to_end(&mut bytes).map_err(|e| refuse(format!("cannot be read: {e}")))?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(refuse("is larger than 1 MiB, so not a configuration".into()));
    }
    let mut text = String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8 text".into()))?;
    if text.starts_with(MARK) {
        text.drain(..MARK.len_utf8());
    }
    Ok(text)
}
