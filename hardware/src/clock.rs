//! Time as an argument: the system's monotonic clock, and a manual one for tests.

use std::ops::Add;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A monotonic instant: nanoseconds since its clock's origin. Do not compare stamps of different clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(u64);

impl Stamp {
    /// The instant `ns` nanoseconds after the origin.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the origin.
    #[must_use]
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to this stamp; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Adds a duration; saturates at the last instant, 584 years after the origin.
impl Add<Duration> for Stamp {
    type Output = Self;

    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(nanoseconds(later)))
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A source of time that never runs backwards.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Stamp;

    /// Returns at `deadline` or later; at once if `deadline` has passed.
    fn sleep_until(&self, deadline: Stamp);
}

/// The operating system's monotonic clock; its origin is the time of its creation.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose origin is now.
    #[must_use]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Stamp {
        Stamp(nanoseconds(self.origin.elapsed()))
    }

    fn sleep_until(&self, deadline: Stamp) {
        thread::sleep(deadline.since(self.now()));
    }
}

/// Virtual time: the clock moves only by [`advance`](Self::advance) and `sleep_until`, which does not wait.
#[derive(Debug, Default)]
pub struct ManualClock {
    ns: AtomicU64,
}

impl ManualClock {
    /// Advances the clock by `duration`.
    pub fn advance(&self, duration: Duration) {
        let later = |ns| Some((Stamp(ns) + duration).0);
        // The closure always returns `Some`, so the update cannot fail.
        let _ = self.ns.fetch_update(Ordering::SeqCst, Ordering::SeqCst, later);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Stamp {
        Stamp(self.ns.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, deadline: Stamp) {
        self.ns.fetch_max(deadline.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_saturate() {
        let (a, b) = (Stamp::from_ns(5), Stamp::from_ns(8));
        assert_eq!((b.since(a), a.since(b)), (Duration::from_nanos(3), Duration::ZERO));
        assert_eq!((a + Duration::from_nanos(3), b + Duration::MAX), (b, Stamp::from_ns(u64::MAX)));
    }

    #[test]
    fn virtual_time_moves_only_on_request_and_never_back() {
        let clock = ManualClock::default();
        clock.advance(Duration::from_millis(2));
        clock.sleep_until(Stamp::from_ns(3_000_000));
        clock.sleep_until(Stamp::from_ns(1));
        assert_eq!(clock.now().as_ns(), 3_000_000);
    }

    #[test]
    fn the_system_clock_sleeps_until_its_deadline() {
        let clock = SystemClock::new();
        let deadline = clock.now() + Duration::from_millis(5);
        clock.sleep_until(deadline);
        assert!(clock.now() >= deadline);
        clock.sleep_until(Stamp::from_ns(0)); // past: returns
    }
}
