//! The only writer of stdout. A reader that went away is no error.

use crate::error::{Error, Result};
use crate::progress::Summary;
use serde::Serialize;
use std::io::{ErrorKind, Write};

/// A line of text.
///
/// # Errors
/// `Io` where stdout takes no more (a full disk).
pub fn line(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.write_all(b"\n")).and_then(|()| stdout.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Io { what: "stdout cannot be written".into(), source: e })
        }
        _ => Ok(()),
    }
}

/// One JSON object on a line.
///
/// # Errors
/// As [`line`].
pub fn json(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string(value).map_err(|e| Error::Io { what: "JSON".into(), source: e.into() })?)
}

/// What a run came to, as JSON or in words.
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

/// `42 s`, `13 min`, `2 h 05 min`.
pub fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        _ if seconds < 90.0 => format!("{seconds:.0} s"),
        0..90 => format!("{minutes} min"),
        _ => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

/// `640 kB`, `12 MB`, `1.4 GB`, in powers of ten.
pub fn bytes(bytes: f64) -> String {
    match bytes {
        b if b < 1e6 => format!("{:.0} kB", b / 1e3),
        b if b < 1e9 => format!("{:.0} MB", b / 1e6),
        b => format!("{:.1} GB", b / 1e9),
    }
}
