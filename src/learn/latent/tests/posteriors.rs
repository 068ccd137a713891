//! Latents of pictures: equal to the reference's, and independent of other pictures (oracles 14, 15, 18, 27).

use proptest::prelude::*;

use super::*;
use crate::config::Config;
use crate::learn::goals::{LatentDistance, Reward, Step, latent_distance};

fn posteriors(vae: &mut Vae, pictures: &[&[u8]]) -> Vec<f32> {
    let mut out = vec![f32::NAN; pictures.len() * 2 * DIM];
    vae.posteriors(pictures, &mut out).unwrap();
    out
}

#[test]
fn posteriors_and_pictures_are_the_references() {
    for (size, channels) in SIZES {
        let mut vae = vae(size, channels, 2, true);
        let (pictures, noise) = data(&vae.architecture, 37, DIM, 3);
        let (views, reference) = (views(&pictures), reference(&vae));
        let (mean, v) = reference.posterior(&reference.pictures(&views).unwrap()).unwrap();
        let want = flat(&Tensor::cat(&[&mean, &v], 1).unwrap());
        assert!(difference(&posteriors(&mut vae, &views), &want) < 1e-5, "{size} px");
        let mean = flat(&mean);
        assert!(difference(&vae.encode(&views).unwrap(), &mean) < 1e-5);
        let encoder = vae.encoder().unwrap();
        assert!(difference(&encoder.encode(&mut encoder.scratch(), views[36]), &mean[36 * DIM..]) < 1e-5);
        let z = Tensor::from_slice(&noise, (37, DIM), &candle_core::Device::Cpu).unwrap();
        let decoded = reference.decode(&z.to_dtype(candle_core::DType::F64).unwrap()).unwrap();
        let want = flat(&decoded.permute((0, 2, 3, 1)).unwrap());
        let got = vae.decode(&noise).unwrap();
        assert_eq!(got.len(), want.len());
        assert!(got.iter().zip(&want).all(|(g, w)| (f64::from(*g) - 255.0 * w).abs() < 0.501), "{size} px");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// The same bits alone, anywhere in a block, among any other pictures, on one thread or two.
    #[test]
    fn a_posterior_depends_on_its_picture_alone(n in 1usize..70, at in 0usize..70, seed in 0u64..1000, large: bool) {
        let (size, channels) = OFFICIAL[usize::from(large)];
        let mut one = vae(size, channels, 1, true);
        let mut two = vae(size, channels, 2, true);
        let (picture, _) = data(&one.architecture, 1, DIM, seed);
        let alone = posteriors(&mut one, &views(&picture));
        let (others, _) = data(&one.architecture, n, DIM, seed + 1);
        let at = at % n;
        let mut views = views(&others);
        views[at] = &picture[0];
        let among = posteriors(&mut one, &views);
        prop_assert_eq!(&among[at * 2 * DIM..(at + 1) * 2 * DIM], &alone[..]);
        prop_assert_eq!(among, posteriors(&mut two, &views));
    }
}

#[test]
fn oracle_14_rewards_from_pictures_come_out_the_same_twice() {
    let mut vae = vae(48, SIZES[1].1, 2, true);
    let (pictures, _) = data(&vae.architecture, 40, DIM, 5);
    let z = vae.encode(&views(&pictures)).unwrap();
    let goal = vae.encode(&[&pictures[7]]).unwrap();
    let rewards = |z: &[f32]| -> Vec<f32> {
        {
            let reward = LatentDistance { scale: 1.0 };
            let of = |z| reward.of(&Step { z, z_next: z, goal: &goal, action: &[] });
            z.chunks_exact(DIM).map(of).collect()
        }
    };
    assert_eq!(rewards(&z)[7], 0.0);
    assert!(rewards(&z).iter().enumerate().all(|(i, r)| i == 7 || *r < 0.0));
    let squared: f64 = (0..DIM).map(|d| f64::from(z[d] - goal[d]).powi(2)).sum();
    assert!((f64::from(latent_distance(&z[..DIM], &goal)) - squared.sqrt()).abs() < 1e-5);
    assert_eq!(rewards(&z), rewards(&vae.encode(&views(&pictures)).unwrap()));
    // The reward does not depend on the variance.
    let bias = vae.architecture.heads() + 1;
    vae.params.get_mut(bias)[DIM..].fill(9.0);
    vae.parameters_changed();
    assert_eq!(rewards(&z), rewards(&vae.encode(&views(&pictures)).unwrap()));
}

#[test]
fn oracle_15_a_refresh_without_training_changes_nothing() {
    let mut vae = vae(48, SIZES[1].1, 2, true);
    let (pictures, noise) = data(&vae.architecture, 50, DIM, 6);
    let first = posteriors(&mut vae, &views(&pictures));
    assert_eq!(first, posteriors(&mut vae, &views(&pictures)));
    // Training uses the same buffers; a gradient does not change later posteriors.
    vae.gradients(&views(&pictures), &noise, BETA).unwrap();
    assert_eq!(first, posteriors(&mut vae, &views(&pictures)));
    vae.update(&views(&pictures), &noise, BETA, 0).unwrap();
    assert_ne!(first, posteriors(&mut vae, &views(&pictures)));
}

#[test]
fn oracle_18_minibatches_and_steps_of_the_official_schedules() {
    let total = |config: &Config, epochs: u64| (0..epochs).map(|e| config.latent.updates_at(e)).sum::<u64>();
    let door = Config::resolve("door", vec![]).unwrap();
    assert_eq!(total(&door, 170), 42_000);
    assert_eq!(total(&door, 750), 98_000);
    let pusher = "name = \"pusher\"\n[latent]\nphases = [ { before_epoch = 10, every = 1, updates = 1000 }, \
                  { before_epoch = 100, every = 1, updates = 200 }, { every = 2, updates = 200 } ]";
    assert_eq!(total(&Config::parse(pusher, "pusher.toml", vec![]).unwrap(), 1000), 118_000);
    for (steps, epochs) in [(10_500, 1), (95_000, 170), (10_501, 2), (10_000, 0), (1, 0)] {
        let run = crate::config::RunConfig { steps, ..door.run.clone() };
        assert_eq!(run.epochs(), epochs, "{steps} steps");
    }
}

#[test]
fn an_update_repeats_to_the_bit() {
    for threads in [1, 2, 3] {
        let run = || {
            let mut vae = vae(48, SIZES[1].1, threads, true);
            for step in 0..2 {
                let (pictures, noise) = data(&vae.architecture, 33, DIM, step);
                vae.update(&views(&pictures), &noise, BETA, 0).unwrap();
            }
            (vae.params.values, vae.adam)
        };
        assert_eq!(run(), run());
    }
}

#[test]
fn a_nan_anywhere_is_refused_and_nothing_moves() {
    for tensor in vae(48, SIZES[1].1, 2, true).params.tensors {
        let mut vae = vae(48, SIZES[1].1, 2, true);
        let (name, at) = (tensor.name, tensor.start);
        vae.params.values[at] = f32::NAN;
        vae.parameters_changed();
        let (before, moments) = (vae.params.values.clone(), vae.adam.clone());
        let (pictures, noise) = data(&vae.architecture, 9, DIM, 0);
        let refused = vae.update(&views(&pictures), &noise, BETA, 0);
        assert!(matches!(refused, Err(crate::error::Error::NotFinite(_))), "{name}: {refused:?}");
        let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&vae.params.values), bits(&before));
        assert_eq!(vae.adam, moments);
    }
}

#[test]
fn initial_values_are_bounded_as_stated() {
    for init in [LinearInit::Small, LinearInit::FanIn] {
        let linear = |inputs: f32| if init == LinearInit::Small { 1e-3 } else { 1.0 / inputs.sqrt() };
        let cfg = LatentConfig { init, ..config(OFFICIAL[0].1) };
        let vae = Vae::new(&cfg, 48, &Workers::new(1), &mut stream(1, "init", &[])).unwrap();
        for (i, tensor) in vae.params.tensors.iter().enumerate() {
            let want = match tensor.name.as_str() {
                "encoder.conv0.weight" => 1.0 / 75f32.sqrt(),
                "encoder.conv1.weight" | "decoder.deconv1.weight" => 1.0 / 144f32.sqrt(),
                "encoder.conv2.weight" | "decoder.deconv0.weight" => 1.0 / 288f32.sqrt(),
                "decoder.deconv2.weight" => 1.0 / 108f32.sqrt(),
                name if name.contains("conv") => 0.0,
                name if name.starts_with("decoder.flat") => linear(DIM as f32),
                _ => linear(576.0),
            };
            let top = vae.params.get(i).iter().fold(0.0f32, |top, w| top.max(w.abs()));
            assert!(top <= want * 1.000_001 && top >= 0.5 * want, "{}: {top} {want}", tensor.name);
        }
    }
}

/// Posterior means of two pictures that differ in a disc of 4 x 4 pixels, before any update: within 1e-3 the difference is at
/// the precision of f32, within 1/sqrt(n) it is not.
#[test]
fn a_small_object_moves_the_means_of_a_new_encoder_by_fan_in() {
    let pictures = [8, 30].map(|at| {
        let inside = |i: usize| (at..at + 4).contains(&(i / 48)) && (at..at + 4).contains(&(i % 48));
        (0..48 * 48 * 3).map(|i| if inside(i / 3) { 255 } else { 180 }).collect::<Vec<u8>>()
    });
    let apart = |init| {
        let cfg = LatentConfig { init, ..config(OFFICIAL[0].1) };
        let mut vae = Vae::new(&cfg, 48, &Workers::new(1), &mut stream(1, "init", &[])).unwrap();
        let rows = posteriors(&mut vae, &views(&pictures));
        (0..DIM).map(|d| (rows[d] - rows[2 * DIM + d]).abs()).fold(0.0, f32::max)
    };
    let (small, fan_in) = (apart(LinearInit::Small), apart(LinearInit::FanIn));
    assert!(small < 1e-5 && fan_in > 1e-3, "{small} {fan_in}");
}
