//! The socket on which a supervisor receives the heartbeats of its child.

use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, Fs};

/// A socket in a new folder in the system's temporary folder; both are removed when this value is dropped.
pub(super) struct NotifySocket {
    socket: UnixDatagram,
    /// Path of the socket, for the child's `NOTIFY_SOCKET`.
    pub(super) path: PathBuf,
}

impl NotifySocket {
    /// Creates folder and socket.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn bind() -> Result<Self> {
        let mut name = [0; 8];
        let drawn = getrandom::fill(&mut name);
        let dir = std::env::temp_dir().join(format!("skewfit-{:016x}", u64::from_le_bytes(name)));
        let make = || {
            drawn?;
            std::fs::DirBuilder::new().mode(0o700).create(&dir)?;
            let socket = UnixDatagram::bind(dir.join("notify"))?;
            socket.set_read_timeout(Some(Duration::from_millis(100)))?;
            Ok(socket)
        };
        let socket = make().map_err(|source| {
            let what = "the supervisor cannot listen for signs of life".into();
            Error::Io { what, source }
        })?;
        Ok(Self { socket, path: dir.join("notify") })
    }

    /// Waits a tenth of a second at most for a heartbeat; whether one came. It is passed on to this process's own
    /// watchdog.
    pub(super) fn received(&self) -> bool {
        let mut message = [0; 1024];
        let Ok(length) = self.socket.recv(&mut message) else { return false }; // timed out
        let text = String::from_utf8_lossy(message.get(..length).unwrap_or_default());
        let states: Vec<_> = text.lines().map(sd_notify::NotifyState::Custom).collect();
        let _ = sd_notify::notify(&states); // there may be no watchdog
        true
    }
}

impl Drop for NotifySocket {
    fn drop(&mut self) {
        if let Some(dir) = self.path.parent() {
            let _ = DiskFs.remove(dir); // the system clears its temporary folder anyway
        }
    }
}
