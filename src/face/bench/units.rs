//! Names of the benchmark units.

use crate::error::{Error, Result};

/// Units that are timed by default.
pub const DEFAULT_UNITS: [&str; 6] =
    ["gemm_1024", "sac_step_b1024", "vae_step_b128", "encode_b512", "logp_b512_n10", "act_b1"];
/// Units that are timed only if named.
pub const OTHER_UNITS: [&str; 12] = [
    "env_door",
    "physics_door",
    "render_door",
    "env_corridor",
    "physics_corridor",
    "render_corridor",
    "env_point2d",
    "physics_point2d",
    "render_point2d",
    "commit_episode",
    "checkpoint_door",
    "door_epoch_full_buffer",
];
/// Units that measure curves.
pub const GROWTH_UNITS: [&str; 4] = ["growth_buffer", "growth_image", "growth_latents", "growth_threads"];

/// The named units; the [`DEFAULT_UNITS`] if `names` is empty.
///
/// # Errors
/// `Usage` for an unknown unit, before anything is timed.
pub fn units(names: &[String]) -> Result<Vec<&str>> {
    let known = known_units();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown_unit(name)),
        None if names.is_empty() => Ok(DEFAULT_UNITS.to_vec()),
        None => Ok(names.iter().map(String::as_str).collect()),
    }
}

fn known_units() -> Vec<&'static str> {
    [&DEFAULT_UNITS[..], &OTHER_UNITS[..], &GROWTH_UNITS[..]].concat()
}

/// The error for an unknown name.
pub(super) fn unknown_unit(unit: &str) -> Error {
    let known = known_units().join(", ");
    Error::Usage(format!("unknown unit `{unit}`; known: {known}"))
}
