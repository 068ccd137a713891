//! The settings written out, and hashes of them: which run it is, and which experiment.

use super::Config;
use super::keys::{ConfigKey, KEYS};
use super::overrides::toml_value;
use crate::error::{Error, Result};
use toml::{Table, Value};

impl Config {
    /// The resolved file: every key, in the order of [`KEYS`]; it parses back to an equal configuration.
    ///
    /// # Errors
    /// `Usage` for a value that TOML cannot hold (a seed above 2^63 - 1).
    pub fn to_toml(&self) -> Result<String> {
        Ok(Resolved::of(self, KEYS)?.text())
    }

    /// The keys that what a run learns or measures depends on, apart from the seed, with their values.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn learned(&self) -> Result<Vec<(&'static str, Value)>> {
        Ok(Resolved::of(self, KEYS)?.learned().0.into_iter().map(|(key, value)| (key.name, value)).collect())
    }

    /// Which experiment it is: runs of one identity differ in their seed, their name, how far they go, and how they are
    /// kept. 16 hexadecimal digits of BLAKE3 over [`learned`](Self::learned); a key at its [`ConfigKey::since`] is left out, so
    /// that a program which adds a key finds the identity of before.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn identity(&self) -> Result<String> {
        Ok(Resolved::of(self, KEYS)?.identity())
    }

    /// Whether `identity`, out of a checkpoint, is this configuration's, by the present formula or by that of programs up
    /// to commit 6a6cb58.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn has_identity(&self, identity: &str) -> Result<bool> {
        let resolved = Resolved::of(self, KEYS)?;
        Ok(identity == resolved.clone().identity() || identity == resolved.identity_up_to_6a6cb58())
    }

    /// Which run it is: 16 hexadecimal digits of BLAKE3(resolved file, seed as 8 little-endian bytes); a key at its
    /// [`ConfigKey::since`] is left out of the file.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn run_id(&self) -> Result<String> {
        Ok(Resolved::of(self, KEYS)?.run_id(self.seed))
    }
}

/// Keys of a table with their values, in its order.
#[derive(Clone, Debug)]
struct Resolved<'k>(Vec<(&'k ConfigKey, Value)>);

impl<'k> Resolved<'k> {
    fn of(config: &Config, keys: &'k [ConfigKey]) -> Result<Self> {
        let table = Table::try_from(config).map_err(|e| Error::Usage(format!("configuration: {e}")))?;
        let value = |key: &ConfigKey| match key.name.split_once('.') {
            None => table.get(key.name).cloned(),
            Some((head, tail)) => table.get(head)?.get(tail).cloned(),
        };
        Ok(Self(keys.iter().filter_map(|key| Some((key, value(key)?))).collect()))
    }

    /// As a file.
    fn text(&self) -> String {
        let (mut text, mut section) = (String::new(), "");
        for (key, value) in &self.0 {
            let (head, tail) = key.name.split_once('.').unwrap_or(("", key.name));
            if head != section {
                text += &format!("\n[{head}]\n");
                section = head;
            }
            text += &format!("{tail} = {value}\n");
        }
        text
    }

    /// Without the keys at the value that programs acted by which did not have them.
    fn without_new_keys(self) -> Self {
        let new = |(key, value): &(&ConfigKey, Value)| key.since.and_then(toml_value).as_ref() != Some(value);
        Self(self.0.into_iter().filter(new).collect())
    }

    fn learned(self) -> Self {
        Self(self.0.into_iter().filter(|(key, _)| key.learned).collect())
    }

    fn identity(self) -> String {
        digits(blake3::hash(self.learned().without_new_keys().text().as_bytes()))
    }

    /// Checkpoints of commit 6a6cb58 and before hold this: all settings as a file, with `run.steps` and `[night]` at zero.
    fn identity_up_to_6a6cb58(self) -> String {
        let mut settings = self.without_new_keys();
        for (_, value) in settings.0.iter_mut().filter(|(k, _)| k.name == "run.steps" || k.name.starts_with("night.")) {
            *value = if value.is_float() { Value::Float(0.0) } else { Value::Integer(0) };
        }
        digits(blake3::hash(settings.text().as_bytes()))
    }

    fn run_id(self, seed: u64) -> String {
        digits(
            blake3::Hasher::new()
                .update(self.without_new_keys().text().as_bytes())
                .update(&seed.to_le_bytes())
                .finalize(),
        )
    }
}

/// The first 16.
fn digits(hash: blake3::Hash) -> String {
    hash.to_hex().chars().take(16).collect()
}

#[cfg(test)]
mod tests;
