//! The hand-derived gradient against candle's and central differences (oracles 5 and 20).

use candle_core::{Device, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::Rng as _;

use super::*;

/// Data for which every argument of ReLU, clamp and |raw| is farther than `margin` from its kink, so the gradient exists.
fn smooth_data(vae: &Vae, n: usize, margin: f64) -> (Vec<Vec<u8>>, Vec<f32>) {
    let smooth = |(pictures, noise): &(Vec<Vec<u8>>, Vec<f32>)| {
        let reference = reference(vae);
        reference.loss(&views(pictures), noise).unwrap();
        reference.margin.get() > margin
    };
    (0..500).map(|seed| data(&vae.architecture, n, DIM, seed)).find(smooth).expect("smooth data")
}

/// Checks loss, sse, kl and the gradient of every tensor, for 1, 2 and 3 threads.
fn check_one((size, channels): (usize, &[usize]), n: usize, wide: bool) {
    let model = vae(size, channels, 1, wide);
    let (pictures, noise) = smooth_data(&model, n, 2e-7);
    let reference = reference(&model);
    let want = reference.loss(&views(&pictures), &noise).unwrap();
    let gradients = want.objective.backward().unwrap();
    let mut worst = (0.0, String::new());
    for threads in [1, 2, 3] {
        let mut vae = vae(size, channels, threads, wide);
        let info = vae.gradients(&views(&pictures), &noise, BETA).unwrap();
        for (got, want) in [(info.loss, &want.loss), (info.sse, &want.sse), (info.kl, &want.kl)] {
            assert!((got / scalar(want) - 1.0).abs() < 1e-6, "{size} px, B = {n}: {info:?}, not {want}");
        }
        for (tensor, var) in vae.params.tensors.iter().zip(&reference.vars) {
            let want = flat(gradients.get(var).expect("a gradient"));
            let error = difference(&vae.workspaces[0].gradient[tensor.range()], &want);
            if error.is_nan() || error > worst.0 {
                worst = (error, format!("{} on {threads} threads", tensor.name));
            }
        }
    }
    println!("{size} px, B = {n}, wide {wide}: {worst:?}");
    assert!(worst.0 < 1e-5, "{size} px, B = {n}, wide {wide}: {worst:?}");
}

fn check(shape: (usize, &[usize]), batches: &[usize]) {
    for &n in batches {
        check_one(shape, n, false);
        check_one(shape, n, true);
    }
}

#[test]
fn gradients_are_candles_at_24_px() {
    check(SIZES[0], &[1, 3, 33, 128]);
}

#[test]
fn gradients_are_candles_at_48_px() {
    check(SIZES[1], &[1, 3, 33, 128]);
}

#[test]
fn gradients_are_candles_at_84_px() {
    check(SIZES[2], &[1, 3, 33]);
}

#[test]
fn gradients_are_candles_at_96_px() {
    check(SIZES[3], &[1, 3, 33]);
}

#[test]
fn wide_weights_reach_every_branch() {
    for (size, channels) in SIZES {
        let vae = vae(size, channels, 1, true);
        let (pictures, _) = data(&vae.architecture, 8, DIM, 0);
        let reference = reference(&vae);
        let (mean, _) = reference.posterior(&reference.pictures(&views(&pictures)).unwrap()).unwrap();
        let raw = flat(&reference.raw_pictures(&mean).unwrap());
        let share = |test: fn(&f64) -> bool| raw.iter().filter(|x| test(x)).count() as f64 / raw.len() as f64;
        let shares = [share(|x| *x < 0.0), share(|x| (0.0..=1.0).contains(x)), share(|x| *x > 1.0)];
        assert!(shares.iter().all(|s| *s > 0.02), "{size} px: {shares:?}");
    }
}

#[test]
fn oracle_20_central_differences_of_the_whole_objective() {
    let mut vae = vae(24, &[2, 3], 1, true);
    let (pictures, noise) = smooth_data(&vae, 2, 3e-5);
    vae.gradients(&views(&pictures), &noise, BETA).unwrap();
    let reference = reference(&vae);
    let loss = || scalar(&reference.loss(&views(&pictures), &noise).unwrap().objective);
    let mut rng = stream(2, "oracle-20", &[]);
    for (tensor, var) in vae.params.tensors.iter().zip(&reference.vars) {
        let ours = &vae.workspaces[0].gradient[tensor.range()];
        let top = ours.iter().fold(0.0f32, |top, g| top.max(g.abs()));
        let start = var.copy().unwrap();
        let h = 1e-6;
        for _ in 0..20.min(tensor.len()) {
            let i = rng.random_range(0..tensor.len());
            let at = |step: f64| {
                let mut values = flat(&start);
                values[i] += step;
                var.set(&Tensor::from_vec(values, tensor.shape.clone(), &Device::Cpu).unwrap()).unwrap();
                loss()
            };
            let slope = (at(h) - at(-h)) / (2.0 * h);
            let error = (slope - f64::from(ours[i])).abs() / f64::from(top);
            assert!(error < 2e-5, "{} [{i}]: {slope} {} {error:e}", tensor.name, ours[i]);
        }
        var.set(&start).unwrap();
    }
}

#[test]
fn oracle_20_no_gradient_passes_outside_of_the_clamp() {
    for shift in [-3.0, 3.0] {
        let mut vae = vae(24, &[2, 3], 1, false);
        let last = vae.params.tensors.len() - 1;
        vae.params.constant(last, shift);
        vae.parameters_changed();
        let (pictures, noise) = data(&vae.architecture, 3, DIM, 0);
        vae.gradients(&views(&pictures), &noise, BETA).unwrap();
        let (encoder, decoder) =
            vae.workspaces[0].gradient.split_at(vae.params.tensors[vae.architecture.decoder_flat()].start);
        assert!(decoder.iter().all(|g| *g == 0.0));
        assert!(encoder.iter().any(|g| *g != 0.0)); // from the KL
    }
}

#[test]
fn oracle_20_the_sampled_latent_and_the_sign_of_raw() {
    // With beta 0 and one picture, d/d raw_d of the heads' bias = sign(raw) eps sigma/2 d/d mu_d.
    let mut rng = stream(1, "oracle-vae", &[24]);
    let mut vae = Vae::new(&config(&[2, 3]), 24, &Workers::new(1), &mut rng).unwrap();
    widen(&mut vae, &mut rng);
    let bias = vae.architecture.heads() + 1;
    vae.params.get_mut(bias)[DIM..].copy_from_slice(&[-5.0, 5.0, 5.0]);
    let (pictures, _) = data(&vae.architecture, 1, DIM, 0);
    let noise = [0.7, -1.3, 0.4];
    vae.gradients(&views(&pictures), &noise, 0.0).unwrap();
    let raw = vae.workspaces[0].encoder.heads[DIM..2 * DIM].to_vec();
    assert!(raw[0] < 0.0 && raw[1] > 0.0, "{raw:?}");
    let gradient = &vae.workspaces[0].gradient[vae.params.tensors[bias].range()];
    for d in 0..DIM {
        let sigma = (0.5 * (1e-3f32.ln() + raw[d].abs())).exp();
        let want = raw[d].signum() * noise[d] * 0.5 * sigma * gradient[d];
        assert!(gradient[d] != 0.0 && (gradient[DIM + d] / want - 1.0).abs() < 1e-5, "{d}: {gradient:?} {want}");
    }
}

#[test]
fn oracle_05_the_gradient_is_the_official_sums() {
    // sum_i SSE_i + beta mean_i KL_i = 2B times the mean of 1/2 SSE_i + beta / (2B) KL_i.
    let (n, official_beta) = (5, 20.0);
    let beta = official_beta / (2.0 * n as f64);
    let mut rng = stream(1, "oracle-vae", &[24]);
    let mut vae = Vae::new(&config(&[4, 6]), 24, &Workers::new(1), &mut rng).unwrap();
    widen(&mut vae, &mut rng);
    let (pictures, noise) = smooth_data(&vae, n, 2e-7);
    let reference = reference(&vae);
    let parts = reference.loss(&views(&pictures), &noise).unwrap();
    let official = ((parts.sse * n as f64).unwrap() + (parts.kl * official_beta).unwrap()).unwrap();
    let gradients = official.backward().unwrap();
    let info = vae.gradients(&views(&pictures), &noise, beta).unwrap();
    assert!((scalar(&official) / (2.0 * n as f64 * info.loss) - 1.0).abs() < 1e-6);
    for (tensor, var) in vae.params.tensors.iter().zip(&reference.vars) {
        let ours = &vae.workspaces[0].gradient[tensor.range()];
        assert!(difference(ours, &flat(gradients.get(var).unwrap())) < 1e-5, "{}", tensor.name);
    }
    // With every picture twice, the means stay the same.
    let doubled = vae.gradients(&[views(&pictures), views(&pictures)].concat(), &noise.repeat(2), beta);
    let doubled = doubled.unwrap();
    assert!((doubled.sse / info.sse - 1.0).abs() < 1e-6 && (doubled.kl / info.kl - 1.0).abs() < 1e-6);
}

#[test]
fn three_updates_are_candles() {
    for threads in [1, 2, 3] {
        let mut vae = vae(24, &[4, 6], threads, true);
        let start = vae.params.values.clone();
        let reference = reference(&vae);
        let adam = ParamsAdamW { lr: 1e-3, weight_decay: 0.0, ..ParamsAdamW::default() };
        let mut adam = AdamW::new(reference.vars.clone(), adam).unwrap();
        for step in 0..3 {
            let (pictures, noise) = data(&vae.architecture, 17, DIM, step);
            vae.update(&views(&pictures), &noise, BETA, 0).unwrap();
            adam.backward_step(&reference.loss(&views(&pictures), &noise).unwrap().objective).unwrap();
        }
        for (tensor, var) in vae.params.tensors.iter().zip(&reference.vars) {
            let (ours, want) = (&vae.params.values[tensor.range()], flat(var));
            let apart = |from: &[f32]| from.iter().zip(&want).map(|(f, w)| (f64::from(*f) - w).abs()).sum::<f64>();
            let error = apart(ours) / apart(&start[tensor.range()]);
            assert!(error < 1e-3, "{}: {error:e} of the way", tensor.name);
        }
    }
}
