//! When does a goal count as reached? Within a few median distances of one step,
//! r = radius * median_{episode, t} |z_{t+1} - z_t|_2, in the latents of the last refresh.
//!
//! The median measures what one action changes, whatever the scale of the latents, and does not depend on how well goals
//! are reached.

use super::latent_distance;
use crate::learn::replay::Replay;

/// Median latent distance of one stored step; `None` without a step.
#[must_use]
pub fn step_distance(replay: &Replay) -> Option<f32> {
    let steps = replay.episodes().flat_map(|e| (0..e.steps()).map(|t| latent_distance(e.latent(t), e.latent(t + 1))));
    median(steps.collect())
}

/// The median, of an even number the lower one of two; `None` of no number.
#[must_use]
pub fn median(mut numbers: Vec<f32>) -> Option<f32> {
    let middle = numbers.len().checked_sub(1)? / 2;
    Some(*numbers.select_nth_unstable_by(middle, f32::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::replay::tests::filled;

    #[test]
    fn the_median_of_steps_of_length_one_is_one() {
        assert_eq!(step_distance(&filled(100, &[5, 3])), Some(1.0)); // the coded latents advance by 1 a step
        assert_eq!(step_distance(&filled(100, &[])), None);
    }
}
