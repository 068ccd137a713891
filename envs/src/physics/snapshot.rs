//! Scenes as bytes: postcard of (scene name, FNV-1a of the payload, payload), so that foreign or damaged bytes are
//! refused before anything is built from them.

use serde::{Serialize, de::DeserializeOwned};

use crate::{EnvFault, EnvSnapshot};

/// Freezes `state` under the name of its scene.
///
/// # Errors
/// `BadSnapshot` where postcard cannot write `state`.
pub(crate) fn freeze<T: Serialize>(scene: &'static str, state: &T) -> Result<EnvSnapshot, EnvFault> {
    let payload = postcard::to_allocvec(state).map_err(|e| refuse(scene, e))?;
    postcard::to_allocvec(&(scene, fnv1a(&payload), payload)).map(EnvSnapshot).map_err(|e| refuse(scene, e))
}

/// The state that `freeze` was given.
///
/// # Errors
/// `BadSnapshot` for bytes of another scene, truncated or altered bytes.
pub(crate) fn thaw<T: DeserializeOwned>(scene: &'static str, snapshot: &EnvSnapshot) -> Result<T, EnvFault> {
    let ((name, sum, payload), rest): ((&str, u64, &[u8]), _) =
        postcard::take_from_bytes(&snapshot.0).map_err(|e| refuse(scene, e))?;
    if name != scene {
        return Err(refuse(scene, format_args!("it was taken in scene `{name}`")));
    }
    if !rest.is_empty() || sum != fnv1a(payload) {
        return Err(refuse(scene, "its bytes were altered after it was taken"));
    }
    postcard::from_bytes(payload).map_err(|e| refuse(scene, e))
}

fn refuse(scene: &'static str, why: impl std::fmt::Display) -> EnvFault {
    EnvFault::BadSnapshot { scene, why: why.to_string() }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo): enough against accidents.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &b| (hash ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}
