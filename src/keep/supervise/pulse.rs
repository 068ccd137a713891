//! Signs of life, earned by work: a beat is given where an update, an episode, an attempt is done, never by a timer.
//!
//! Whoever watches (systemd's `WatchdogSec`, `--supervised`) hears `WATCHDOG=1` on `NOTIFY_SOCKET`, once a second at most.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;

use crate::keep::faults::Chaos;

/// Least time between two messages.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// A work's pulse.
#[derive(Debug)]
pub struct Pulse {
    chaos: Chaos,
    last_sent: Option<Instant>,
    position: u64,
    watched: bool,
}

impl Pulse {
    /// Of a process that suffers `chaos`; silent where nobody watches.
    #[must_use]
    pub fn new(chaos: Chaos) -> Self {
        Self { chaos, last_sent: None, position: 0, watched: std::env::var_os("NOTIFY_SOCKET").is_some() }
    }

    /// Something was done.
    pub fn beat(&mut self) {
        self.chaos.beat();
        if self.watched && self.last_sent.is_none_or(|last_sent| last_sent.elapsed() >= MIN_INTERVAL) {
            self.last_sent = Some(Instant::now());
            notify(&[NotifyState::Watchdog]);
        }
    }

    /// A beat, if the work got beyond where it was at the last call.
    pub fn at(&mut self, position: u64) {
        if position != self.position {
            self.position = position;
            self.beat();
        }
    }

    /// The work begins.
    pub fn ready(&self) {
        if self.watched {
            notify(&[NotifyState::Ready]);
        }
    }
}

/// A watcher that went away is no reason to stop.
fn notify(state: &[NotifyState]) {
    if let Err(e) = sd_notify::notify(state) {
        tracing::debug!("nobody hears at NOTIFY_SOCKET: {e}");
    }
}
