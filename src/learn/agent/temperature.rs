//! The temperature T = exp(log T), adjusted so that the policy's entropy approaches a target H.
//!
//! L(log T) = -log T * mean(log pi + H)   (the common form of Haarnoja et al. 2018b, arXiv 1812.05905, section 5).

use crate::learn::nn::{Adam, Workers};

/// dL / d log T = -(mean log pi + H).
///
/// ```
/// use skewfit::learn::agent::temperature::{gradient, update};
/// use skewfit::learn::nn::Adam;
///
/// let (mut log_alpha, mut adam) = ([0.0], Adam::new(1));
/// let entropy = 1.0; // nats, below the target of 2: the temperature rises
/// update(&mut log_alpha, &mut adam, 1e-3, gradient(-entropy, 2.0));
/// assert!(log_alpha[0] > 0.0);
/// ```
#[must_use]
pub fn gradient(mean_log_pi: f64, target_entropy: f64) -> f64 {
    -(mean_log_pi + target_entropy)
}

/// One Adam step on log T.
pub fn update(log_temperature: &mut [f32], adam: &mut Adam, learning_rate: f64, gradient: f64) {
    adam.step(&Workers::new(1), learning_rate, log_temperature, &[gradient as f32], None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_step(mean_log_pi: f64) -> f32 {
        let (mut log_alpha, mut adam) = ([0.0f32], Adam::new(1));
        update(&mut log_alpha, &mut adam, 1e-3, gradient(mean_log_pi, -3.0));
        log_alpha[0]
    }

    #[test]
    fn oracle_22_the_first_step_is_the_learning_rate_towards_the_target_entropy() {
        // Entropy below target: -log pi < H = -3, i.e. log pi > 3: temperature rises.
        assert!((first_step(5.0) - 1e-3).abs() < 1e-6);
        assert!((first_step(1.0) + 1e-3).abs() < 1e-6);
        assert_eq!(first_step(3.0), 0.0); // fixed point: E[log pi] = -H
    }
}
