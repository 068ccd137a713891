//! Code that all scenes share: clips actions, writes states to snapshots and reads them back.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Action, EnvFault, EnvSnapshot};

impl Action {
    /// The executed action: each of its `want` entries clipped to [-1, 1].
    ///
    /// # Errors
    /// `BadAction` for another length or an entry that is not finite.
    pub fn clipped(&self, want: usize) -> Result<Self, EnvFault> {
        if self.0.len() != want || !self.0.iter().all(|a| a.is_finite()) {
            return Err(EnvFault::BadAction { got: self.0.clone(), want });
        }
        Ok(Self(self.0.iter().map(|a| a.clamp(-1.0, 1.0)).collect()))
    }
}

impl EnvSnapshot {
    /// Writes a scene's name, then its state.
    ///
    /// # Errors
    /// `BadSnapshot` if `state` cannot be serialised.
    pub fn freeze<T: Serialize>(scene: &'static str, state: &T) -> Result<Self, EnvFault> {
        let bytes = postcard::to_allocvec(&(scene, state));
        bytes.map(Self).map_err(|e| EnvFault::BadSnapshot { scene: scene.into(), why: e.to_string() })
    }

    /// Reads back what [`EnvSnapshot::freeze`] wrote for the same scene.
    ///
    /// # Errors
    /// `BadSnapshot` for another scene's bytes, and for too few or too many bytes.
    pub fn thaw<T: DeserializeOwned>(&self, scene: &'static str) -> Result<T, EnvFault> {
        let bad = |why: String| EnvFault::BadSnapshot { scene: scene.into(), why };
        let (name, rest) = postcard::take_from_bytes::<&str>(&self.0).map_err(|e| bad(e.to_string()))?;
        if name != scene {
            return Err(bad(format!("it was taken in `{name}`")));
        }
        match postcard::take_from_bytes(rest).map_err(|e| bad(e.to_string()))? {
            (state, []) => Ok(state),
            (_, more) => Err(bad(format!("{} bytes too many", more.len()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_clipped_or_refused() {
        let clipped = |a: &[f32]| Action(a.to_vec()).clipped(2);
        assert_eq!(clipped(&[-3.0, 0.5]).unwrap().0, [-1.0, 0.5]);
        for bad in [&[f32::NAN, 0.0][..], &[0.0, f32::INFINITY], &[0.0], &[0.0; 3]] {
            assert!(matches!(clipped(bad), Err(EnvFault::BadAction { want: 2, .. })), "{bad:?}");
        }
    }

    #[test]
    fn only_a_whole_snapshot_of_the_same_scene_thaws() {
        let EnvSnapshot(bytes) = EnvSnapshot::freeze("a", &(7_u32, 0.5_f64)).unwrap();
        let thaw = |bytes: &[u8], scene| EnvSnapshot(bytes.to_vec()).thaw::<(u32, f64)>(scene);
        assert_eq!(thaw(&bytes, "a").unwrap(), (7, 0.5));
        assert!(thaw(&bytes, "b").unwrap_err().to_string().contains("it was taken in `a`"));
        for n in 0..bytes.len() {
            assert!(thaw(&bytes[..n], "a").is_err(), "{n} bytes");
        }
        assert!(thaw(&[&bytes[..], &[0]].concat(), "a").unwrap_err().to_string().contains("1 bytes too many"));
    }
}
