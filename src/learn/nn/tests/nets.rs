//! Dense layers and perceptrons of random sizes.

use candle_core::Tensor;
use proptest::prelude::*;

use super::dense::{self, Activation};
use super::reference::{differentiate, shapes};
use super::values;
use crate::learn::nn::Mlp;
use crate::learn::nn::gemm::View;
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
            let view = View::new(&x, rows, inputs);
            let (mut y, mut dx) = (vec![9.0; rows * outputs], vec![9.0; x.len()]);
            let (mut dw, mut db, mut dy) = (vec![0.0; w.len()], vec![0.0; outputs], r.clone());
            dense::forward(view, rows, &w, &b, if relu { Activation::Relu } else { Activation::Identity }, &mut y);
            if relu {
                dense::mask(&y, &mut dy);
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
    fn perceptrons_of_any_size(
        rows in 1usize..=40, sizes in (1usize..=24, 1usize..=24, 1usize..=24, 1usize..=7), seed in 0u64..1000,
    ) {
        let (inputs, h1, h2, outputs) = sizes;
        let mlp = Mlp { inputs, hidden: [h1, h2], outputs };
        let params = mlp.params("net");
        let mut rng = stream(seed, "mlp-shape", &[]);
        let [x, theta, mut r] = [rows * inputs, params.values.len(), rows * outputs].map(|n| values(n, &mut rng));
        r.chunks_exact_mut(outputs).step_by(3).for_each(|row| row.fill(0.0)); // rows without a gradient
        let tensors = params.tensors.iter().map(|t| (&theta[t.range()], t.shape.clone()));
        let shapes: Vec<_> = [(&x[..], vec![rows, inputs])].into_iter().chain(tensors).collect();
        let kink = std::cell::Cell::new(f64::INFINITY);
        let net = |t: &[Tensor]| {
            let relu = |y: Tensor| {
                let nearest = y.abs()?.flatten_all()?.min(0)?.to_scalar::<f64>()?;
                kink.set(kink.get().min(nearest));
                let open = y.gt(0.0)?.to_dtype(y.dtype())?.detach();
                y * open
            };
            let layer = |x: &Tensor, i: usize| x.matmul(&t[i])?.broadcast_add(&t[i + 1]);
            layer(&relu(layer(&relu(layer(&t[0], 1)?)?, 3)?)?, 5)
        };
        let reference = differentiate(&shapes, &r, false, &net).unwrap();
        prop_assume!(kink.get() > 1e-5);

        let run = || {
            let (view, mut act) = (View::new(&x, rows, inputs), mlp.activations(rows));
            let (mut gradient, mut dx) = (vec![0.0; theta.len()], vec![9.0; x.len()]);
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
        prop_assert!(error < 1e-5, "{error:e}");
        prop_assert_eq!(run(), (y.clone(), dx.clone(), gradient.clone()));
    }
}
