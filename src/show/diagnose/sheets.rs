//! The figures of the page that show pictures: latent traversals, exploration goals, reconstructions.

use skewfit_envs::Image;

use super::findings::Findings;
use super::sample::OwnGoal;
use crate::error::Result;
use crate::learn::learner::Learner;
use crate::show::report::diagnosis::{Figure, Strips};

/// Most dimensions shown, those with the largest variance.
pub const DIMENSIONS: usize = 16;
/// Offsets from the mean latent, in standard deviations of the posterior means.
const STEPS: [f64; 9] = [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0];
/// Goals shown from each end of the run.
const GOALS: usize = 20;
/// Frames reconstructed, spread over the first mapped state's range.
const RECONSTRUCTED: usize = 15;

pub fn traversals(found: &Findings, learner: &mut Learner) -> Result<Figure> {
    let (encoded, size) = (&found.encoded, found.cfg.env.image_size);
    let active = encoded.active().len();
    let n = found.sample.frames.len() as f32;
    let centre: Vec<f32> =
        (0..encoded.dim).map(|d| (0..n as usize).map(|i| encoded.mean(i)[d]).sum::<f32>() / n).collect();
    let mut row = |d: &usize| {
        let deviation = encoded.spread[*d].sqrt();
        let latents = STEPS.iter().flat_map(|step| {
            let mut z = centre.clone();
            z[*d] += (step * deviation) as f32;
            z
        });
        let pictures = learner.latent.decode(&latents.collect::<Vec<_>>())?;
        let pictures = pictures.chunks_exact(size * size * 3).map(|p| image(size, p)).collect();
        Ok((format!("z{d}, sd {deviation:.2}, KL {:.1}", encoded.kl[*d]), pictures))
    };
    Ok(Figure::Strips(Strips {
        heading: format!("Effect of each active dimension, around the mean latent: {active} of {}", encoded.dim),
        columns: STEPS.iter().map(|s| format!("{s:+} sd").replace("+0 ", "0 ").replace('-', "−")).collect(),
        rows: encoded.active().iter().take(DIMENSIONS).map(&mut row).collect::<Result<_>>()?,
    }))
}

pub fn gallery(found: &Findings) -> Figure {
    let size = found.cfg.env.image_size;
    let some = |goals: &[OwnGoal]| -> Vec<Image> {
        let n = GOALS.min(goals.len());
        (0..n).map(|i| image(size, &goals[i * goals.len() / n].picture)).collect()
    };
    let (early, late) = (&found.sample.early, &found.sample.late);
    let heading = |when: &str, goals: &[OwnGoal]| {
        let origin = goals.last().map_or("", |g| g.origin.name());
        format!("Exploration goals, {when} (source of the last one: {origin})")
    };
    Figure::Gallery(vec![(heading("early", early), some(early)), (heading("late", late), some(late))])
}

/// Reconstructions over the range of the first mapped state, or over log p if there are no states.
pub fn reconstructions(found: &Findings, learner: &mut Learner) -> Result<Figure> {
    let (size, frames) = (found.cfg.env.image_size, &found.sample.frames);
    let axis = found.axes().into_iter().next();
    let value = |i: usize| axis.as_ref().map_or(found.encoded.log_density[i], |(k, _)| frames[i].state[*k]);
    let name = axis.as_ref().map_or("log p", |(_, name)| name.as_str());
    let (low, high) =
        (0..frames.len()).map(value).fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
    let place = |k: usize| low + (high - low) * k as f64 / (RECONSTRUCTED - 1) as f64;
    let nearest = |k: usize| {
        (0..frames.len()).min_by(|a, b| (value(*a) - place(k)).abs().total_cmp(&(value(*b) - place(k)).abs()))
    };
    let mut chosen: Vec<usize> = (0..RECONSTRUCTED).filter_map(nearest).collect();
    chosen.dedup();
    let latents: Vec<f32> = chosen.iter().flat_map(|i| found.encoded.mean(*i)).copied().collect();
    let rebuilt = learner.latent.decode(&latents)?;
    let pairs = chosen.iter().zip(rebuilt.chunks_exact(size * size * 3));
    let pairs = pairs.map(|(i, r)| {
        (image(size, &frames[*i].picture), image(size, r), format!("{:.2}", value(*i)).replace('-', "−"))
    });
    Ok(Figure::Pairs(format!("VAE reconstructions over {name}"), ["camera", "reconstruction"], pairs.collect()))
}

fn image(size: usize, pixels: &[u8]) -> Image {
    Image { size, pixels: pixels.to_vec() }
}
