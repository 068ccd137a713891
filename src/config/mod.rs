//! TOML -> `RawConfig` (unknown keys refused) -> validated `Config`; the only place where defaults live.
//!
//! [`keys::KEYS`] is the table of keys, defaults and ranges; a setting made later wins: file or preset, then `--set`.

pub mod keys;
pub mod overrides;
mod presets;
mod raw;
mod settings;
#[cfg(test)]
mod tests;
mod validate;

pub use presets::{PRESETS, Preset};
pub use raw::{RawConfig, Setting};
pub use settings::{Config, CoverageConfig, EnvConfig, EvaluateConfig, NightConfig, RunConfig, Schedule};

use crate::error::{Error, Result};
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

    /// Reads a file, e.g. a run's own `config.toml`; `overrides` come on top.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn read(path: &Path, overrides: Vec<Setting>) -> Result<Self> {
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
        let text = String::from_utf8(bytes).map_err(|_| refuse("is not UTF-8 text".into()))?;
        Self::parse(&text, &path.display().to_string(), overrides)
    }

    /// As [`read`](Self::read), from a text that messages call `name`.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub fn parse(text: &str, name: &str, overrides: Vec<Setting>) -> Result<Self> {
        let mut raw = RawConfig::default();
        raw.set_all(text, name)?;
        overrides.into_iter().try_for_each(|setting| raw.set(setting))?;
        validate::validate(raw)
    }

    /// Changes with every key that the learning depends on: not with `run.steps`, which may be raised, nor with `[night]`.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn identity(&self) -> Result<String> {
        let mut learned = self.clone();
        learned.run.steps = 0;
        learned.night = NightConfig { min_free_mb: 0, ballast_mb: 0, poll_s: 0.0, log_mb: 0.0 };
        Ok(blake3::hash(learned.to_toml()?.as_bytes()).to_hex()[..16].to_owned())
    }

    /// The resolved file: every key, in the order of [`keys::KEYS`]; it parses back to an equal configuration.
    ///
    /// # Errors
    /// `Usage` for a value that TOML cannot hold (a seed above 2^63 - 1).
    pub fn to_toml(&self) -> Result<String> {
        let table = toml::Table::try_from(self).map_err(|e| Error::Usage(format!("configuration: {e}")))?;
        let mut text = String::new();
        let mut section = "";
        for key in keys::KEYS {
            let (head, tail) = key.name.split_once('.').unwrap_or(("", key.name));
            if head != section {
                text += &format!("\n[{head}]\n");
                section = head;
            }
            let inside = if head.is_empty() { Some(&table) } else { table.get(head).and_then(toml::Value::as_table) };
            if let Some(value) = inside.and_then(|t| t.get(tail)) {
                text += &format!("{tail} = {value}\n");
            }
        }
        Ok(text)
    }

    /// First 16 hexadecimal digits of BLAKE3(resolved file, seed as 8 little-endian bytes).
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn run_id(&self) -> Result<String> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.to_toml()?.as_bytes()).update(&self.seed.to_le_bytes());
        Ok(hasher.finalize().to_hex().chars().take(16).collect())
    }
}
