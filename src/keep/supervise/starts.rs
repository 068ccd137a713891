//! Decides whether and when a child that ended is restarted: after a growing wait while it saves no new checkpoint,
//! from an older checkpoint after every second failure, and no more after the fifth start in ten minutes or the tenth
//! in a row without a new checkpoint.

use std::time::{Duration, Instant};

/// This many starts ...
const MAX_STARTS: usize = 5;
/// ... within this time are too many.
pub const STORM_WINDOW: Duration = Duration::from_secs(600);
/// Every second end without a new checkpoint, the next start uses an older checkpoint.
const FAILURES_PER_OLDER_CHECKPOINT: u32 = 2;
/// Ends without a new checkpoint, in a row, after which it is not restarted.
const MAX_FAILURES: u32 = 10;
/// The longest wait before a start.
pub const MAX_WAIT: Duration = Duration::from_secs(60);

/// What to do after a child has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RestartDecision {
    /// Restart it after this time.
    RestartAfter(Duration),
    /// Do not restart it, after this many starts.
    GiveUp(usize),
}

/// The starts so far.
#[derive(Debug, Default)]
pub struct Starts {
    began: Vec<Instant>,
    failures: u32,
}

impl Starts {
    /// Decides about a child that ran from `began` to `now`. `progressed`: it saved a new checkpoint. `back_off_s`: the
    /// first wait, doubled with each failure.
    pub fn ended(&mut self, began: Instant, now: Instant, progressed: bool, back_off_s: f64) -> RestartDecision {
        self.began.push(began);
        self.began.retain(|began| now.saturating_duration_since(*began) < STORM_WINDOW);
        self.failures = if progressed { 0 } else { self.failures + 1 };
        if self.began.len() >= MAX_STARTS || self.failures >= MAX_FAILURES {
            return RestartDecision::GiveUp(self.began.len().max(self.failures as usize));
        }
        let doubled = back_off_s * 2f64.powi(self.failures.saturating_sub(1).min(16) as i32);
        RestartDecision::RestartAfter(Duration::from_secs_f64(doubled).min(MAX_WAIT))
    }

    /// How many of the newest checkpoints the next start must not use; it sets them aside.
    #[must_use]
    pub fn passes_over(&self) -> u32 {
        u32::from(self.failures > 0 && self.failures.is_multiple_of(FAILURES_PER_OLDER_CHECKPOINT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn a_storm_ends_after_five_starts_and_passes_over_checkpoints_meanwhile() {
        let (mut starts, t) = (Starts::default(), Instant::now());
        let decisions: Vec<_> =
            (0..5).map(|i| (starts.passes_over(), starts.ended(after(t, i), after(t, i + 1), false, 1.0))).collect();
        let again = |s| RestartDecision::RestartAfter(Duration::from_secs(s));
        let expected = [(0, again(1)), (0, again(2)), (1, again(4)), (0, again(8)), (1, RestartDecision::GiveUp(5))];
        assert_eq!(decisions, expected);
    }

    #[test]
    fn rare_crashes_with_progress_are_always_restarted() {
        let (mut starts, t) = (Starts::default(), Instant::now());
        for i in 0..1000 {
            let verdict = starts.ended(after(t, 150 * i), after(t, 150 * i + 140), true, 1.0);
            assert_eq!(
                (verdict, starts.passes_over()),
                (RestartDecision::RestartAfter(Duration::from_secs(1)), 0),
                "{i}"
            );
        }
        // Without progress: growing waits of a minute at most, and ten starts at most.
        let last: Vec<_> = (0..10)
            .map(|i| starts.ended(after(t, 10_000_000 + 600 * i), after(t, 10_000_100 + 600 * i), false, 1.0))
            .collect();
        assert_eq!(last[8..], [RestartDecision::RestartAfter(MAX_WAIT), RestartDecision::GiveUp(10)]);
    }
}
