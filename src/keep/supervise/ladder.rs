//! The response to non-finite values, in four rungs: skip the update or episode -> roll back to the last checkpoint and
//! halve the learning rate -> roll back to the checkpoint before -> stop. It depends on counters only, so a repeated
//! run takes the same decisions.

use serde::{Deserialize, Serialize};

/// This many non-finite results ...
const MAX_NON_FINITE: usize = 5;
/// ... within this many updates, of SAC and VAE together, lead to a rollback.
const WINDOW: u64 = 1000;
/// Rollbacks to one checkpoint before it is not used any more.
const MAX_RETURNS: u32 = 3;

/// State of the response; stored in checkpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// Recent non-finite results, each by the number of updates before it.
    recent: Vec<u64>,
    /// The checkpoint of the last rollback, and the number of rollbacks to it.
    returned: Option<(u64, u32)>,
    /// Checkpoints that are not used any more.
    given_up: Vec<u64>,
}

/// What to do about a non-finite result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NonFiniteAction {
    /// Skip the update or episode.
    Skip,
    /// Roll back: see [`Ladder::roll_back_target`].
    RollBack,
}

impl Ladder {
    /// Records a non-finite result after `updates` updates; what to do.
    pub fn non_finite(&mut self, updates: u64) -> NonFiniteAction {
        self.recent.retain(|at| updates.saturating_sub(*at) < WINDOW);
        self.recent.push(updates);
        if self.recent.len() < MAX_NON_FINITE { NonFiniteAction::Skip } else { NonFiniteAction::RollBack }
    }

    /// Excludes a damaged checkpoint from rollbacks.
    pub fn give_up(&mut self, update: u64) {
        if !self.given_up.contains(&update) {
            self.given_up.push(update);
        }
    }

    /// The checkpoint to roll back to, out of `checkpoints` (newest first); `None` if all are excluded.
    pub fn roll_back_target(&mut self, checkpoints: &[u64]) -> Option<u64> {
        self.recent.clear();
        if let Some((last, times)) = self.returned
            && times >= MAX_RETURNS
        {
            self.give_up(last);
        }
        let target = *checkpoints.iter().find(|update| !self.given_up.contains(update))?;
        let times = self.returned.filter(|(last, _)| *last == target).map_or(0, |(_, times)| times);
        self.returned = Some((target, times + 1));
        Some(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rung_1_rare_non_finite_values_are_skipped() {
        let mut ladder = Ladder::default();
        let rungs: Vec<_> = (0..100).map(|i| ladder.non_finite(250 * i)).collect();
        assert_eq!(rungs, [NonFiniteAction::Skip; 100], "four in any thousand");
        assert_eq!((0..5).map(|i| Ladder::default().non_finite(i)).collect::<Vec<_>>(), [NonFiniteAction::Skip; 5]);
    }

    #[test]
    fn rung_2_five_in_a_thousand_go_back() {
        let mut ladder = Ladder::default();
        let rungs = [0, 100, 200, 998, 999].map(|at| ladder.non_finite(at));
        assert_eq!(
            rungs,
            [
                NonFiniteAction::Skip,
                NonFiniteAction::Skip,
                NonFiniteAction::Skip,
                NonFiniteAction::Skip,
                NonFiniteAction::RollBack
            ]
        );
        assert_eq!(ladder.roll_back_target(&[50, 20]), Some(50));
        assert_eq!(ladder.non_finite(1000), NonFiniteAction::Skip, "the count starts again");
        // Repeatedly after the same update, as with an episode that is tried again.
        assert_eq!(
            [7; 5].map(|at| Ladder { recent: vec![7; 4], ..Ladder::default() }.non_finite(at)),
            [NonFiniteAction::RollBack; 5]
        );
    }

    #[test]
    fn rung_3_a_checkpoint_that_leads_back_to_trouble_is_given_up_for_the_one_before() {
        let mut ladder = Ladder::default();
        let back: Vec<_> = (0..4).map(|_| ladder.roll_back_target(&[50, 20])).collect();
        assert_eq!(back, [Some(50), Some(50), Some(50), Some(20)]);
        assert_eq!(ladder.roll_back_target(&[70, 50, 20]), Some(70), "a newer checkpoint is tried first");
    }

    #[test]
    fn rung_4_without_a_checkpoint_left_it_stops() {
        let mut ladder = Ladder::default();
        let back: Vec<_> = (0..7).map(|_| ladder.roll_back_target(&[50, 20])).collect();
        assert_eq!(back[5..], [Some(20), None]);
        assert_eq!(Ladder::default().roll_back_target(&[]), None);
    }
}
