//! Parses `--set a.b=c`: a dotted key and a TOML value, else a string. Also finds the known name nearest to a mistyped
//! one.

use super::raw::Setting;
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
    let value = toml_value(value).unwrap_or_else(|| Value::String(value.to_owned()));
    Ok(Setting { key: key.to_owned(), value, origin: "--set".to_owned() })
}

/// `text` as a TOML value; `None` if it is not one.
pub(super) fn toml_value(text: &str) -> Option<Value> {
    let only = |mut table: Table| if table.len() == 1 { table.remove("v") } else { None };
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
    fn a_value_is_toml_else_text() {
        for (text, key, value) in [
            ("latent.dim=4", "latent.dim", Value::Integer(4)),
            ("skew.power = -1", "skew.power", Value::Integer(-1)),
            ("agent.tau=1e-2", "agent.tau", Value::Float(0.01)),
            ("env.scene=corridor", "env.scene", Value::String("corridor".into())),
            ("env.walls=---", "env.walls", Value::String("---".into())),
            ("name=\"a=b\"", "name", Value::String("a=b".into())),
            ("agent.hidden=[8, 9]", "agent.hidden", Value::Array(vec![8.into(), 9.into()])),
            ("seed=1\nx = 2", "seed", Value::String("1\nx = 2".into())),
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
