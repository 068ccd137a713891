//! Sums the threads' gradients, always in thread order, so that a given thread count gives the same bits.

use super::workers::Workers;

/// Adds `parts[1..]` to `parts[0]` and returns the squared 2-norm of the sum (not finite if any entry is not finite).
pub fn sum_into_first(workers: &Workers, parts: &mut [&mut [f32]]) -> f64 {
    let Some((first, others)) = parts.split_first_mut() else { return 0.0 };
    let size = first.len().div_ceil(workers.count()).next_multiple_of(64);
    let others: Vec<&[f32]> = others.iter().map(|o| &**o).collect();
    let mut shares: Vec<(&mut [f32], f64)> = first.chunks_mut(size).map(|chunk| (chunk, 0.0)).collect();
    let arch = pulp::Arch::new();
    workers.each(&mut shares, |i, (sum, norm)| {
        let start = i * size;
        for other in &others {
            let other = &other[start..start + sum.len()];
            arch.dispatch(
                #[inline(always)]
                || sum.iter_mut().zip(other).for_each(|(s, o)| *s += o),
            );
        }
        *norm = arch.dispatch(
            #[inline(always)]
            || squared_norm(sum),
        );
    });
    shares.iter().map(|(_, norm)| norm).sum()
}

/// Sum of squares in f64, in sixteen interleaved partial sums.
#[inline(always)]
fn squared_norm(x: &[f32]) -> f64 {
    let mut lanes = [0.0f64; 16];
    for chunk in x.chunks(16) {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(*x) * f64::from(*x);
        }
    }
    lanes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_in_order_and_measures_the_sum() {
        let (mut a, mut b) = (vec![1.0; 130], vec![2.0; 130]);
        let norm = sum_into_first(&Workers::new(2), &mut [&mut a, &mut b]);
        assert_eq!(a, vec![3.0; 130]);
        assert!((norm - 9.0 * 130.0).abs() < 1e-9);
        b[77] = f32::NAN;
        assert!(sum_into_first(&Workers::new(2), &mut [&mut a, &mut b]).is_nan());
    }
}
