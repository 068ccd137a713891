//! Adam (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1):  m <- b1 m + (1-b1) g,  v <- b2 v + (1-b2) g^2,
//! theta <- theta - lr * (m / (1-b1^t)) / (sqrt(v / (1-b2^t)) + eps),  with b1 = .9, b2 = .999, eps = 1e-8.
//!
//! In a checkpoint, moments have the names of their parameters with `.m` and `.v`.

use super::workers::Workers;

const B1: f64 = 0.9;
const B2: f64 = 0.999;
const EPSILON: f32 = 1e-8;

/// First and second moments of a flat slice of parameters.
///
/// ```
/// use skewfit::learn::nn::{Adam, Workers};
///
/// let (mut theta, mut adam) = ([1.0, -1.0], Adam::new(2));
/// adam.step(&Workers::new(1), 0.1, &mut theta, &[5.0, -0.2], None);
/// // The first step is the learning rate against the sign of the gradient.
/// assert!((theta[0] - 0.9).abs() < 1e-6 && (theta[1] + 0.9).abs() < 1e-6);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Adam {
    /// First moment.
    pub m: Vec<f32>,
    /// Second moment.
    pub v: Vec<f32>,
    /// Steps taken.
    pub step: u64,
}

/// Coefficients of one step: `step_size = lr / (1 - b1^t)`, `root_scale = 1 / sqrt(1 - b2^t)`.
#[derive(Clone, Copy)]
struct Coefficients {
    step_size: f32,
    root_scale: f32,
}

/// A target network and its Polyak rate: target <- (1 - tau) target + tau theta.
pub struct Polyak<'a> {
    /// The target's parameters.
    pub target: &'a mut [f32],
    /// tau.
    pub tau: f32,
}

struct ParamShare<'a> {
    values: &'a mut [f32],
    m: &'a mut [f32],
    v: &'a mut [f32],
    gradient: &'a [f32],
    target: Option<&'a mut [f32]>,
}

impl Adam {
    /// Zero moments for `len` parameters.
    #[must_use]
    pub fn new(len: usize) -> Self {
        Self { m: vec![0.0; len], v: vec![0.0; len], step: 0 }
    }

    /// One step on `values` and, with `follow`, on the target network, in one pass over memory.
    pub fn step(
        &mut self,
        workers: &Workers,
        learning_rate: f64,
        values: &mut [f32],
        gradient: &[f32],
        follow: Option<Polyak>,
    ) {
        self.step += 1;
        let t = self.step.min(1 << 30) as i32;
        let coefficients = Coefficients {
            step_size: (learning_rate / (1.0 - B1.powi(t))) as f32,
            root_scale: (1.0 / (1.0 - B2.powi(t)).sqrt()) as f32,
        };
        let size = values.len().div_ceil(workers.count()).next_multiple_of(64);
        let (tau, target) = follow.map_or((0.0, None), |p| (p.tau, Some(p.target)));
        let mut targets = target.map(|t| t.chunks_mut(size));
        let mut shares: Vec<ParamShare> = (values.chunks_mut(size))
            .zip(self.m.chunks_mut(size).zip(self.v.chunks_mut(size)))
            .zip(gradient.chunks(size))
            .map(|((values, (m, v)), gradient)| {
                let target = targets.as_mut().and_then(Iterator::next);
                ParamShare { values, m, v, gradient, target }
            })
            .collect();
        let arch = pulp::Arch::new();
        workers.each(&mut shares, |_, share| {
            arch.dispatch(
                #[inline(always)]
                || update_share(share, coefficients, tau),
            );
        });
    }
}

/// The learning rate `rate` after `halvings` halvings.
#[must_use]
pub fn halved(rate: f64, halvings: u32) -> f64 {
    rate * 0.5f64.powi(halvings as i32)
}

#[inline(always)]
fn update_share(share: &mut ParamShare, c: Coefficients, tau: f32) {
    let (b1, b2) = (B1 as f32, B2 as f32);
    let (c1, c2) = ((1.0 - B1) as f32, (1.0 - B2) as f32); // in f32, 1 - b2 would have a relative error of 1.3e-5
    let n = share.values.len();
    let (values, gradient) = (&mut share.values[..n], &share.gradient[..n]);
    let (m, v) = (&mut share.m[..n], &mut share.v[..n]);
    for i in 0..n {
        let g = gradient[i];
        m[i] = b1 * m[i] + c1 * g;
        v[i] = b2 * v[i] + c2 * g * g;
        values[i] -= c.step_size * m[i] / (v[i].sqrt() * c.root_scale + EPSILON);
    }
    if let Some(target) = &mut share.target {
        polyak_update(target, values, tau);
    }
}

/// target <- (1 - tau) target + tau source, written as target + tau (source - target).
#[inline(always)]
pub fn polyak_update(target: &mut [f32], source: &[f32], tau: f32) {
    for (t, s) in target.iter_mut().zip(source) {
        *t += tau * (s - *t);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oracle_28_three_steps_on_a_quadratic_match_the_hand_computed_trace() {
        // f = theta^2 / 2 from theta = 1, lr = .1: g = theta. Computed in decimal arithmetic, to 40 digits.
        let trace = [0.900_000_001_0, 0.800_412_229_7, 0.701_586_274_5];
        let (mut values, mut adam, workers) = (vec![1.0f32], Adam::new(1), Workers::new(1));
        for want in trace {
            let gradient = values.clone();
            adam.step(&workers, 0.1, &mut values, &gradient, None);
            assert!((f64::from(values[0]) - want).abs() < 1e-6, "{} {want}", values[0]);
        }
    }

    #[test]
    fn oracle_23_a_frozen_source_is_approached_at_one_minus_tau_to_the_n() {
        let (mut target, source) = (vec![1.0f32; 3], vec![0.0f32; 3]);
        for _ in 0..1000 {
            polyak_update(&mut target, &source, 1e-3);
        }
        assert!((target[0] - 0.367_695).abs() < 1e-5, "{}", target[0]);
    }

    #[test]
    fn the_thread_count_does_not_change_adam() {
        let run = |threads| {
            let (mut values, mut target) = (vec![0.5f32; 1000], vec![0.0f32; 1000]);
            let gradient: Vec<f32> = (0..1000).map(|i| (i as f32 - 500.0) * 1e-3).collect();
            let (mut adam, workers) = (Adam::new(1000), Workers::new(threads));
            for _ in 0..5 {
                let follow = Polyak { target: &mut target, tau: 0.1 };
                adam.step(&workers, 1e-2, &mut values, &gradient, Some(follow));
            }
            (values, target)
        };
        assert_eq!(run(1), run(3));
    }
}
