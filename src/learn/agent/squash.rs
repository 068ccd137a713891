//! A tanh-squashed Gaussian: a = tanh(u), u = mu + sigma * eps; the noise eps ~ N(0, I) is an argument.
//!
//! log pi(a) = sum_k [ log N(u_k; mu_k, sigma_k) - 2 (log 2 - u_k - softplus(-2 u_k)) ]   (arXiv 1812.05905, appendix C)

/// log sigma is clamped to this range; outside, its gradient is zero.
pub const LOG_STD_RANGE: (f32, f32) = (-20.0, 2.0);
const HALF_LOG_2PI: f32 = 0.918_938_5;

/// One entry of an action, its sigma and its term of log pi.
#[derive(Clone, Copy, Debug)]
pub struct Squashed {
    /// a = tanh(u).
    pub action: f32,
    /// sigma.
    pub std: f32,
    /// This entry's term of log pi.
    pub log_pi: f32,
}

/// Samples one entry of an action from its mean, raw log sigma and noise; finite for every finite input.
///
/// ```
/// use skewfit::learn::agent::squash::squash;
///
/// let draw = squash(0.5, 0.0, 0.0); // sigma = 1, no noise: the mean action
/// assert_eq!((draw.action, draw.std), (0.5f32.tanh(), 1.0));
/// assert!(squash(50.0, 0.0, 0.0).log_pi.is_finite());
/// ```
#[must_use]
pub fn squash(mean: f32, raw_log_std: f32, eps: f32) -> Squashed {
    let log_std = raw_log_std.clamp(LOG_STD_RANGE.0, LOG_STD_RANGE.1);
    let std = log_std.exp();
    let u = mean + std * eps;
    let correction = 2.0 * (std::f32::consts::LN_2 - u - softplus(-2.0 * u));
    Squashed { action: u.tanh(), std, log_pi: -0.5 * eps * eps - log_std - HALF_LOG_2PI - correction }
}

/// log(1 + e^x) without overflow.
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Writes actions (R, A) sampled from the policy's output (R, 2A) = (means, raw log sigmas), and each row's log pi.
pub fn sample(head: &[f32], noise: &[f32], dim: usize, action: &mut [f32], log_pi: &mut [f32]) {
    for (((head, noise), action), log_pi) in
        head.chunks_exact(2 * dim).zip(noise.chunks_exact(dim)).zip(action.chunks_exact_mut(dim)).zip(log_pi)
    {
        *log_pi = 0.0;
        for k in 0..dim {
            let draw = squash(head[k], head[dim + k], noise[k]);
            action[k] = draw.action;
            *log_pi += draw.log_pi;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracle_21_the_density_integrates_to_one_over_actions() {
        let (mean, raw) = (0.3f32, -0.7f32);
        let n = 200_000;
        let total: f64 = (0..n)
            .map(|i| {
                let a = -1.0 + 2.0 * (f64::from(i) + 0.5) / f64::from(n);
                let eps = ((a.atanh() - f64::from(mean)) / f64::from(raw).exp()) as f32;
                f64::from(squash(mean, raw, eps).log_pi).exp() * 2.0 / f64::from(n)
            })
            .sum();
        assert!((total - 1.0).abs() < 1e-4, "{total}");
    }

    #[test]
    fn oracle_21_the_softplus_form_is_exact_and_finite() {
        for i in -49..50 {
            let u = f64::from(i) * 0.1;
            let form = f64::from(2.0 * (std::f32::consts::LN_2 - u as f32 - softplus(-2.0 * u as f32)));
            assert!((form - (1.0 - u.tanh().powi(2)).ln()).abs() < 2e-6 * (1.0 + form.abs()), "{u} {form}");
        }
        for mean in [-50.0, 50.0] {
            let draw = squash(mean, 0.0, 0.0);
            assert!(draw.log_pi.is_finite() && draw.action.abs() == 1.0);
        }
    }
}
