//! Decodes the GIFs and compares pixels, palettes and lengths; refusals.

use super::*;
use image::AnimationDecoder;

fn decoded(bytes: &[u8]) -> Vec<image::Frame> {
    let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(bytes)).unwrap();
    decoder.into_frames().collect_frames().unwrap()
}

/// A dot that moves right in front of a background with `colors` colours.
fn clip(size: usize, frames: usize, colors: usize) -> Clip {
    let ground = |i: usize| {
        let k = i % colors;
        [(k % 64 * 4) as u8, (k / 64 % 64 * 4) as u8, 90]
    };
    let frame = |t: usize| {
        let pixel = |i: usize| if i == size * 2 + t % size { [250, 20, 20] } else { ground(i) };
        Image { size, pixels: (0..size * size).flat_map(pixel).collect() }
    };
    Clip { frames: (0..frames).map(frame).collect(), goals: vec![frame(frames)] }
}

#[test]
fn few_colours_come_back_exactly_and_every_pixel_is_enlarged() {
    let clips = [clip(8, 5, 50), clip(8, 3, 60), clip(8, 1, 1)];
    let bytes = gif(&clips, 2, 3).unwrap();
    assert_eq!(bytes, gif(&clips, 2, 3).unwrap());
    let frames = decoded(&bytes);
    assert_eq!(frames.len(), 5);
    let of = |image: &Image, x: u32, y: u32| image.pixels.as_chunks::<3>().0[(y * 8 + x) as usize];
    for (t, frame) in frames.iter().enumerate() {
        let picture = frame.buffer();
        assert_eq!((picture.width(), picture.height()), (3 * (2 * 17 + 4), 3 * (2 * 8 + 4)));
        for (i, clip) in clips.iter().enumerate() {
            let (left, top) = (i as u32 % 2 * 21, i as u32 / 2 * 12);
            for (x, y) in (0..24).flat_map(|y| (0..24).map(move |x| (x, y))) {
                let seen = |left: u32| picture.get_pixel(3 * left + x, 3 * top + y).0[..3].to_vec();
                let camera = &clip.frames[t.min(clip.frames.len() - 1)];
                assert_eq!(seen(left), of(camera, x / 3, y / 3), "camera {i} at {t}");
                assert_eq!(seen(left + 9), of(&clip.goals[0], x / 3, y / 3), "goal {i}");
            }
            assert_eq!(picture.get_pixel(3 * (left + 8), 3 * top).0[..3], WHITE, "a gap");
        }
    }
    let delays: Vec<u32> = frames.iter().map(|f| f.delay().numer_denom_ms().0 / f.delay().numer_denom_ms().1).collect();
    assert_eq!(delays, [80, 80, 80, 80, 1500]);
}

#[test]
fn many_colours_are_approximated_and_rare_ones_are_kept() {
    let clips = [clip(48, 12, 2304)];
    let bytes = gif(&clips, 8, 4).unwrap();
    assert_eq!(bytes, gif(&clips, 8, 4).unwrap());
    for (frame, seen) in clips[0].frames.iter().zip(decoded(&bytes)) {
        let apart = frame.pixels.as_chunks::<3>().0.iter().enumerate().map(|(i, want)| {
            let got = seen.buffer().get_pixel((i % 48 * 4) as u32 + 1, (i / 48 * 4) as u32 + 2).0;
            want.iter().zip(got).map(|(a, b)| a.abs_diff(b)).max().unwrap()
        });
        let apart = apart.max().unwrap();
        assert!(apart <= 24, "{apart}");
    }
}

#[test]
fn an_empty_or_too_large_clip_is_refused() {
    for (clips, scale) in [(vec![], 4), (vec![clip(8, 1, 3)], 0), (vec![clip(48, 1, 3)], 1000)] {
        assert!(matches!(gif(&clips, 4, scale), Err(Error::Usage(_))));
    }
    let one = gif(&[clip(8, 1, 3)], 4, 1).unwrap();
    assert_eq!(decoded(&one).len(), 1);
}

#[test]
fn long_episodes_are_thinned_and_keep_their_last_frame() {
    let episode = |steps: usize| Episode {
        id: 0,
        image_size: 1,
        frames: (0..=steps).flat_map(|t| [(t % 251) as u8; 3]).collect(),
        proprio: vec![],
        proprio_dim: 0,
        actions: vec![0.0; steps],
        action_dim: 1,
        goal: crate::learn::episode::EpisodeGoal::first(vec![7; 3], vec![], crate::learn::episode::GoalOrigin::Prior),
        later_goals: vec![],
        states: vec![],
        state_names: vec![],
        ending: skewfit_envs::Ending::Truncated,
    };
    for (steps, frames) in [(0, 1), (1, 2), (50, 51), (64, 65), (100, 51), (1000, 64)] {
        let clip = Clip::of(&episode(steps));
        assert_eq!((clip.frames.len(), clip.goals[0].pixels[0]), (frames, 7), "{steps}");
        assert_eq!(clip.frames.last().unwrap().pixels[0], (steps % 251) as u8);
    }
}
