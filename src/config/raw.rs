//! Settings before validation: values of known keys, each with its origin. A later setting of a key replaces an earlier
//! one.

use super::keys::{Allowed, ConfigKey};
use super::overrides::{nearest, toml_value, value_of};
use crate::error::{Error, Result};
use toml::de::DeTable;
use toml::{Table, Value};

/// Origin of a value that the user did not set.
const DEFAULT: &str = "default";
/// Up to here every whole number has a float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// One `key = value` as given.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Dotted name.
    pub key: String,
    /// A table sets several keys.
    pub value: Value,
    /// Where it was set, for messages: `night.toml line 7`, `--set`.
    pub origin: String,
}

/// Who wrote the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WrittenBy {
    /// A user: the file may name shipped scenes only, and a missing key has today's default.
    User,
    /// This program or an earlier one, in a run directory: the file may name a caller's own scene, and a missing key
    /// has the value that the program used.
    Program,
}

/// The settings so far, of the keys in one table.
#[derive(Clone, Debug)]
pub(super) struct RawConfig<'k> {
    keys: &'k [ConfigKey],
    writer: WrittenBy,
    settings: Vec<Setting>,
}

impl<'k> RawConfig<'k> {
    pub fn new(keys: &'k [ConfigKey], writer: WrittenBy) -> Self {
        Self { keys, writer, settings: Vec::new() }
    }

    /// Sets one key, or every key of a table.
    ///
    /// # Errors
    /// `Usage`: an unknown key (names the nearest one); a value of the wrong type or out of range (names what is
    /// allowed).
    pub fn set(&mut self, mut setting: Setting) -> Result<()> {
        let known = self.keys.iter().find(|k| k.name == setting.key);
        if known.is_some_and(|k| k.allowed.is_whole()) {
            take_whole(&mut setting.value);
        }
        let Setting { key, value, origin } = &setting;
        if let Some(known) = known {
            let own_scene = self.writer == WrittenBy::Program && key == "env.scene" && value.is_str();
            if !own_scene && !known.allowed.accepts(value) {
                return Err(refusal(origin, key, value, &known.allowed));
            }
            self.settings.push(setting);
            return Ok(());
        }
        let inside = format!("{key}.");
        match (value, self.keys.iter().find(|k| k.name.starts_with(&inside))) {
            (Value::Table(table), Some(_)) => table.iter().try_for_each(|(k, v)| {
                self.set(Setting { key: format!("{inside}{k}"), value: v.clone(), origin: origin.clone() })
            }),
            (_, Some(example)) => {
                Err(Error::Usage(format!("{origin}: `{key}` is a table; set a key in it, e.g. `{}`", example.name)))
            }
            (_, None) => {
                let known = nearest(key, self.keys.iter().map(|k| k.name)).unwrap_or_default();
                Err(Error::Usage(format!(
                    "{origin}: unknown key `{}`; the nearest known one is `{known}` (docs/CONFIG.md lists all)",
                    shorten(key)
                )))
            }
        }
    }

    /// Sets every key of a TOML text; error messages call it `name`.
    ///
    /// # Errors
    /// `Usage`, with the line: the text is not TOML, or [`set`](Self::set) refuses a key.
    pub fn set_all(&mut self, text: &str, name: &str) -> Result<()> {
        let line = |at: usize| 1 + text.bytes().take(at).filter(|b| *b == b'\n').count();
        let not_toml = |e: toml::de::Error| {
            let what = e.message().lines().next().unwrap_or_default().to_owned();
            Error::Usage(format!("{name} line {}: not TOML: {what}", line(e.span().map_or(0, |s| s.start))))
        };
        let spans = DeTable::parse(text).map_err(not_toml)?;
        let table: Table = toml::from_str(text).map_err(not_toml)?;
        for (key, value) in leaves("", &table) {
            let origin = format!("{name} line {}", line(start_of(spans.get_ref(), &key).unwrap_or(0)));
            self.set(Setting { key, value, origin })?;
        }
        Ok(())
    }

    /// Sets every missing key: to `value_before` in a program's file, else to its default. Keys with neither stay missing.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn fill_defaults(&mut self) -> Result<()> {
        for key in self.keys {
            let before = key.value_before.filter(|_| self.writer == WrittenBy::Program);
            let text = before.unwrap_or(key.default);
            match toml_value(text) {
                Some(value) => self.set_default(key.name, value)?,
                None if text.is_empty() => {}
                None => return Err(Error::Usage(format!("configuration: `{text}` of {} is not TOML", key.name))),
            }
        }
        Ok(())
    }

    /// Sets a missing key to `default`.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_default(&mut self, key: &str, default: Value) -> Result<()> {
        if self.get(key).is_some() {
            return Ok(());
        }
        self.set(Setting { key: key.to_owned(), value: default, origin: DEFAULT.to_owned() })
    }

    /// The value of a key, if set.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.settings.iter().rev().find(|s| s.key == key).map(|s| &s.value)
    }

    /// Where one of `keys` was set last; for a message about all of them.
    #[must_use]
    pub fn origin(&self, keys: &[&str]) -> &str {
        let given = |s: &&Setting| s.origin != DEFAULT && keys.contains(&s.key.as_str());
        self.settings.iter().rev().find(given).map_or(DEFAULT, |s| &s.origin)
    }

    /// All values as one nested table.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new();
        for setting in &self.settings {
            match setting.key.split_once('.') {
                None => drop(table.insert(setting.key.clone(), setting.value.clone())),
                Some((head, tail)) => {
                    let section = table.entry(head).or_insert_with(|| Value::Table(Table::new()));
                    if let Some(section) = section.as_table_mut() {
                        section.insert(tail.to_owned(), setting.value.clone());
                    }
                }
            }
        }
        table
    }
}

/// Converts floats with a whole value, such as `1e3`, to integers, also inside arrays and tables.
fn take_whole(value: &mut Value) {
    match value {
        Value::Float(x) if x.fract() == 0.0 && x.abs() <= EXACT => *value = Value::Integer(*x as i64),
        Value::Array(list) => list.iter_mut().for_each(take_whole),
        Value::Table(table) => table.iter_mut().for_each(|(_, inner)| take_whole(inner)),
        _ => {}
    }
}

fn refusal(origin: &str, key: &str, value: &Value, allowed: &Allowed) -> Error {
    let shown = shorten(&value.to_string());
    let how = match value {
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) if allowed.is_text() => "text in quotes: ",
        Value::String(text) if allowed.accepts(&value_of(text, Some(*allowed))) => "without quotes: ",
        Value::Float(x) if allowed.is_whole() && x.fract() == 0.0 => "without point and exponent: ",
        _ => "",
    };
    if let (Allowed::Word(words, later), Some(word)) = (allowed, value.as_str())
        && later.contains(&word)
    {
        return Error::Usage(format!("{origin}: {key} = {shown} is not shipped yet; use one of {}", words.join(", ")));
    }
    Error::Usage(format!("{origin}: {key} = {shown} must be {how}{}", allowed.describe()))
}

/// One line of at most 60 characters.
fn shorten(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(61).collect();
    if line.chars().count() > 60 { line.chars().take(57).chain("...".chars()).collect() } else { line }
}

/// Dotted names and values; an empty table counts as a leaf, so a mistyped `[section]` is refused too.
fn leaves(path: &str, table: &Table) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for (key, value) in table {
        let key = if key.contains('.') { format!("{key:?}") } else { key.clone() };
        let key = if path.is_empty() { key } else { format!("{path}.{key}") };
        match value {
            Value::Table(inner) if !inner.is_empty() => all.extend(leaves(&key, inner)),
            _ => all.push((key, value.clone())),
        }
    }
    all
}

/// Byte offset of a dotted key.
fn start_of(table: &DeTable<'_>, key: &str) -> Option<usize> {
    let (head, tail) = key.split_once('.').map_or((key, None), |(h, t)| (h, Some(t)));
    let (name, value) = table.iter().find(|(k, _)| k.get_ref().as_ref() == head)?;
    let inside = tail.and_then(|t| value.get_ref().as_table().and_then(|inner| start_of(inner, t)));
    Some(inside.unwrap_or(name.span().start))
}
