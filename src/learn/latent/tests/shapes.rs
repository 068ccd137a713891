//! The whole VAE at random sizes: pictures, channels that are no multiple of a vector, latents, batches, threads.

use proptest::prelude::*;

use super::*;
use crate::learn::nn::tests::reference::shapes;

#[derive(Clone, Debug)]
struct VaeCase {
    size: usize,
    channels: Vec<usize>,
    dim: usize,
    pictures: usize,
    threads: usize,
    wide: bool,
}

fn case() -> impl Strategy<Value = VaeCase> {
    let numbers = (prop::collection::vec(2usize..=9, 4), 1usize..=7, 1usize..=12, 1usize..=4, any::<bool>());
    (0..SIZES.len(), numbers).prop_map(|(size, (channels, dim, pictures, threads, wide))| {
        let (size, like) = SIZES[size];
        let pictures = if size < 50 { pictures } else { pictures.div_ceil(3) }; // fewer pixels near a kink
        VaeCase { size, channels: channels[..like.len()].to_vec(), dim, pictures, threads, wide }
    })
}

impl VaeCase {
    fn vae(&self) -> Vae {
        let mut rng = stream(3, "vae-shape", &[self.size as u64]);
        let cfg = LatentConfig { dim: self.dim, ..config(&self.channels) };
        let mut vae = Vae::new(&cfg, self.size, &Workers::new(self.threads), &mut rng).unwrap();
        if self.wide {
            widen(&mut vae, &mut rng);
        }
        vae
    }

    /// Data that is farther from every kink than f32 rounding errors; `None` if none is found.
    fn data(&self, reference: &VaeReference) -> Option<(Vec<Vec<u8>>, Vec<f32>)> {
        let architecture = Architecture::new(self.size, self.dim, &self.channels).unwrap();
        let smooth = |(pictures, noise): &(Vec<Vec<u8>>, Vec<f32>)| {
            reference.margin.set(f64::INFINITY);
            reference.loss(&views(pictures), noise).unwrap();
            reference.margin.get() > 1e-6
        };
        (0..40).map(|seed| data(&architecture, self.pictures, self.dim, seed)).find(smooth)
    }
}

/// Facts, gradient and posteriors of one step.
fn run(case: &VaeCase, pictures: &[&[u8]], noise: &[f32]) -> (crate::learn::latent::VaeInfo, Vec<f32>, Vec<f32>) {
    let mut vae = case.vae();
    let mut posteriors = vec![0.0; pictures.len() * 2 * case.dim];
    vae.posteriors(pictures, &mut posteriors).unwrap();
    let info = vae.gradients(pictures, noise, BETA).unwrap();
    (info, vae.workspaces[0].gradient.clone(), posteriors)
}

proptest! {
    #![proptest_config(shapes(24))]

    #[test]
    fn the_vae_of_any_size_is_candles(case in case()) {
        let model = case.vae();
        let reference = reference(&model);
        let data = case.data(&reference);
        prop_assume!(data.is_some());
        let (pictures, noise) = data.unwrap();
        let pictures = views(&pictures);
        let (info, gradient, posteriors) = run(&case, &pictures, &noise);

        let (mean, log_variance) = reference.posterior(&reference.pictures(&pictures).unwrap()).unwrap();
        let want = flat(&Tensor::cat(&[mean, log_variance], 1).unwrap());
        prop_assert!(difference(&posteriors, &want) < 1e-5, "posteriors");
        let loss = reference.loss(&pictures, &noise).unwrap();
        prop_assert!((info.loss / scalar(&loss.loss) - 1.0).abs() < 1e-6, "{info:?}");
        let gradients = loss.objective.backward().unwrap();
        for (tensor, var) in model.params.tensors.iter().zip(&reference.vars) {
            let error = difference(&gradient[tensor.range()], &flat(gradients.get(var).unwrap()));
            prop_assert!(error < 1e-5, "{}: {error:e}", tensor.name);
        }
        prop_assert_eq!(run(&case, &pictures, &noise), (info, gradient, posteriors));
    }
}
