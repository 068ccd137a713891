//! The only writer of stdout. A closed pipe is not an error.

use crate::error::{Error, Result};
use crate::format::duration;
use crate::keep::summary::Summary;
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// Prints a line of text.
///
/// # Errors
/// `Io` if stdout cannot be written, as on a full disk.
pub fn line(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Io { what: "stdout cannot be written".into(), source: e })
        }
        _ => Ok(()),
    }
}

/// Prints a JSON object on one line.
///
/// # Errors
/// As [`line`].
pub fn json(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string(value).map_err(|e| Error::Io { what: "JSON".into(), source: e.into() })?)
}

/// Prints a run's summary, as JSON or as text.
///
/// # Errors
/// As [`line`].
pub fn summary(summary: &Summary, as_json: bool) -> Result<()> {
    if as_json {
        return json(summary);
    }
    let Summary { run, env_steps, updates, episodes, wall_s, params_blake3, final_metrics } = summary;
    line(run)?;
    line(&format!("  {env_steps} steps, {updates} updates, {episodes} episodes in {}", duration(*wall_s)))?;
    line(&format!("  parameters {params_blake3}"))?;
    final_metrics.iter().try_for_each(|(name, value)| line(&format!("  final {name} = {value:.4}")))
}
