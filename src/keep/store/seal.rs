//! A JSON object on one line with a check sum:  `{...,"check":"<16 hex digits>"}`, where the digits are the first 16 of
//! BLAKE3(the line without `check`). A flipped bit anywhere in the line is detected.

use serde::{Serialize, de::DeserializeOwned};

use super::fs::trimmed;
use crate::error::{Error, Result};

const KEY: &str = ",\"check\":\"";

/// `value`, an object with at least one field, as one sealed line without the newline.
///
/// # Errors
/// [`Error::Usage`] where `value` has no JSON form.
pub fn seal(value: &impl Serialize) -> Result<String> {
    let json = serde_json::to_string(value)
        .map_err(|e| Error::Usage(format!("a record has no JSON form ({e}): correct it")))?;
    let body = json.strip_suffix('}').unwrap_or(&json);
    Ok(format!("{body}{KEY}{}\"}}", check_of(&json)))
}

/// The inverse of [`seal`]: checks the line and parses it. Line ends after it and a byte order mark before it are ignored.
///
/// # Errors
/// Why it fails: the check is missing or does not match, or the fields are not those of `T`.
pub fn unseal<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
    let line = std::str::from_utf8(trimmed(line)).map_err(|e| format!("not UTF-8 ({e})"))?;
    let (body, check) =
        line.strip_suffix("\"}").and_then(|rest| rest.rsplit_once(KEY)).ok_or("no check at the end of the line")?;
    let json = format!("{body}}}");
    if check_of(&json) != check {
        return Err("its check does not match".into());
    }
    serde_json::from_str(&json).map_err(|e| e.to_string())
}

/// As [`unseal`], for a record with a `format_version`, which is checked before the other fields are parsed.
///
/// # Errors
/// [`Error::Damaged`]; [`Error::Usage`] where only a newer program can read it.
pub fn unseal_versioned<T: DeserializeOwned>(what: &str, line: &[u8], newest: u64) -> Result<T> {
    #[derive(serde::Deserialize)]
    struct Version {
        format_version: u64,
    }
    let damaged = |why: String| Error::Damaged(format!("{what} cannot be read: {why}"));
    let Version { format_version } = unseal(line).map_err(damaged)?;
    check_version(what, format_version, newest)?;
    unseal(line).map_err(damaged)
}

/// Refuses a format version that only a newer program can read.
///
/// # Errors
/// [`Error::Usage`]; [`Error::Damaged`] for version 0, which does not exist.
pub fn check_version(what: &str, found: u64, newest: u64) -> Result<()> {
    match found {
        0 => Err(Error::Damaged(format!("{what} has format version 0, which does not exist"))),
        found if found > newest => Err(Error::Usage(format!(
            "{what} has format version {found}, this program reads up to {newest}: use the newer skewfit that wrote it"
        ))),
        _ => Ok(()),
    }
}

fn check_of(json: &str) -> String {
    blake3::hash(json.as_bytes()).to_hex()[..16].to_owned()
}
