//! The socket on which a supervisor receives the heartbeats of its child.

use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::keep::store::fs::{DiskFs, Fs};

/// Longest time that [`NotifySocket::received`] waits.
pub(super) const POLL: Duration = Duration::from_millis(100);

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
        let first = Self::bind_in(&std::env::temp_dir());
        // That folder may be gone, read-only, or too deep for the 107 bytes that a socket's path may have.
        let other = |dir| first.is_err().then(|| Self::bind_in(Path::new(dir)).ok()).flatten();
        if let Some(socket) = ["/tmp", "/dev/shm", "/run"].into_iter().find_map(other) {
            return Ok(socket);
        }
        first.map_err(|source| {
            let dir = std::env::temp_dir();
            let what = format!(
                "the supervisor cannot create a socket in {}: set TMPDIR to a folder that can hold one",
                dir.display()
            );
            Error::Io { what, source }
        })
    }

    fn bind_in(folder: &Path) -> io::Result<Self> {
        let mut name = [0; 8];
        getrandom::fill(&mut name)?;
        let dir = folder.join(format!("skewfit-{:016x}", u64::from_le_bytes(name)));
        std::fs::DirBuilder::new().mode(0o700).create(&dir)?;
        let bound = UnixDatagram::bind(dir.join("notify"))
            .and_then(|socket| socket.set_read_timeout(Some(POLL)).map(|()| socket));
        if bound.is_err() {
            let _ = DiskFs.remove(&dir); // nothing is in it
        }
        Ok(Self { socket: bound?, path: dir.join("notify") })
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
