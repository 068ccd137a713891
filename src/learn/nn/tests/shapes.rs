//! Convolutions of random shape: kernel, stride, padding, frame, odd sizes, few and odd channels, batches from 1.

use candle_core::{Result, Tensor};
use proptest::prelude::*;

use super::reference::{LayerReference, differentiate, shapes};
use super::{dense, forward, values};
use crate::learn::nn::conv::{ConvLayer, Window};
use crate::learn::nn::windows::{Phases, Windows};
use crate::learn::rng::stream;

/// A layer in a frame; its big side is candle's picture with a border of `padding` zeros.
#[derive(Clone, Copy, Debug)]
struct ConvCase {
    layer: ConvLayer,
    padding: usize,
    /// Rows and columns that no window reaches, at the bottom and the right.
    rest: usize,
    images: usize,
}

fn case() -> impl Strategy<Value = ConvCase> {
    let sizes = (1usize..=6, 1usize..=4, 1usize..=5, 0usize..4, 0usize..=2, 0usize..=2);
    let amounts = (1usize..=19, 1usize..=19, 1usize..=10);
    (sizes, amounts).prop_filter_map(
        "a picture that windows reach: candle cannot differentiate others",
        |(sizes, (big_channels, small_channels, images))| {
            let (kernel, stride, small, rest, border, padding) = sizes;
            let rest = rest % stride;
            let big = (small - 1) * stride + kernel + rest;
            let window = Window { kernel, stride, small, big, pitch: big + 2 * border, offset: border };
            let layer = ConvLayer { window, big_channels, small_channels };
            (padding < kernel && big > 2 * padding + rest).then_some(ConvCase { layer, padding, rest, images })
        },
    )
}

impl ConvCase {
    fn weights(&self) -> usize {
        let ConvLayer { window, big_channels, small_channels } = self.layer;
        window.kernel * window.kernel * big_channels * small_channels
    }

    fn small(&self) -> usize {
        self.images * self.layer.window.small * self.layer.window.small * self.layer.small_channels
    }

    fn frame(&self) -> usize {
        self.images * self.layer.window.pitch * self.layer.window.pitch * self.layer.big_channels
    }

    /// Side of candle's picture.
    fn side(&self) -> usize {
        self.layer.window.big - 2 * self.padding
    }

    fn shape(&self, side: usize, channels: usize) -> Vec<usize> {
        vec![self.images, side, side, channels]
    }

    /// Whether float `i` of the framed pictures belongs to candle's picture.
    fn seen(&self, i: usize) -> bool {
        let Window { pitch, offset, .. } = self.layer.window;
        let pixel = i / self.layer.big_channels;
        let inside = |at: usize| (offset + self.padding..offset + self.padding + self.side()).contains(&at);
        inside(pixel % pitch) && inside(pixel / pitch % pitch)
    }

    /// Candle's pictures, cut out of framed ones.
    fn inner(&self, framed: &[f32]) -> Vec<f32> {
        framed.iter().enumerate().filter(|(i, _)| self.seen(*i)).map(|(_, v)| *v).collect()
    }

    /// The inverse of [`inner`](Self::inner), with `fill` elsewhere.
    fn framed(&self, inner: &[f32], fill: f32) -> Vec<f32> {
        let mut inner = inner.iter();
        (0..self.frame()).map(|i| if self.seen(i) { *inner.next().unwrap() } else { fill }).collect()
    }

    fn scratch(&self) -> Vec<f32> {
        vec![9.0; self.layer.scratch()]
    }
}

fn add(y: Tensor, b: &Tensor) -> Result<Tensor> {
    y.permute((0, 2, 3, 1))?.broadcast_add(b)?.contiguous()
}

/// Values and gradients (x, W, b) of a convolution with L = sum r y.
fn convolution(case: ConvCase, [x, w, b]: [&[f32]; 3], r: &[f32]) -> (Vec<f32>, [Vec<f32>; 3]) {
    let (ConvCase { layer, images, .. }, x, mut scratch) = (case, case.framed(x, 0.0), case.scratch());
    let (mut y, mut dx) = (vec![9.0; case.small()], vec![9.0; x.len()]);
    let (mut dw, mut db) = (vec![0.0; w.len()], vec![0.0; b.len()]);
    let ConvLayer { window: Window { kernel, stride, .. }, .. } = layer;
    forward(Windows::conv(kernel, stride, layer.big(), layer.small(), images), w, &x, b, &mut y);
    let mut dy = r.to_vec();
    dense::relu_backward(&y, &mut dy);
    layer.conv_weights(&x, &dy, images, &mut dw, &mut db, &mut scratch);
    layer.conv_input(&dy, w, images, &mut dx, &mut scratch);
    (y, [case.inner(&dx), dw, db])
}

/// The same for a transposed convolution, whose border of `padding` pixels is cut off.
fn transposed(case: ConvCase, [x, w, b]: [&[f32]; 3], r: &[f32]) -> (Vec<f32>, [Vec<f32>; 3]) {
    let (ConvCase { layer, images, .. }, mut scratch) = (case, case.scratch());
    let (mut y, mut dx) = (vec![0.0; case.frame()], vec![9.0; x.len()]);
    let (mut dw, mut db) = (vec![0.0; w.len()], vec![0.0; b.len()]);
    let ConvLayer { window: Window { kernel, stride, .. }, .. } = layer;
    forward(Windows::deconv(kernel, stride, Phases::Pixels, layer.small(), layer.big(), images), w, x, b, &mut y);
    let mut dy = case.framed(r, 0.0);
    dense::relu_backward(&y, &mut dy);
    layer.deconv_backward(x, w, &dy, images, &mut dw, &mut db, &mut dx, &mut scratch);
    (case.inner(&y), [dx, dw, db])
}

fn conv_reference(case: ConvCase, [x, w, b]: [&[f32]; 3], r: &[f32]) -> Result<LayerReference> {
    let ConvLayer { window, big_channels: big, small_channels: small } = case.layer;
    let kernel = vec![window.kernel, window.kernel, big, small];
    let inputs = [(x, case.shape(case.side(), big)), (w, kernel), (b, vec![small])];
    differentiate(&inputs, r, true, &|t| {
        let (x, w) = (t[0].permute((0, 3, 1, 2))?.contiguous()?, t[1].permute((3, 2, 0, 1))?.contiguous()?);
        add(x.conv2d(&w, case.padding, window.stride, 1, 1)?, &t[2])
    })
}

fn deconv_reference(case: ConvCase, [x, w, b]: [&[f32]; 3], r: &[f32]) -> Result<LayerReference> {
    let ConvLayer { window, big_channels: big, small_channels: small } = case.layer;
    let kernel = vec![small, window.kernel, window.kernel, big];
    let inputs = [(x, case.shape(window.small, small)), (w, kernel), (b, vec![big])];
    differentiate(&inputs, r, true, &|t| {
        let (x, w) = (t[0].permute((0, 3, 1, 2))?.contiguous()?, t[1].permute((0, 3, 1, 2))?.contiguous()?);
        add(x.conv_transpose2d(&w, case.padding, case.rest, window.stride, 1)?, &t[2])
    })
}

proptest! {
    #![proptest_config(shapes(64))]

    #[test]
    fn oracle_20_convolutions_of_any_shape(case in case(), seed in 0u64..1000) {
        let mut rng = stream(seed, "conv-shape", &[]);
        let seen = case.images * case.side() * case.side() * case.layer.big_channels;
        let [x, w, b, r] =
            [seen, case.weights(), case.layer.small_channels, case.small()].map(|n| values(n, &mut rng));
        let reference = conv_reference(case, [&x, &w, &b], &r).unwrap();
        prop_assume!(reference.smooth());
        let (y, gradients) = convolution(case, [&x, &w, &b], &r);
        let error = reference.error(&y, &gradients.each_ref().map(Vec::as_slice));
        prop_assert!(error < 1e-5, "{error:e}");
        prop_assert_eq!(convolution(case, [&x, &w, &b], &r), (y, gradients));
    }

    #[test]
    fn oracle_20_transposed_convolutions_of_any_shape(case in case(), seed in 0u64..1000) {
        let mut rng = stream(seed, "deconv-shape", &[]);
        let seen = case.images * case.side() * case.side() * case.layer.big_channels;
        let [x, w, b, r] = [case.small(), case.weights(), case.layer.big_channels, seen].map(|n| values(n, &mut rng));
        let reference = deconv_reference(case, [&x, &w, &b], &r).unwrap();
        prop_assume!(reference.smooth());
        let (y, gradients) = transposed(case, [&x, &w, &b], &r);
        let error = reference.error(&y, &gradients.each_ref().map(Vec::as_slice));
        prop_assert!(error < 1e-5, "{error:e}");
        prop_assert_eq!(transposed(case, [&x, &w, &b], &r), (y, gradients));
    }
}
