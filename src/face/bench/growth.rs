//! Measures how time and memory grow with stored steps, picture size, latents of a density, and threads.
//!
//! A straight line through the first and the last measurement shows linear growth.

use std::time::Instant;

use super::disk::door_episode;
use super::networks::{ACTIONS, encode, log_density, model, sac_step, vae_step};
use super::timing::{Work, repeat};
use super::units::unknown_unit;
use crate::config::{Config, overrides};
use crate::error::Result;
use crate::keep::provenance;
use crate::learn::episode::Episode;
use crate::learn::learner::Learner;
use crate::learn::nn::Workers;
use crate::show::report::Curve;
use crate::task::scene;

/// Measuring points of each curve.
struct Sizes {
    /// Stored steps, ascending.
    steps: &'static [usize],
    /// Sides of the picture, pixels.
    images: &'static [usize],
    /// Latents for each density.
    latents: &'static [usize],
    /// Threads, 1 first; some counts exceed the cores.
    threads: &'static [usize],
    /// Repetitions of a refresh, and of every other unit.
    repeats: [usize; 2],
}

const SIZES: Sizes = Sizes {
    steps: &[10_000, 25_000, 50_000, 100_000],
    images: &[24, 48, 84, 96],
    latents: &[1, 5, 10, 20, 40],
    threads: &[1, 2, 4],
    repeats: [3, 20],
};

/// Measures the curves of one of the [`GROWTH_UNITS`](super::GROWTH_UNITS) with the door's settings, on all cores.
///
/// # Errors
/// `Usage` for another unit.
pub fn growth(unit: &str) -> Result<Vec<Curve>> {
    measure(unit, "door", &SIZES)
}

fn measure(unit: &str, preset: &str, sizes: &Sizes) -> Result<Vec<Curve>> {
    match unit {
        "growth_buffer" => buffer(&with(preset, &[])?, sizes),
        "growth_image" => image(preset, sizes),
        "growth_latents" => latents(preset, sizes),
        "growth_threads" => threads(preset, sizes),
        _ => Err(unknown_unit(unit)),
    }
}

fn with(preset: &str, settings: &[String]) -> Result<Config> {
    Config::resolve(preset, settings.iter().map(|set| overrides::parse(set)).collect::<Result<_>>()?)
}

fn median_ms(n: usize, unit: &str, work: Work) -> Result<f64> {
    Ok(repeat(unit, n, 1, work)?.median_ms)
}

/// Time of a refresh, and resident memory, with a buffer that is filled with copies of one episode.
fn buffer(cfg: &Config, sizes: &Sizes) -> Result<Vec<Curve>> {
    let curve = |quantity, name| Curve::new(quantity, "stored steps", name);
    let mut time = curve("Refresh of latents and densities (s)", "");
    let [mut own, mut peak] = ["replay", "whole process, peak"].map(|name| curve("Resident memory (MB)", name));
    let mut scene = scene::build(&cfg.env, 0)?;
    let mut learner = Learner::new(&cfg.learner(), ACTIONS)?;
    let episode = door_episode(cfg, &mut *scene, &mut learner, 0)?;
    let latents = learner.latents(&episode)?;
    let (mut id, mut filled) = (0, 0.0);
    for &steps in sizes.steps {
        let before = provenance::resident_mb("VmRSS");
        while learner.replay.transitions() + episode.steps() <= steps {
            learner.add(Episode { id, ..episode.clone() }, latents.clone())?;
            id += 1;
        }
        let x = learner.replay.transitions() as f64;
        if let (Some(before), Some(after)) = (before, provenance::resident_mb("VmRSS")) {
            filled += after - before;
            own.points.push((x, filled));
        }
        let mut seconds = Vec::with_capacity(sizes.repeats[0]);
        for _ in 0..sizes.repeats[0] {
            let begun = Instant::now();
            learner.refresh(true, &mut || {})?;
            seconds.push(begun.elapsed().as_secs_f64());
        }
        seconds.sort_by(f64::total_cmp);
        time.points.push((x, seconds[seconds.len() / 2]));
        peak.points.extend(provenance::resident_mb("VmHWM").map(|mb| (x, mb)));
    }
    Ok(vec![time, own, peak])
}

/// Time of a VAE step and of encoding, in total and for each pixel.
fn image(preset: &str, sizes: &Sizes) -> Result<Vec<Curve>> {
    let names = ["VAE step of 128 pictures", "encoding of 512 pictures"];
    let curve = |quantity: &'static str| names.map(|name| Curve::new(quantity, "pixels of a picture", name));
    let (mut whole, mut each) = (curve("Time (ms)"), curve("Time a pixel (ns)"));
    for side in sizes.images {
        let cfg = with(preset, &[format!("env.image_size={side}")])?;
        let make = |pictures| model(&cfg, Workers::new(cfg.run.threads), pictures);
        let works: [(usize, Work); 2] = [(128, vae_step(make(128)?)), (512, encode(make(512)?))];
        let pixels = (side * side) as f64;
        for (i, (pictures, work)) in works.into_iter().enumerate() {
            let ms = median_ms(sizes.repeats[1], "growth_image", work)?;
            whole[i].points.push((pixels, ms));
            each[i].points.push((pixels, ms * 1e6 / (pixels * pictures as f64)));
        }
    }
    Ok([whole, each].concat())
}

fn latents(preset: &str, sizes: &Sizes) -> Result<Vec<Curve>> {
    let mut curve = Curve::new("Density of 512 pictures (ms)", "latents a picture", "");
    for n in sizes.latents {
        let cfg = with(preset, &[format!("density.latents={n}")])?;
        let work = log_density(model(&cfg, Workers::new(cfg.run.threads), 512)?, &cfg.density);
        curve.points.push((*n as f64, median_ms(sizes.repeats[1], "growth_latents", work)?));
    }
    Ok(vec![curve])
}

/// Speed of the standard units relative to one thread.
fn threads(preset: &str, sizes: &Sizes) -> Result<Vec<Curve>> {
    let names = ["SAC step", "VAE step", "encoding", "density"];
    let mut curves =
        names.map(|name| Curve { linear: false, ..Curve::new("Speed relative to one thread", "threads", name) });
    let mut alone = [0.0; 4];
    let cfg = with(preset, &[])?;
    for &threads in sizes.threads {
        let make = |pictures| model(&cfg, Workers::new(threads), pictures);
        let works = [
            sac_step(Workers::new(threads))?,
            vae_step(make(128)?),
            encode(make(512)?),
            log_density(make(512)?, &cfg.density),
        ];
        for (i, work) in works.into_iter().enumerate() {
            let ms = median_ms(sizes.repeats[1], "growth_threads", work)?;
            alone[i] = if threads == 1 { ms } else { alone[i] };
            curves[i].points.push((threads as f64, alone[i] / ms));
        }
    }
    Ok(curves.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Sizes =
        Sizes { steps: &[100, 200, 300], images: &[24, 48], latents: &[1, 3], threads: &[1, 3], repeats: [1, 1] };

    #[test]
    fn every_growth_unit_measures_its_curves_at_all_points() {
        for (unit, curves, points) in [
            ("growth_buffer", 3, &[100.0, 200.0, 300.0][..]),
            ("growth_image", 4, &[576.0, 2304.0]),
            ("growth_latents", 1, &[1.0, 3.0]),
            ("growth_threads", 4, &[1.0, 3.0]),
        ] {
            let measured = measure(unit, "door", &SMALL).unwrap();
            assert_eq!(measured.len(), curves, "{unit}");
            let has_memory = std::fs::exists("/proc/self/status").unwrap();
            for curve in measured.iter().filter(|c| has_memory || !c.quantity.contains("memory")) {
                let at: Vec<f64> = curve.points.iter().map(|p| p.0).collect();
                assert_eq!(at, points, "{curve:?}");
                assert!(curve.points.iter().all(|p| p.1 > 0.0 || curve.series == "replay"), "{curve:?}");
            }
        }
        assert!(measure("growth", "door", &SMALL).is_err());
    }
}
