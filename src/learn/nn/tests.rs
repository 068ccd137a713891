//! Convolution and transposed convolution against their definitions in f64 and central differences of these (oracle 20).

mod definition;
mod nets;
pub(crate) mod reference;
mod shapes;

use proptest::prelude::*;
use rand::Rng as _;

use definition::{conv, deconv, differences};

use super::conv::{ConvLayer, Window};
use super::dense;
use super::direct::BiasActivation;
use super::lattice::Lattice;
use super::windows::{Grid, Phases, Windows};
use crate::learn::rng::{Rng, stream};

const IMAGES: usize = 9; // one more than a group of patches

fn values(n: usize, rng: &mut Rng) -> Vec<f32> {
    (0..n).map(|_| rng.random_range(-1.0..1.0)).collect()
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|x| f64::from(*x)).collect()
}

fn close(got: &[f32], want: &[f64], what: &str) {
    let worst = got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).abs()).fold(0.0, f64::max);
    let largest = want.iter().map(|w| w.abs()).fold(1.0, f64::max);
    assert!(got.len() == want.len() && worst < 1e-5 * largest, "{what}: {worst:e} of {largest}");
}

/// Writes relu(layer(x) + b) to `y`; asserts that the first picture alone gives the same as in the whole block.
fn forward(mut layer: Windows, w: &[f32], x: &[f32], b: &[f32], y: &mut [f32]) {
    layer.update(w);
    let mut alone = y.to_vec();
    layer.run(x, 1, &mut BiasActivation { bias: b, activation: dense::Nonlinearity::Relu, y: &mut alone });
    let images = layer.images();
    layer.run(x, images, &mut BiasActivation { bias: b, activation: dense::Nonlinearity::Relu, y });
    let one = y.len() / images;
    assert_eq!(alone[..one], y[..one]);
}

#[test]
fn oracle_20_convolutions_and_their_gradients() {
    // (kernel, stride, small, rest of the picture, frame's border)
    for (kernel, stride, small, rest, border) in [(3, 2, 2, 0, 0), (3, 2, 2, 1, 1), (5, 3, 1, 1, 0), (2, 3, 2, 0, 1)] {
        let big = (small - 1) * stride + kernel + rest;
        let window = Window { kernel, stride, small, big, pitch: big + 2 * border, offset: border };
        let l = ConvLayer { window, big_channels: 2, small_channels: 3 };
        let mut rng = stream(1, "oracle-conv", &[kernel as u64, rest as u64]);
        let (frame, cells) = (IMAGES * window.pitch * window.pitch * 2, IMAGES * small * small * 3);
        let [x, w, b] = [frame, kernel * kernel * 6, 3].map(|n| values(n, &mut rng));
        let (mut y, mut scratch) = (vec![9.0; cells], vec![9.0; l.scratch()]);
        let layer = Windows::conv(kernel, stride, l.big(), l.small(), IMAGES);
        forward(layer, &w, &x, &b, &mut y);
        let definition = |v: &[Vec<f64>; 3]| conv(l, &v[0], &v[1], &v[2]);
        let want: Vec<f64> = definition(&[&x, &w, &b].map(|v| wide(v))).iter().map(|y| y.max(0.0)).collect();
        close(&y, &want, "conv");

        let r = values(cells, &mut rng);
        let [dx, dw, db] = differences([&x, &w, &b], &r, definition);
        let mut dy = r.clone();
        dense::relu_backward(&y, &mut dy);
        let (mut got_w, mut got_b, mut got_x) = (vec![0.0; w.len()], vec![0.0; 3], vec![9.0; frame]);
        l.conv_weights(&x, &dy, IMAGES, &mut got_w, &mut got_b, &mut scratch);
        l.conv_input(&dy, &w, IMAGES, &mut got_x, &mut scratch);
        for (got, want, what) in [(got_x, dx, "dx"), (got_w, dw, "dW"), (got_b, db, "db")] {
            close(&got, &want, what);
        }
    }
}

#[test]
fn oracle_20_transposed_convolutions_and_their_gradients() {
    for (kernel, stride, small, border) in [(3, 2, 2, 0), (3, 2, 2, 1), (5, 3, 1, 0), (6, 3, 2, 1)] {
        let big = (small - 1) * stride + kernel;
        let window = Window { kernel, stride, small, big, pitch: big + 2 * border, offset: border };
        let l = ConvLayer { window, big_channels: 2, small_channels: 3 };
        let mut rng = stream(2, "oracle-conv", &[kernel as u64, border as u64]);
        let (frame, cells) = (IMAGES * window.pitch * window.pitch * 2, IMAGES * small * small * 3);
        let [x, w, b] = [cells, kernel * kernel * 6, 2].map(|n| values(n, &mut rng));
        let (mut y, mut scratch) = (vec![0.0; frame], vec![9.0; l.scratch()]); // zero outside of the picture
        let layer = Windows::deconv(kernel, stride, Phases::Pixels, l.small(), l.big(), IMAGES);
        forward(layer, &w, &x, &b, &mut y);
        let definition = |v: &[Vec<f64>; 3]| deconv(l, &v[0], &v[1], &v[2]);
        let want: Vec<f64> = definition(&[&x, &w, &b].map(|v| wide(v))).iter().map(|y| y.max(0.0)).collect();
        close(&y, &want, "deconv");

        let r = values(frame, &mut rng);
        let [dx, dw, db] = differences([&x, &w, &b], &r, definition);
        let mut dy = r.clone();
        dense::relu_backward(&y, &mut dy);
        let (mut got_w, mut got_b, mut got_x) = (vec![0.0; w.len()], vec![0.0; 2], vec![9.0; cells]);
        l.deconv_backward(&x, &w, &dy, IMAGES, &mut got_w, &mut got_b, &mut got_x, &mut scratch);
        for (got, want, what) in [(got_x, dx, "dx"), (got_w, dw, "dW"), (got_b, db, "db")] {
            close(&got, &want, what);
        }
    }
}

#[test]
fn a_lattice_is_a_2_x_2_convolution_with_its_gradients() {
    let (side, inputs, outputs) = (4, 2, 3);
    let lattice = Lattice { side, inputs, outputs };
    let window = Window { kernel: 2, stride: 1, small: side - 1, big: side, pitch: side, offset: 0 };
    let l = ConvLayer { window, big_channels: inputs, small_channels: outputs };
    let mut rng = stream(3, "oracle-conv", &[]);
    let [x, w] = [lattice.rows(IMAGES) * inputs, 4 * inputs * outputs].map(|n| values(n, &mut rng));
    // Column side - 1 and row side - 1 of y have no meaning: only the others are compared and have a gradient.
    let meant = |row: usize| row % side < side - 1 && row / side % side < side - 1;
    let inner = |v: &[f32]| -> Vec<f32> {
        v.chunks_exact(outputs).enumerate().filter(|(row, _)| meant(*row)).flat_map(|(_, y)| y.to_vec()).collect()
    };
    let margin = lattice.margin() * outputs;
    let mut dy = vec![0.0; margin + lattice.rows(IMAGES) * outputs];
    for (row, dy) in dy[margin..].chunks_exact_mut(outputs).enumerate().filter(|(row, _)| meant(*row)) {
        dy.fill_with(|| rng.random_range(-1.0..1.0) + row as f32 * 1e-3);
    }
    // The slope of r relu(y + 100) is r everywhere.
    let definition = |v: &[Vec<f64>; 3]| conv(l, &v[0], &v[1], &[100.0; 3]);
    let [dx, dw, _] = differences([&x, &w, &[]], &inner(&dy[margin..]), definition);
    let (mut got_w, mut got_x) = (vec![0.0; w.len()], vec![9.0; x.len()]);
    lattice.backward_weights(&x, &dy[margin..], IMAGES, &mut got_w);
    lattice.backward_input(&dy, &lattice.reverse(&w), IMAGES, &mut got_x);
    close(&got_w, &dw, "dW");
    close(&got_x, &dx, "dx");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Convolution and its adjoint equal their definitions for any kernel, stride, border and number of channels.
    #[test]
    fn windows_are_the_definition(
        kernel in 1usize..7, stride in 1usize..4, small in 1usize..6, rest in 0usize..3, border in 0usize..2,
        big_channels in 1usize..6, small_channels in 1usize..70, salt in 0u64..1000,
    ) {
        let big = (small - 1) * stride + kernel;
        let window = |big| Window { kernel, stride, small, big, pitch: big + 2 * border, offset: border };
        let l = ConvLayer { window: window(big + rest), big_channels, small_channels };
        let mut rng = stream(4, "oracle-conv", &[salt]);
        let positions = IMAGES * (big + rest + 2 * border).pow(2);
        let n = kernel * kernel * big_channels * small_channels;
        let [x, w, b] = [positions * big_channels, n, small_channels].map(|n| values(n, &mut rng));
        let mut y = vec![9.0; IMAGES * small * small * small_channels];
        forward(Windows::conv(kernel, stride, l.big(), l.small(), IMAGES), &w, &x, &b, &mut y);
        let [x, w, b] = [x, w, b].map(|v| wide(&v));
        close(&y, &conv(l, &x, &w, &b).iter().map(|y| y.max(0.0)).collect::<Vec<_>>(), "conv");

        let l = ConvLayer { window: window(big), big_channels, small_channels };
        let [x, w, b] = [IMAGES * small * small * small_channels, n, big_channels].map(|n| values(n, &mut rng));
        let mut y = vec![0.0; IMAGES * (big + 2 * border).pow(2) * big_channels];
        forward(Windows::deconv(kernel, stride, Phases::Pixels, l.small(), l.big(), IMAGES), &w, &x, &b, &mut y);
        let [x, w, b] = [x, w, b].map(|v| wide(&v));
        close(&y, &deconv(l, &x, &w, &b).iter().map(|y| y.max(0.0)).collect::<Vec<_>>(), "deconv");
    }
}

#[test]
fn phases_as_channels_are_the_same_pixels() {
    let (kernel, stride, small) = (6, 3, 3);
    let cells = small + 1;
    let l = ConvLayer {
        window: Window { kernel, stride, small, big: 12, pitch: 12, offset: 0 },
        big_channels: 3,
        small_channels: 5,
    };
    let mut rng = stream(5, "oracle-conv", &[]);
    let [x, w, b] = [IMAGES * 9 * 5, 36 * 15, 3].map(|n| values(n, &mut rng));
    let (mut pixels, mut depth) = (vec![0.0; IMAGES * 144 * 3], vec![0.0; IMAGES * 16 * 27]);
    forward(Windows::deconv(kernel, stride, Phases::Pixels, l.small(), l.big(), IMAGES), &w, &x, &b, &mut pixels);
    let b: Vec<f32> = b.iter().copied().cycle().take(27).collect();
    let layer = Windows::deconv(kernel, stride, Phases::Channels, l.small(), Grid::new(cells, 27), IMAGES);
    forward(layer, &w, &x, &b, &mut depth);
    for (i, value) in depth.iter().enumerate() {
        let (cell, colour, c, r) = (i / 27, i % 3, i / 3 % 3, i / 9 % 3);
        let (image, row, col) = (cell / 16, cell / 4 % 4 * 3 + r, cell % 4 * 3 + c);
        assert_eq!(*value, pixels[((image * 12 + row) * 12 + col) * 3 + colour]);
    }
}

#[test]
fn relu_and_its_mask() {
    let mut y = [-1.0, -0.25, 0.5, f32::NAN];
    dense::add_bias(&mut y, &[0.25], dense::Nonlinearity::Relu);
    assert_eq!(y[..3], [0.0, 0.0, 0.75]);
    assert!(y[3].is_nan());
    let mut dy = [1.0; 3];
    dense::relu_backward(&y[..3], &mut dy);
    assert_eq!(dy, [0.0, 0.0, 1.0]); // 0 at the kink
}
