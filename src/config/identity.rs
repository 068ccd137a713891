//! The settings as a file, and two hashes of them: one identifies the run, the other the experiment.

use super::Config;
use super::keys::{ConfigKey, KEYS};
use super::overrides::toml_value;
use crate::error::{Error, Result};
use toml::{Table, Value};

impl Config {
    /// The resolved file: every key, in the order of [`KEYS`]. Reading it back gives an equal configuration.
    ///
    /// # Errors
    /// `Usage` for a value that TOML cannot hold (a seed above 2^63 - 1).
    pub fn to_toml(&self) -> Result<String> {
        Ok(Resolved::of(self, KEYS)?.text())
    }

    /// The keys on which learning or measuring depends, without the seed, and their values.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn identity_keys(&self) -> Result<Vec<(&'static str, Value)>> {
        Ok(Resolved::of(self, KEYS)?.identity_keys().0.into_iter().map(|(key, value)| (key.name, value)).collect())
    }

    /// Identifies the experiment: runs with the same identity may differ in seed, name, length, and how their files are
    /// kept. 16 hexadecimal digits of BLAKE3 over [`identity_keys`](Self::identity_keys). A key whose value is its
    /// [`ConfigKey::value_before`] is left out, so adding a key to the program does not change the identity of earlier runs.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn identity(&self) -> Result<String> {
        Ok(Resolved::of(self, KEYS)?.identity())
    }

    /// Whether `identity`, read from a checkpoint, is that of this configuration, by the present formula or by the one
    /// used up to commit 6a6cb58.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn has_identity(&self, identity: &str) -> Result<bool> {
        let resolved = Resolved::of(self, KEYS)?;
        Ok(identity == resolved.clone().identity() || identity == resolved.identity_up_to_6a6cb58())
    }

    /// Identifies the run: 16 hexadecimal digits of BLAKE3(resolved file, seed as 8 little-endian bytes). A key whose
    /// value is its [`ConfigKey::value_before`] is left out of the file.
    ///
    /// # Errors
    /// As [`to_toml`](Self::to_toml).
    pub fn run_id(&self) -> Result<String> {
        Ok(Resolved::of(self, KEYS)?.run_id(self.seed))
    }
}

/// The keys of a table and their values, in the order of the table.
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

    /// The text of the file.
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

    /// Without the keys whose value is their `value_before`.
    fn without_new_keys(self) -> Self {
        let new = |(key, value): &(&ConfigKey, Value)| key.value_before.and_then(toml_value).as_ref() != Some(value);
        Self(self.0.into_iter().filter(new).collect())
    }

    fn identity_keys(self) -> Self {
        Self(self.0.into_iter().filter(|(key, _)| key.in_identity).collect())
    }

    fn identity(self) -> String {
        digits(blake3::hash(self.identity_keys().without_new_keys().text().as_bytes()))
    }

    /// The identity in checkpoints up to commit 6a6cb58: a hash of all settings, with `run.steps` and `[night]` set to
    /// zero.
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

/// The first 16 hexadecimal digits.
fn digits(hash: blake3::Hash) -> String {
    hash.to_hex().chars().take(16).collect()
}

#[cfg(test)]
mod tests;
