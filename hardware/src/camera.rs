//! The interface of a camera: it returns its newest frame, or an error if that is too old.

use std::time::Duration;

use crate::Stamp;

/// One picture of a camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Pixels per row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// RGB, rows from the top, `width * height * 3` bytes.
    pub pixels: Vec<u8>,
    /// Number of the frame, counted by the camera; a frozen camera repeats it.
    pub sequence: u64,
    /// Time at which it was taken.
    pub taken: Stamp,
}

/// What can go wrong with a camera.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CameraFault {
    /// The newest frame is older than asked for.
    #[error("the newest frame is {age:?} old, allowed are {limit:?}; the camera may be frozen or unplugged")]
    Stale {
        /// Age of the newest frame.
        age: Duration,
        /// Largest age allowed.
        limit: Duration,
    },
    /// No frame has arrived yet.
    #[error("camera `{device}` has sent no frame; check that it is plugged in and not in use")]
    NoFrame {
        /// Path or name of the camera.
        device: String,
    },
}

impl Frame {
    /// The frame, if it is at most `max_age` old at `now`.
    ///
    /// # Errors
    /// `Stale`.
    pub fn fresh(self, now: Stamp, max_age: Duration) -> Result<Self, CameraFault> {
        let age = now.since(self.taken);
        if age <= max_age { Ok(self) } else { Err(CameraFault::Stale { age, limit: max_age }) }
    }
}

/// A camera that is always on.
pub trait Camera: Send {
    /// The newest frame; waits no longer than the driver's deadline.
    ///
    /// # Errors
    /// `Stale` if it is older than `max_age`, or what the device reports.
    fn latest(&mut self, max_age: Duration) -> Result<Frame, CameraFault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_frame_is_a_fault_with_its_age() {
        let frame = Frame { width: 0, height: 0, pixels: Vec::new(), sequence: 3, taken: Stamp::from_ns(10) };
        let limit = Duration::from_nanos(5);
        assert_eq!(frame.clone().fresh(Stamp::from_ns(15), limit), Ok(frame.clone()));
        let age = Duration::from_nanos(6);
        assert_eq!(frame.fresh(Stamp::from_ns(16), limit), Err(CameraFault::Stale { age, limit }));
    }
}
