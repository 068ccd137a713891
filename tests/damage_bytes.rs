//! Arbitrary bytes in the files that the program reads: damage is an error, never a panic and never different content.
//!
//! Sound samples are changed at random: bits flipped, bytes overwritten, pieces cut out, doubled, taken from another
//! sample. Each target runs for `SKEWFIT_FUZZ_S` seconds, default 1. `SKEWFIT_CORPUS` names a folder into which the
//! sound samples are written, as the first corpus of `fuzz/`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

#[path = "common/bytes.rs"]
mod bytes;
mod common;
#[path = "common/episodes.rs"]
mod episodes;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{record, trials};
use rand::{Rng as _, SeedableRng};
use skewfit::config::{Config, PRESETS};
use skewfit::keep::store::journal;
use skewfit::show::pictures::load_goal;
use skewfit_envs::Rng;

/// Damages `sample` in one of many ways, with pieces of `other`.
fn damaged(sample: &[u8], other: &[u8], draws: &mut Rng) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..draws.random_range(1..6) {
        let n = bytes.len().max(1);
        let (at, piece) = (draws.random_range(0..n), draws.random_range(0..32.min(n) + 1));
        let end = (at + piece).min(bytes.len());
        match draws.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << draws.random_range(0..8),
            1 if at < bytes.len() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff, b'{', b'"', b'\n'][draws.random_range(0..8)],
            2 => drop(bytes.drain(at.min(end)..end)),
            3 => bytes.truncate(at),
            4 => {
                let doubled = bytes[at.min(end)..end].to_vec();
                bytes.splice(at.min(end)..at.min(end), doubled);
            }
            _ if !other.is_empty() => {
                let from = draws.random_range(0..other.len());
                let taken = other[from..(from + piece).min(other.len())].to_vec();
                bytes.splice(at.min(end)..end, taken);
            }
            _ => {}
        }
    }
    bytes
}

/// Calls `read` with damaged samples until the time is over; returns their number. `read` asserts what is `promised`.
fn fuzz((goal, promised): (&str, &str), samples: &[Vec<u8>], mut read: impl FnMut(&[u8])) -> u64 {
    let seconds = std::env::var("SKEWFIT_FUZZ_S").ok().and_then(|s| s.parse().ok()).unwrap_or(1.0);
    if let Ok(corpus) = std::env::var("SKEWFIT_CORPUS") {
        let folder = Path::new(&corpus).join(goal);
        fs::create_dir_all(&folder).unwrap();
        (0..)
            .zip(samples)
            .for_each(|(i, sample): (usize, _)| fs::write(folder.join(format!("sound-{i}")), sample).unwrap());
    }
    let (begun, mut fed) = (Instant::now(), 0);
    let mut draws = Rng::seed_from_u64(17);
    let mut slowest = Duration::ZERO;
    while begun.elapsed().as_secs_f64() < seconds {
        let [sample, other] = [0, 1].map(|_| &samples[draws.random_range(0..samples.len())]);
        let bytes = damaged(sample, other, &mut draws);
        let at = Instant::now();
        read(&bytes);
        slowest = slowest.max(at.elapsed());
        fed += 1;
    }
    assert!(fed > 20, "{goal}: only {fed} inputs");
    let what = format!("damaged {goal} samples: {promised}, no panic; slowest {slowest:.1?}");
    record((&format!("G17-{goal}"), 17), &what, fed, begun);
    fed
}

#[test]
fn g17_configurations() {
    let texts: Vec<Vec<u8>> = PRESETS.iter().map(|p| p.text.as_bytes().to_vec()).collect();
    let promised = "refused, or settings that are the same when written and read again";
    fuzz(("configuration", promised), &texts, bytes::configuration);
}

#[test]
fn g17_shards_and_journals() {
    let dir = tempfile::tempdir().unwrap();
    let store = episodes::run(dir.path(), 3);
    let shards: Vec<Vec<u8>> = (0..3).map(|id| fs::read(dir.path().join(journal::shard_file(id))).unwrap()).collect();
    fuzz(("shard", "without its hash: refused, or an episode that can be written again"), &shards, bytes::shard);
    let lines = fs::read(dir.path().join(journal::FILE)).unwrap();
    let whole = journal::parse(&lines).lines;
    fuzz(("journal", "lines that were written, and no others"), &[lines], |bytes| {
        bytes::journal(bytes);
        for line in journal::parse(bytes).lines {
            assert!(whole.contains(&line), "a line that was never written: {line:?}");
        }
    });
    assert_eq!(store.verify().unwrap(), []);
}

#[test]
fn g17_checkpoints() {
    let saved = bytes::Checkpoint::saved();
    fuzz(("checkpoint", "refused, or the same content"), &saved.samples(), |bytes| saved.read(bytes));
}

#[test]
fn g17_pictures() {
    let image = image::RgbImage::from_fn(31, 17, |x, y| image::Rgb([x as u8 * 8, y as u8 * 9, 77]));
    let encoded = |format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let samples = [image::ImageFormat::Png, image::ImageFormat::Jpeg, image::ImageFormat::Gif].map(encoded);
    let place = bytes::Picture(tempfile::tempdir().unwrap());
    fuzz(("picture", "refused, or a picture of the asked size"), &samples, |bytes| place.read(bytes));
}

/// Every cut and many single bit flips of small samples are detected: by the hashes of journal and manifest, by the
/// checksum of a PNG, and by the identity of the configuration, which the checkpoint stores.
#[test]
fn g17_cut_anywhere_or_one_bit_flipped() {
    let begun = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let store = episodes::run(dir.path(), 3);
    let mut tried = 0;
    for id in 0..3 {
        let path = dir.path().join(journal::shard_file(id));
        tried += each_damage(&path, id, || store.episode(id).is_err());
    }
    let goal = dir.path().join("goal.png");
    for k in 0..3_u8 {
        let image = image::RgbImage::from_fn(9, 7, |x, y| image::Rgb([x as u8 * 8, y as u8 * 9, 77 * k]));
        image.save(&goal).unwrap();
        let sound = load_goal(&goal, 24).unwrap();
        tried += each_damage(&goal, 10 + u64::from(k), || load_goal(&goal, 24).map_or(true, |read| read == sound));
    }
    let file = dir.path().join("config.toml");
    for (k, preset) in ["door", "corridor", "corridor-tiny"].into_iter().enumerate() {
        let text = PRESETS.iter().find(|p| p.name == preset).unwrap().text;
        let config = Config::parse(text, preset, vec![]).unwrap();
        fs::write(&file, config.to_toml().unwrap()).unwrap();
        let known = |read: Config| {
            let same = read.identity_keys().unwrap() == config.identity_keys().unwrap();
            same || read.identity().unwrap() != config.identity().unwrap()
        };
        tried += each_damage(&file, 20 + k as u64, || Config::of_run(dir.path(), vec![]).map_or(true, known));
    }
    let what = "three shards, pictures and configurations, cut at every byte, and with single bits flipped: refused, read unchanged, or another experiment's identity (configurations)";
    record(("G17-cut", 17), what, tried, begun);
}

/// Cuts the file at every byte and flips single bits, up to ten thousand; `found` is true if the reader detected the
/// damage. Returns the number of trials.
fn each_damage(path: &Path, seed: u64, found: impl Fn() -> bool) -> u64 {
    let sound = fs::read(path).unwrap();
    let mut draws = Rng::seed_from_u64(seed);
    let flips = trials(300).min(10_000);
    let flip = |_| {
        let mut bytes = sound.clone();
        bytes[draws.random_range(0..sound.len())] ^= 1 << draws.random_range(0..8);
        bytes
    };
    let flipped: Vec<Vec<u8>> = (0..flips).map(flip).collect();
    let apart = if flips < 10_000 { 37 } else { 1 }; // every byte only in a long test run
    let cuts = (0..sound.len()).step_by(apart).map(|n| sound[..n].to_vec());
    let mut tried = 0;
    for bytes in cuts.chain(flipped) {
        fs::write(path, &bytes).unwrap();
        assert!(found(), "{}: {} bytes of {}", path.display(), bytes.len(), sound.len());
        tried += 1;
    }
    fs::write(path, sound).unwrap();
    tried
}
