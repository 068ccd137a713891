//! Heartbeats. The working thread sends one when it has done an update, an episode, an attempt, a checkpoint or a picture,
//! and while it waits in a pause. No timer sends them, so a hung thread sends none.
//!
//! The watchdog (systemd's `WatchdogSec`, or `--supervised`) receives `WATCHDOG=1` on `NOTIFY_SOCKET`, once a second at
//! most.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use crate::keep::faults::Chaos;

/// Shortest time between two messages.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// Sends the heartbeats of a run.
#[derive(Debug)]
pub struct Pulse {
    chaos: Chaos,
    last_sent: Option<Instant>,
    position: u64,
    watched: bool,
}

impl Pulse {
    /// With the faults of `chaos`; sends nothing if `NOTIFY_SOCKET` is not set.
    #[must_use]
    pub fn new(chaos: Chaos) -> Self {
        Self { chaos, last_sent: None, position: 0, watched: std::env::var_os("NOTIFY_SOCKET").is_some() }
    }

    /// Sends a heartbeat: some work was done.
    pub fn beat(&mut self) {
        self.chaos.beat();
        if self.watched && self.last_sent.is_none_or(|last_sent| last_sent.elapsed() >= MIN_INTERVAL) {
            self.last_sent = Some(Instant::now());
            notify(&[NotifyState::Watchdog]);
        }
    }

    /// Sends a heartbeat if `position` differs from that of the last call.
    pub fn at(&mut self, position: u64) {
        if position != self.position {
            self.position = position;
            self.beat();
        }
    }

    /// Reports that the run has started.
    pub fn ready(&self) {
        if self.watched {
            notify(&[NotifyState::Ready]);
        }
    }
}

/// Sends a message; a missing receiver is no error.
fn notify(state: &[NotifyState]) {
    if let Err(e) = sd_notify::notify(state) {
        tracing::debug!("nothing received the message on NOTIFY_SOCKET: {e}");
    }
}
