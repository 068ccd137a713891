//! Rewards: pure functions of a step and a goal, on posterior means.
//!
//! `latent-distance`: r = -scale |z' - z_g|_2, not squared, as in the official code. `steps`: r = -scale until the goal is
//! reached, 0 there, so that -Q / scale counts discounted steps (Andrychowicz et al. 2017, arXiv 1707.01495, section 3).
//! The environment has no reward; relabelling computes it for every row.

/// |z - goal|_2 of two latents (Z); exactly 0 if they are equal. Summed from the first entry to the last in f32.
#[must_use]
pub fn latent_distance(z: &[f32], goal: &[f32]) -> f32 {
    z.iter().zip(goal).map(|(z, g)| (z - g) * (z - g)).sum::<f32>().sqrt()
}

/// The inputs of a reward: one step of an episode and its goal.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// z (Z), before the action.
    pub z: &'a [f32],
    /// z' (Z), after the action.
    pub z_next: &'a [f32],
    /// z_g (Z).
    pub goal: &'a [f32],
    /// (A), as executed.
    pub action: &'a [f32],
}

/// A reward function.
pub trait Reward: Send + Sync {
    /// The reward of one step towards a goal.
    fn of(&self, step: &Step<'_>) -> f32;
}

/// -scale |z' - z_g|_2: never positive, 0 at the goal.
///
/// ```
/// use skewfit::learn::goals::{LatentDistance, Reward, Step};
///
/// let step = Step { z: &[0.0, 0.0], z_next: &[3.0, 0.0], goal: &[0.0, 4.0], action: &[1.0] };
/// assert_eq!(LatentDistance { scale: 0.5 }.of(&step), -2.5);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LatentDistance {
    /// Multiplies the distance.
    pub scale: f32,
}

impl Reward for LatentDistance {
    fn of(&self, step: &Step<'_>) -> f32 {
        -self.scale * latent_distance(step.z_next, step.goal)
    }
}

/// -scale outside of the goal's radius, 0 within: a step costs the same everywhere, so latents need not tell how far a
/// goal is.
///
/// ```
/// use skewfit::learn::goals::{Reward, Step, StepsToGoal};
///
/// let reward = StepsToGoal { scale: 1.0, radius: 0.5 };
/// let after = |z_next: &[f32]| reward.of(&Step { z: &[9.0], z_next, goal: &[2.0], action: &[1.0] });
/// assert_eq!([after(&[2.4]), after(&[2.5]), after(&[-7.0])], [0.0, -1.0, -1.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StepsToGoal {
    /// Cost of a step.
    pub scale: f32,
    /// Latent distance below which the goal is reached; at 0 it never is.
    pub radius: f32,
}

impl Reward for StepsToGoal {
    fn of(&self, step: &Step<'_>) -> f32 {
        if latent_distance(step.z_next, step.goal) < self.radius { 0.0 } else { -self.scale }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracle_14_minus_the_euclidean_distance() {
        let (z, goal) = ([1.0, -2.0, 0.5, 3.0], [1.0, 1.0, 4.5, 3.0]);
        assert_eq!(latent_distance(&z, &goal), 5.0);
        assert_eq!(latent_distance(&goal, &z), 5.0);
        let reward = |z_next: &[f32], goal: &[f32], scale| {
            LatentDistance { scale }.of(&Step { z: &[9.0; 4], z_next, goal, action: &[1.0] })
        };
        assert_eq!(reward(&z, &goal, 0.1), -0.5);
        assert_eq!(reward(&[0.1, f32::MIN_POSITIVE], &[0.1, f32::MIN_POSITIVE], 3.0), 0.0);
    }
}
