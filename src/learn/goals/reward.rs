//! The reward, a pure function of where one is and where one wanted to be: r = -scale |z' - z_g|_2, on posterior means.
//!
//! Not squared: the official choice. The environment has no reward; relabelling recomputes this one.

/// |z - goal|_2 of two latents (Z); exactly 0 when equal. Summed from the first entry to the last in f32.
#[must_use]
pub fn latent_distance(z: &[f32], goal: &[f32]) -> f32 {
    z.iter().zip(goal).map(|(z, g)| (z - g) * (z - g)).sum::<f32>().sqrt()
}

/// Reward of arriving at `z_next` (Z) with `goal` (Z) in mind: never positive, 0 on arrival.
#[must_use]
pub fn reward(z_next: &[f32], goal: &[f32], scale: f32) -> f32 {
    -scale * latent_distance(z_next, goal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracle_14_minus_the_euclidean_distance() {
        let (z, goal) = ([1.0, -2.0, 0.5, 3.0], [1.0, 1.0, 4.5, 3.0]);
        assert_eq!(latent_distance(&z, &goal), 5.0);
        assert_eq!(latent_distance(&goal, &z), 5.0);
        assert_eq!(reward(&z, &goal, 0.1), -0.5);
        assert_eq!(reward(&[0.1, f32::MIN_POSITIVE], &[0.1, f32::MIN_POSITIVE], 3.0), 0.0);
    }
}
