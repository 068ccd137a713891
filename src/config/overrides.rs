//! Parses `--set a.b=c`: a dotted key, and a value read by the key's type. Also finds the known name nearest to a mistyped
//! one.

use super::keys::{Allowed, KEYS};
use super::raw::Setting;
use super::written::{number, whole};
use crate::error::{Error, Result};
use toml::{Table, Value};

/// `key=value`, split at the first `=`.
///
/// # Errors
/// `Usage` where there is no `=` or no key.
pub fn parse(text: &str) -> Result<Setting> {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    let (key, value) = (key.trim(), value.trim());
    if key.is_empty() || value.is_empty() {
        return Err(Error::Usage(format!("--set {text:?} is not of the form key=value, e.g. --set skew.power=-1")));
    }
    Ok(setting(key, value, "--set"))
}

/// A key with a value that was written on the command line; `origin` is the flag.
#[must_use]
pub fn setting(key: &str, text: &str, origin: &str) -> Setting {
    let known = KEYS.iter().find(|known| known.name == key).map(|known| known.allowed);
    Setting { key: key.to_owned(), value: value_of(text.trim(), known), origin: origin.to_owned() }
}

/// Reads `text` as a value of this kind; returns it as a TOML string if it is not one. `None`: any TOML value.
pub(super) fn value_of(text: &str, kind: Option<Allowed>) -> Value {
    let (toml, as_text) = (toml_value(text), || Value::String(text.to_owned()));
    match kind {
        Some(Allowed::Name | Allowed::Word(..) | Allowed::Folder) => {
            toml.filter(Value::is_str).unwrap_or_else(as_text) // `2026` is a name
        }
        Some(Allowed::Whole(..) | Allowed::Size(_)) => {
            let rounded = |value: &Value| value.as_float().is_some_and(|x| x.fract() == 0.0);
            let other = || toml.filter(|value| !rounded(value)).unwrap_or_else(as_text);
            whole(text).map_or_else(other, Value::Integer)
        }
        Some(Allowed::Number(..) | Allowed::AutoOr(..)) => {
            toml.or_else(|| number(text).map(Value::Float)).unwrap_or_else(as_text)
        }
        _ => toml.unwrap_or_else(as_text),
    }
}

/// `text` as a TOML value; `None` if it is not one.
pub(super) fn toml_value(text: &str) -> Option<Value> {
    let only = |mut table: Table| if table.len() == 1 { table.remove("v") } else { None };
    let _: Table = format!("v = [{text}]").parse().ok()?; // a `#` would take the bracket as well
    format!("v = {text}").parse().ok().and_then(only)
}

/// The name in `known` that is most similar to `wrong`; `dim` is similar to `latent.dim`. `None` if `known` is empty.
#[must_use]
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let last = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    let distance = |name: &str| edit_distance(wrong, name).min(edit_distance(&last(wrong), &last(name)) + 2);
    known.into_iter().min_by_key(|name| distance(name))
}

/// Levenshtein distance, of the first 100 characters of `a` only: a line of a file may be long.
fn edit_distance(a: &str, b: &str) -> usize {
    strsim::levenshtein(&a.chars().take(100).collect::<String>(), b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_of_its_keys_kind_else_text() {
        for (text, key, value) in [
            ("latent.dim=4", "latent.dim", Value::Integer(4)),
            ("skew.power = -1", "skew.power", Value::Integer(-1)),
            ("seed=3#4", "seed", Value::String("3#4".into())),
            ("seed=3 # that", "seed", Value::String("3 # that".into())),
            ("name=\"a#b\"", "name", Value::String("a#b".into())),
            ("seed=1,", "seed", Value::String("1,".into())),
            ("agent.tau=1e-2", "agent.tau", Value::Float(0.01)),
            ("env.scene=corridor", "env.scene", Value::String("corridor".into())),
            ("env.walls=---", "env.walls", Value::String("---".into())),
            ("name=\"a=b\"", "name", Value::String("a=b".into())),
            ("agent.hidden=[8, 9]", "agent.hidden", Value::Array(vec![8.into(), 9.into()])),
            ("seed=1\nx = 2", "seed", Value::String("1\nx = 2".into())),
            ("name=2026", "name", Value::String("2026".into())),
            ("name='2026'", "name", Value::String("2026".into())),
            ("name=true", "name", Value::String("true".into())),
            ("evaluate.folder=2026-11-28", "evaluate.folder", Value::String("2026-11-28".into())),
            ("run.steps=1e3", "run.steps", Value::Integer(1000)),
            ("run.steps=30_000", "run.steps", Value::Integer(30_000)),
            ("run.steps=1.5e0", "run.steps", Value::Float(1.5)),
            ("run.steps=1000.00000000000000001", "run.steps", Value::String("1000.00000000000000001".into())),
            ("seed=0x10", "seed", Value::Integer(16)),
            ("env.image_size=4.8e1", "env.image_size", Value::Integer(48)),
            ("agent.learning_rate=.001", "agent.learning_rate", Value::Float(0.001)),
            ("agent.reward_scale=1_000.5", "agent.reward_scale", Value::Float(1000.5)),
            ("agent.target_entropy=-.5", "agent.target_entropy", Value::Float(-0.5)),
            ("agent.target_entropy=auto", "agent.target_entropy", Value::String("auto".into())),
        ] {
            let setting = parse(text).unwrap();
            assert_eq!((setting.key.as_str(), setting.value), (key, value), "{text}");
        }
    }

    #[test]
    fn the_nearest_name_is_known_by_few_edits_or_by_its_last_part() {
        let known = ["latent.dim", "latent.beta", "seed"];
        for (wrong, near) in
            [("dim", "latent.dim"), ("latent.bta", "latent.beta"), ("sed", "seed"), ("x.beta", "latent.beta")]
        {
            assert_eq!(nearest(wrong, known), Some(near), "{wrong}");
        }
        assert_eq!(nearest("x", []), None);
    }
}
