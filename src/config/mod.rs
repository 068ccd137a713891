//! TOML -> `RawConfig` (unknown keys refused) -> validated `Config`; the only place where defaults live.
//!
//! [`keys::KEYS`] is the table of keys, defaults and ranges; a setting made later wins: file or preset, then `--set`. A
//! run's own file is read by [`Config::of_run`], so that it means what it meant to the program that wrote it.

mod identity;
pub mod keys;
pub mod overrides;
mod presets;
mod raw;
mod settings;
#[cfg(test)]
mod tests;
mod validate;

pub use presets::{PRESETS, Preset};
pub use raw::Setting;
pub use settings::{Config, CoverageConfig, EnvConfig, EvaluateConfig, NightConfig, RunConfig, Schedule};

use crate::error::{Error, Result};
use keys::KEYS;
use raw::{RawConfig, WrittenBy};
use std::io::Read;
use std::path::Path;

/// Longest configuration file that is read, bytes.
const LONGEST_FILE: u64 = 1 << 20;

impl Config {
    /// Settles an experiment: `what` is a file if it ends in `.toml`, else a preset; `overrides` come on top.
    ///
    /// # Errors
    /// `Usage`: no such file or preset, and whatever is wrong inside, with file, key and line.
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

    /// Reads a user's file; `overrides` come on top.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn read(path: &Path, overrides: Vec<Setting>) -> Result<Self> {
        Self::parse(&text_of(path)?, &path.display().to_string(), overrides)
    }

    /// Reads `config.toml` of a run directory; `overrides` come on top. A key that the file lacks means
    /// [`ConfigKey::since`](keys::ConfigKey::since): what the program did that wrote it. One without `since` is in every file that a
    /// program has written, so somebody took it out: it has the default, and a checkpoint knows by its identity whether
    /// that is another experiment. The scene may be a caller's.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn of_run(dir: &Path, overrides: Vec<Setting>) -> Result<Self> {
        let path = dir.join("config.toml");
        let raw = RawConfig::new(KEYS, WrittenBy::Program);
        settle(raw, &text_of(&path)?, &path.display().to_string(), overrides)
    }

    /// As [`read`](Self::read), from a text that messages call `name`.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn parse(text: &str, name: &str, overrides: Vec<Setting>) -> Result<Self> {
        settle(RawConfig::new(KEYS, WrittenBy::User), text, name, overrides)
    }
}

/// A text, then `overrides`, then what their absence means.
fn settle(mut raw: RawConfig<'_>, text: &str, name: &str, overrides: Vec<Setting>) -> Result<Config> {
    raw.set_all(text, name)?;
    overrides.into_iter().try_for_each(|setting| raw.set(setting))?;
    validate::validate(raw)
}

/// A file of a configuration's size.
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
    String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8 text".into()))
}
