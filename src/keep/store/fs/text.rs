//! Texts that another system, an editor or a spreadsheet saved again: with a byte order mark, with CRLF, with a newline too
//! many or too few.

use serde::de::DeserializeOwned;

/// The byte order mark of UTF-8, which some programs put at the beginning of a text.
pub const MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes without a [`MARK`] at the beginning and without line ends at the end.
#[must_use]
pub fn trimmed(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    while let Some(rest) = bytes.strip_suffix(b"\n").or_else(|| bytes.strip_suffix(b"\r")) {
        bytes = rest;
    }
    bytes
}

/// What a file of JSON says.
///
/// # Errors
/// Where it is none, or says something else.
pub fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(trimmed(bytes))
}
