//! Rewards: pure functions of a step and a goal. The only one so far is r = -scale |z' - z_g|_2, on posterior means.
//!
//! The distance is not squared, as in the official code. The environment has no reward; relabelling computes it for every row.

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
