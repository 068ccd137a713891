//! Layer normalisation and a ReLU on a block of rows (Ba, Kiros & Hinton 2016, arXiv 1607.06450, equation 4):
//!
//! n = (x - mean x) / sqrt(var x + 1e-5),   y = max(g n + s, 0),   mean and var over the C entries of a row,
//!
//! with gain g and shift s (C). With d = dL/dy where y > 0, else 0, and e = g d, the gradients are
//!
//! dL/dg = sum_rows d n,   dL/ds = sum_rows d,   dL/dx = (e - mean e - n mean(e n)) / sqrt(var x + 1e-5).

/// Added to the variance, as in PyTorch.
pub const EPSILON: f32 = 1e-5;

/// Overwrites `x` (R, C) with y; stores n in `normal` (R, C) and 1 / sqrt(var x + 1e-5) in `scale` (R).
///
/// A NaN, or a variance beyond f32, makes its whole row NaN, so that the check of the gradient finds it.
///
/// ```
/// use skewfit::learn::nn::layer_norm::forward;
///
/// let (mut y, mut normal, mut scale) = ([1.0, 3.0], [0.0; 2], [0.0]);
/// forward(&[1.0, 1.0], &[0.0, 0.0], &mut y, &mut normal, &mut scale);
/// assert!((normal[0] + 1.0).abs() < 1e-4 && (normal[1] - 1.0).abs() < 1e-4);
/// assert_eq!(y, [0.0, normal[1]]); // a ReLU follows
/// ```
pub fn forward(gain: &[f32], shift: &[f32], x: &mut [f32], normal: &mut [f32], scale: &mut [f32]) {
    let columns = gain.len();
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let kept = normal.chunks_exact_mut(columns).zip(scale);
            for (x, (normal, scale)) in x.chunks_exact_mut(columns).zip(kept) {
                let centre = mean(x);
                normal.iter_mut().zip(&*x).for_each(|(n, x)| *n = x - centre);
                let variance = mean_product(normal, normal);
                *scale = if variance.is_finite() { 1.0 / (variance + EPSILON).sqrt() } else { f32::NAN };
                for (((y, n), g), s) in x.iter_mut().zip(normal).zip(gain).zip(shift) {
                    *n *= *scale;
                    let sum = g * *n + s;
                    *y = if sum < 0.0 { 0.0 } else { sum };
                }
            }
        },
    );
}

/// `d_gain` += sum over rows of d n, `d_shift` += sum over rows of d; `d` (R, C) is masked by the ReLU, `normal` is (R, C).
pub fn backward_weights(normal: &[f32], d: &[f32], d_gain: &mut [f32], d_shift: &mut [f32]) {
    let columns = d_gain.len();
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for (normal, d) in normal.chunks_exact(columns).zip(d.chunks_exact(columns)) {
                for (((gain, shift), n), d) in d_gain.iter_mut().zip(&mut *d_shift).zip(normal).zip(d) {
                    *gain += d * n;
                    *shift += d;
                }
            }
        },
    );
}

/// Overwrites `d` (R, C), which is masked by the ReLU, with dL/dx.
pub fn backward_input(gain: &[f32], normal: &[f32], scale: &[f32], d: &mut [f32]) {
    let columns = gain.len();
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let kept = normal.chunks_exact(columns).zip(scale);
            for (d, (normal, scale)) in d.chunks_exact_mut(columns).zip(kept) {
                d.iter_mut().zip(gain).for_each(|(d, g)| *d *= g);
                let (level, slope) = (mean(d), mean_product(d, normal));
                d.iter_mut().zip(normal).for_each(|(d, n)| *d = (*d - level - n * slope) * scale);
            }
        },
    );
}

/// Mean of `a`, in sixteen interleaved partial sums.
#[inline(always)]
fn mean(a: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    for chunk in a.chunks(16) {
        lanes.iter_mut().zip(chunk).for_each(|(lane, a)| *lane += a);
    }
    lanes.iter().sum::<f32>() / a.len() as f32
}

/// Mean of `a` times `b`, in sixteen interleaved partial sums.
#[inline(always)]
fn mean_product(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        lanes.iter_mut().zip(a).zip(b).for_each(|((lane, a), b)| *lane += a * b);
    }
    lanes.iter().sum::<f32>() / a.len() as f32
}
