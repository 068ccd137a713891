//! When a child that ended is started again: ever later while nothing comes of it, from an older checkpoint once the
//! newest has failed twice, and neither a sixth time in ten minutes nor an eleventh without a newer checkpoint.

use std::time::{Duration, Instant};

/// Starts ...
const MAX_STARTS: usize = 5;
/// ... within so long are a storm.
pub const STORM_WINDOW: Duration = Duration::from_secs(600);
/// One of so many ends without a new checkpoint makes the next start pass one over.
const FAILURES: u32 = 2;
/// Ends without a new checkpoint after which nothing will come of it.
const MAX_FAILURES: u32 = 10;
/// The longest wait before a start.
pub const MAX_WAIT: Duration = Duration::from_secs(60);

/// What to do now that a child has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RestartDecision {
    /// Start it after so long.
    RestartAfter(Duration),
    /// It was started so often, to no end.
    GiveUp(usize),
}

/// The starts so far.
#[derive(Debug, Default)]
pub struct Starts {
    began: Vec<Instant>,
    failures: u32,
}

impl Starts {
    /// The child that `began` has ended `now`; whether it `progressed`: left a newer checkpoint than there was.
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

    /// How many of the newest checkpoints the next start shall not use; they are set aside then.
    #[must_use]
    pub fn passes_over(&self) -> u32 {
        u32::from(self.failures > 0 && self.failures.is_multiple_of(FAILURES))
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
        let told: Vec<_> =
            (0..5).map(|i| (starts.passes_over(), starts.ended(after(t, i), after(t, i + 1), false, 1.0))).collect();
        let again = |s| RestartDecision::RestartAfter(Duration::from_secs(s));
        let expected = [(0, again(1)), (0, again(2)), (1, again(4)), (0, again(8)), (1, RestartDecision::GiveUp(5))];
        assert_eq!(told, expected);
    }

    #[test]
    fn crashes_that_are_rare_or_make_progress_go_on_for_ever() {
        let (mut starts, t) = (Starts::default(), Instant::now());
        for i in 0..1000 {
            let verdict = starts.ended(after(t, 150 * i), after(t, 150 * i + 140), true, 1.0);
            assert_eq!(
                (verdict, starts.passes_over()),
                (RestartDecision::RestartAfter(Duration::from_secs(1)), 0),
                "{i}"
            );
        }
        // Without progress, later and later, a minute at most, and ten times at most.
        let last: Vec<_> = (0..10)
            .map(|i| starts.ended(after(t, 10_000_000 + 600 * i), after(t, 10_000_100 + 600 * i), false, 1.0))
            .collect();
        assert_eq!(last[8..], [RestartDecision::RestartAfter(MAX_WAIT), RestartDecision::GiveUp(10)]);
    }
}
