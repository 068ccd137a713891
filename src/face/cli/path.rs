//! Paths on the command line.

use std::ffi::OsString;
use std::path::{Component, PathBuf};

use clap::builder::{OsStringValueParser, TypedValueParser};

/// Reads the path of something that is to be made; refuses a `~` that the shell did not replace.
pub fn new_path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().try_map(|text: OsString| {
        let path = PathBuf::from(text);
        let first = match path.components().next() {
            Some(Component::Normal(name)) => name.to_string_lossy().into_owned(),
            _ => String::new(),
        };
        match first.starts_with('~') {
            true => Err(
                "the shell replaces `~` only where a word begins with it: write \"$HOME/...\", or ./~ for that name",
            ),
            false if path.as_os_str().is_empty() => Err("a path is missing"),
            false => Ok(path),
        }
    })
}
