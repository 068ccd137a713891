//! Convolution and transposed convolution by definition, in f64, and central differences of them.

use super::{IMAGES, wide};
use crate::learn::nn::conv::{ConvLayer, Window};

/// Every (image, window's row and column, kernel's row and column): (image and window, pixel of the frame, kernel entry).
fn taps(w: Window) -> impl Iterator<Item = (usize, usize, usize)> {
    let (k, s) = (w.kernel, w.small);
    (0..IMAGES * s * s * k * k).map(move |n| {
        let (q, p, j, i, image) = (n % k, n / k % k, n / (k * k) % s, n / (k * k * s) % s, n / (k * k * s * s));
        let (row, col) = (w.offset + i * w.stride + p, w.offset + j * w.stride + q);
        ((image * s + i) * s + j, (image * w.pitch + row) * w.pitch + col, p * k + q)
    })
}

/// y (images small small, C_small) = conv(x) + b.
pub fn conv(l: ConvLayer, x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let (big, small) = (l.big_channels, l.small_channels);
    let mut y = b.repeat(IMAGES * l.window.small * l.window.small);
    for (cell, pixel, tap) in taps(l.window) {
        for c in 0..big {
            for o in 0..small {
                y[cell * small + o] += x[pixel * big + c] * w[(tap * big + c) * small + o];
            }
        }
    }
    y
}

/// y (images, pitch, pitch, C_big) = deconv(x) + b inside the picture, 0 outside.
pub fn deconv(l: ConvLayer, x: &[f64], w: &[f64], b: &[f64]) -> Vec<f64> {
    let (big, small, Window { pitch, offset, kernel, .. }) = (l.big_channels, l.small_channels, l.window);
    let inside = |i: usize| (offset..offset + l.window.big).contains(&i);
    let mut y: Vec<f64> = (0..IMAGES * pitch * pitch * big)
        .map(|i| if inside(i / big % pitch) && inside(i / big / pitch % pitch) { b[i % big] } else { 0.0 })
        .collect();
    for (cell, pixel, tap) in taps(l.window) {
        for c in 0..big {
            for o in 0..small {
                y[pixel * big + c] += x[cell * small + o] * w[(o * kernel * kernel + tap) * big + c];
            }
        }
    }
    y
}

/// Central differences of sum(r relu(y)) with respect to each entry of x, w and b.
pub fn differences(inputs: [&[f32]; 3], r: &[f32], y: impl Fn(&[Vec<f64>; 3]) -> Vec<f64>) -> [Vec<f64>; 3] {
    let mut at = inputs.map(wide);
    [0, 1, 2].map(|which| {
        (0..at[which].len())
            .map(|i| {
                let (start, h) = (at[which][i], 1e-6);
                let [above, below] = [h, -h].map(|step| {
                    at[which][i] = start + step;
                    y(&at).iter().zip(r).map(|(y, r)| f64::from(*r) * y.max(0.0)).sum::<f64>()
                });
                at[which][i] = start;
                (above - below) / (2.0 * h)
            })
            .collect()
    })
}
