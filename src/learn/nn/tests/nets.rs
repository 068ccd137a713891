//! Dense layers, layer norms and perceptrons of random sizes.

use candle_core::Tensor;
use proptest::collection::vec;
use proptest::prelude::*;

use super::dense::{self, Nonlinearity};
use super::reference::{self, differentiate, perceptron, shapes};
use super::values;
use crate::learn::nn::gemm::MatrixView;
use crate::learn::nn::{Mlp, layer_norm};
use crate::learn::rng::stream;

proptest! {
    #![proptest_config(shapes(64))]

    #[test]
    fn dense_layers_of_any_size(
        rows in 1usize..=40, inputs in 1usize..=70, outputs in 1usize..=40, relu: bool, seed in 0u64..1000,
    ) {
        let mut rng = stream(seed, "dense-shape", &[]);
        let [x, w, b, r] =
            [rows * inputs, inputs * outputs, outputs, rows * outputs].map(|n| values(n, &mut rng));
        let shapes = [(&x[..], vec![rows, inputs]), (&w, vec![inputs, outputs]), (&b, vec![outputs])];
        let layer = |t: &[Tensor]| t[0].matmul(&t[1])?.broadcast_add(&t[2]);
        let reference = differentiate(&shapes, &r, relu, &layer).unwrap();
        prop_assume!(reference.smooth());

        let run = || {
            let view = MatrixView::new(&x, rows, inputs);
            let (mut y, mut dx) = (vec![9.0; rows * outputs], vec![9.0; x.len()]);
            let (mut dw, mut db, mut dy) = (vec![0.0; w.len()], vec![0.0; outputs], r.clone());
            dense::forward(view, rows, &w, &b, if relu { Nonlinearity::Relu } else { Nonlinearity::Identity }, &mut y);
            if relu {
                dense::relu_backward(&y, &mut dy);
            }
            dense::backward_weights(view, &dy, rows, &mut dw, &mut db);
            dense::backward_input(&dy, rows, &w, inputs, &mut dx);
            (y, [dx, dw, db])
        };
        let (y, gradients) = run();
        let error = reference.error(&y, &gradients.each_ref().map(Vec::as_slice));
        prop_assert!(error < 1e-5, "{error:e}");
        prop_assert_eq!(run(), (y, gradients));
    }

    #[test]
    fn layer_norms_of_any_size(rows in 1usize..=40, columns in 1usize..=70, seed in 0u64..1000) {
        let mut rng = stream(seed, "norm-shape", &[]);
        let [x, gain, shift, r] = [rows * columns, columns, columns, rows * columns].map(|n| values(n, &mut rng));
        let shapes = [(&x[..], vec![rows, columns]), (&gain, vec![columns]), (&shift, vec![columns])];
        let reference = differentiate(&shapes, &r, true, &|t| reference::layer_norm(&t[0], &t[1], &t[2])).unwrap();
        prop_assume!(reference.smooth());

        let run = || {
            let (mut y, mut normal, mut scale) = (x.clone(), vec![9.0; x.len()], vec![9.0; rows]);
            let (mut d_gain, mut d_shift, mut d) = (vec![0.0; columns], vec![0.0; columns], r.clone());
            layer_norm::forward(&gain, &shift, &mut y, &mut normal, &mut scale);
            dense::relu_backward(&y, &mut d);
            layer_norm::backward_weights(&normal, &d, &mut d_gain, &mut d_shift);
            layer_norm::backward_input(&gain, &normal, &scale, &mut d);
            (y, [d, d_gain, d_shift])
        };
        let (y, gradients) = run();
        let error = reference.error(&y, &gradients.each_ref().map(Vec::as_slice));
        prop_assert!(error < 1e-5, "{error:e}");
        prop_assert_eq!(run(), (y, gradients));
    }

    #[test]
    fn perceptrons_of_any_size(
        rows in 1usize..=40, inputs in 1usize..=24, hidden in vec(1usize..=24, 1..=4), outputs in 1usize..=7,
        norm: bool, seed in 0u64..1000,
    ) {
        // With two or three columns, the norm's gradient is a difference of nearly equal numbers.
        let hidden: Vec<usize> = hidden.into_iter().map(|units| if norm { units + 3 } else { units }).collect();
        let mlp = Mlp::new(inputs, &hidden, outputs, norm);
        let params = mlp.params("net");
        let mut rng = stream(seed, "mlp-shape", &[]);
        let [x, theta, mut r] = [rows * inputs, params.values.len(), rows * outputs].map(|n| values(n, &mut rng));
        r.chunks_exact_mut(outputs).step_by(3).for_each(|row| row.fill(0.0)); // rows without a gradient
        let tensors = params.tensors.iter().map(|t| (&theta[t.range()], t.shape.clone()));
        let shapes: Vec<_> = [(&x[..], vec![rows, inputs])].into_iter().chain(tensors).collect();
        let kink = std::cell::Cell::new(f64::INFINITY);
        let note = |y: &Tensor| {
            kink.set(kink.get().min(y.abs()?.flatten_all()?.min(0)?.to_scalar::<f64>()?));
            Ok(())
        };
        let net = |t: &[Tensor]| perceptron(&t[1..], &t[0], norm, &note);
        let reference = differentiate(&shapes, &r, false, &net).unwrap();
        prop_assume!(kink.get() > 1e-5);

        let run = || {
            let (view, mut act) = (MatrixView::new(&x, rows, inputs), mlp.activations(rows));
            let (mut gradient, mut dx) = (vec![0.0; mlp.size()], vec![0.0; x.len()]);
            mlp.forward(&theta, view, rows, &mut act);
            let y = act.y.clone();
            mlp.backward(&theta, view, &r, rows, &mut act, &mut gradient);
            mlp.backward_input(&theta, &r, rows, inputs, &mut act, &mut dx);
            (y, dx, gradient)
        };
        let (y, dx, gradient) = run();
        let gradients: Vec<&[f32]> =
            [&dx[..]].into_iter().chain(params.tensors.iter().map(|t| &gradient[t.range()])).collect();
        let error = reference.error(&y, &gradients);
        prop_assert!(error < 1e-5, "{hidden:?}, norm {norm}: {error:e}");
        prop_assert_eq!(run(), (y.clone(), dx.clone(), gradient.clone()));

        // The gradient of the last inputs only, added to the previous values.
        let (columns, mut act) = (inputs.div_ceil(2), mlp.activations(rows));
        let mut some = vec![1.0; rows * columns];
        mlp.forward(&theta, MatrixView::new(&x, rows, inputs), rows, &mut act);
        mlp.backward_input(&theta, &r, rows, columns, &mut act, &mut some);
        for (some, all) in some.chunks_exact(columns).zip(dx.chunks_exact(inputs)) {
            let added = some.iter().zip(&all[inputs - columns..]).all(|(some, all)| (some - 1.0 - all).abs() < 1e-5 * (1.0 + all.abs()));
            prop_assert!(added, "{some:?} {all:?}");
        }
    }
}
