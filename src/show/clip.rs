//! Attempts as moving pictures: camera | goal, side by side in a grid, enlarged by a whole factor, as one GIF.
//!
//! All frames share one palette: exact up to 255 colours, else by boxes cut in halves. A frame after the
//! first holds the rectangle that changed. The same input gives the same bytes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use skewfit_envs::Image;

use crate::error::{Error, Result};
use crate::learn::episode::Episode;

/// Most frames of a clip; longer episodes skip some.
const MOST_FRAMES: usize = 64;
/// Of a frame, and of the last one, hundredths of a second.
const DELAY: u16 = 8;
const HOLD: u16 = 150;
/// Between camera and goal, and between attempts, pixels before enlarging.
const THIN: usize = 1;
const WIDE: usize = 4;
/// Pixels that are seen without being shrunk.
const PAGE: usize = 830;
const WHITE: Rgb = [255; 3];

type Rgb = [u8; 3];

/// What was seen on the way to a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// In order; at least one.
    pub frames: Vec<Image>,
    /// The picture to reach, as large as the frames.
    pub goal: Image,
}

impl Clip {
    /// Every k-th frame and the last, at most `MOST_FRAMES` + 1.
    #[must_use]
    pub fn of(episode: &Episode) -> Self {
        let size = episode.image_size;
        let image = |pixels: &[u8]| Image { size, pixels: pixels.to_vec() };
        let (last, stride) = (episode.steps(), episode.steps().div_ceil(MOST_FRAMES).max(1));
        let shown = (0..last).step_by(stride).chain([last]);
        Self { frames: shown.map(|t| image(episode.frame(t))).collect(), goal: image(&episode.goal_image) }
    }
}

/// Writes a GIF of clips in rows of `columns`, as wide as a page takes, pixels enlarged up to four times.
///
/// # Errors
/// As [`gif()`]; `Io` where it cannot be written.
#[expect(clippy::disallowed_methods, reason = "pictures are drawn again where they are lost")]
pub fn save(path: &Path, clips: &[Clip], columns: usize) -> Result<()> {
    let size = clips.iter().flat_map(|c| &c.frames).map(|f| f.size).max().unwrap_or(0);
    let row = columns.min(clips.len()) * (2 * size + THIN + WIDE);
    let bytes = gif(clips, columns, (PAGE / row.max(1)).clamp(1, 4))?;
    std::fs::write(path, bytes)
        .map_err(|source| Error::Io { what: format!("{}: cannot write it", path.display()), source })
}

/// Clips in rows of `columns`, pixels enlarged `scale` times, 12 frames a second, the last held; shorter clips wait at their end.
///
/// # Errors
/// `Usage` where there is nothing to show or a GIF cannot hold it.
pub fn gif(clips: &[Clip], columns: usize, scale: usize) -> Result<Vec<u8>> {
    let refuse = |why: String| Error::Usage(format!("a clip cannot be made: {why}"));
    let size = clips.iter().flat_map(|c| &c.frames).map(|f| f.size).max().unwrap_or(0);
    let (columns, length) = (columns.min(clips.len()), clips.iter().map(|c| c.frames.len()).max().unwrap_or(0));
    let width = (columns * (2 * size + THIN + WIDE)).saturating_sub(WIDE);
    let height = (clips.len().div_ceil(columns.max(1)) * (size + WIDE)).saturating_sub(WIDE);
    let side = |pixels: usize| u16::try_from(pixels * scale).ok().filter(|side| *side > 0);
    let (Some(across), Some(down)) = (side(width), side(height)) else {
        return Err(refuse(format!("{width} x {height} pixels, enlarged {scale} times")));
    };
    let frames: Vec<Vec<Rgb>> = (0..length).map(|t| composed(clips, t, (size, columns), (width, height))).collect();
    let palette = Palette::of(&frames);
    let mut bytes = Vec::new();
    let failed = |e: gif::EncodingError| refuse(e.to_string());
    let mut encoder = gif::Encoder::new(&mut bytes, across, down, &palette.colors).map_err(failed)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(failed)?;
    let mut before: Option<Vec<u8>> = None;
    for (t, frame) in frames.iter().enumerate() {
        let now: Vec<u8> = frame.iter().map(|color| palette.index(color)).collect();
        let delay = if t + 1 == length { HOLD } else { DELAY };
        let part = Part::changed(before.as_deref(), &now, width);
        encoder.write_frame(&part.enlarged(scale, delay, palette.unused)).map_err(failed)?;
        before = Some(now);
    }
    drop(encoder); // writes the end
    Ok(bytes)
}

/// All attempts at frame `t`, rows from the top.
fn composed(clips: &[Clip], t: usize, (size, columns): (usize, usize), (width, height): (usize, usize)) -> Vec<Rgb> {
    let mut canvas = vec![WHITE; width * height];
    for (i, clip) in clips.iter().enumerate() {
        let (x, y) = (i % columns * (2 * size + THIN + WIDE), i / columns * (size + WIDE));
        let camera = &clip.frames[t.min(clip.frames.len().saturating_sub(1))..];
        for (x, image) in [(x, camera.first()), (x + size + THIN, Some(&clip.goal))] {
            let Some(image) = image else { continue };
            for (k, row) in image.pixels.as_chunks::<3>().0.chunks_exact(image.size.max(1)).enumerate().take(size) {
                let from = (y + k) * width + x;
                let row = &row[..row.len().min(size)];
                canvas[from..from + row.len()].copy_from_slice(row);
            }
        }
    }
    canvas
}

/// At most 255 colours, and an index that none of them has.
struct Palette {
    colors: Vec<u8>,
    /// Every colour, where all have an index of their own.
    exact: BTreeMap<Rgb, u8>,
    /// Else an index for each [`cell`] that occurs.
    by_cell: Vec<u8>,
    unused: u8,
}

impl Palette {
    fn of(frames: &[Vec<Rgb>]) -> Self {
        let mut distinct = frames.concat();
        distinct.sort_unstable();
        distinct.dedup();
        if distinct.len() < 256 {
            let (colors, unused) =
                (distinct.iter().chain([&[0; 3]]).flatten().copied().collect(), distinct.len() as u8);
            return Self { colors, exact: distinct.into_iter().zip(0..).collect(), by_cell: Vec::new(), unused };
        }
        let mut cells: BTreeMap<usize, Rgb> = BTreeMap::new();
        for color in distinct {
            cells.entry(cell(&color)).or_insert(color);
        }
        let boxes = boxes(cells.values().copied().collect());
        let (mut colors, unused) = (Vec::new(), boxes.len() as u8);
        let mut by_cell = vec![unused; 1 << 15];
        for (within, index) in boxes.iter().zip(0..) {
            within.iter().for_each(|color| by_cell[cell(color)] = index);
            colors.extend(middle(within));
        }
        colors.extend([0; 3]);
        Self { colors, exact: BTreeMap::new(), by_cell, unused }
    }

    /// Of a colour that occurs.
    fn index(&self, color: &Rgb) -> u8 {
        let coarse = || self.by_cell.get(cell(color)).copied();
        self.exact.get(color).copied().or_else(coarse).unwrap_or(self.unused)
    }
}

/// The cube of 8 x 8 x 8 colours, of 32 x 32 x 32.
fn cell(color: &Rgb) -> usize {
    color.iter().fold(0, |cell, v| cell << 5 | usize::from(v >> 3))
}

/// 255 boxes of colours at most: the one with the longest side is halved across it, over and over. Each colour counts once,
/// however many pixels have it, so a small thing of a colour of its own keeps it beside a large wall.
fn boxes(colors: Vec<Rgb>) -> Vec<Vec<Rgb>> {
    let mut boxes = vec![colors];
    while boxes.len() < 255 {
        let sides = boxes.iter().enumerate().flat_map(|(i, within)| (0..3).map(move |c| (side(within, c), i, c)));
        let Some(((low, high), i, c)) = sides.max_by_key(|((low, high), ..)| high - low).filter(|s| s.0.0 < s.0.1)
        else {
            break;
        };
        let half = low + (high - low) / 2;
        let (lower, upper) = boxes.swap_remove(i).into_iter().partition(|color| color[c] <= half);
        boxes.extend([lower, upper]);
    }
    boxes
}

/// Lowest and highest value of a channel.
fn side(colors: &[Rgb], channel: usize) -> (u8, u8) {
    colors.iter().fold((u8::MAX, 0), |(low, high), color| (low.min(color[channel]), high.max(color[channel])))
}

fn middle(colors: &[Rgb]) -> Rgb {
    [0, 1, 2].map(|c| {
        let sum: usize = colors.iter().map(|color| usize::from(color[c])).sum();
        ((sum + colors.len() / 2) / colors.len().max(1)) as u8
    })
}

/// A rectangle of a frame; `None` = as it was.
struct Part {
    left: usize,
    top: usize,
    width: usize,
    pixels: Vec<Option<u8>>,
}

impl Part {
    /// The smallest rectangle with every change in it; one pixel where there is none.
    fn changed(before: Option<&[u8]>, now: &[u8], width: usize) -> Self {
        let differs = |i: &usize| before.is_none_or(|before| before[*i] != now[*i]);
        let places = || (0..now.len()).filter(differs).map(|i| (i % width, i / width));
        let ends = |of: fn((usize, usize)) -> usize| {
            (places().map(of).min().unwrap_or(0), places().map(of).max().unwrap_or(0))
        };
        let ((left, right), (top, bottom)) = (ends(|p| p.0), ends(|p| p.1));
        let inside = (top..=bottom).flat_map(|y| (left..=right).map(move |x| y * width + x));
        let pixels = inside.map(|i| differs(&i).then_some(now[i])).collect();
        Self { left, top, width: right - left + 1, pixels }
    }

    fn enlarged(&self, scale: usize, delay: u16, unused: u8) -> gif::Frame<'static> {
        let mut buffer = Vec::with_capacity(self.pixels.len() * scale * scale);
        for row in self.pixels.chunks_exact(self.width) {
            let wide: Vec<u8> = row.iter().flat_map(|p| std::iter::repeat_n(p.unwrap_or(unused), scale)).collect();
            (0..scale).for_each(|_| buffer.extend_from_slice(&wide));
        }
        let size = |pixels: usize| (pixels * scale) as u16; // parts of a frame whose sides fit
        gif::Frame {
            delay,
            dispose: gif::DisposalMethod::Keep,
            transparent: Some(unused),
            left: size(self.left),
            top: size(self.top),
            width: size(self.width),
            height: size(self.pixels.len() / self.width),
            buffer: Cow::Owned(buffer),
            ..gif::Frame::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::AnimationDecoder;

    fn decoded(bytes: &[u8]) -> Vec<image::Frame> {
        let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(bytes)).unwrap();
        decoder.into_frames().collect_frames().unwrap()
    }

    /// A dot that goes right in front of a ground with `colors` colours.
    fn clip(size: usize, frames: usize, colors: usize) -> Clip {
        let ground = |i: usize| {
            let k = i % colors;
            [(k % 64 * 4) as u8, (k / 64 % 64 * 4) as u8, 90]
        };
        let frame = |t: usize| {
            let pixel = |i: usize| if i == size * 2 + t % size { [250, 20, 20] } else { ground(i) };
            Image { size, pixels: (0..size * size).flat_map(pixel).collect() }
        };
        Clip { frames: (0..frames).map(frame).collect(), goal: frame(frames) }
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
                    assert_eq!(seen(left + 9), of(&clip.goal, x / 3, y / 3), "goal {i}");
                }
                assert_eq!(picture.get_pixel(3 * (left + 8), 3 * top).0[..3], WHITE, "a gap");
            }
        }
        let delays: Vec<u32> =
            frames.iter().map(|f| f.delay().numer_denom_ms().0 / f.delay().numer_denom_ms().1).collect();
        assert_eq!(delays, [80, 80, 80, 80, 1500]);
    }

    #[test]
    fn many_colours_stay_near_and_rare_ones_stay() {
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
    fn nothing_or_too_much_is_refused() {
        for (clips, scale) in [(vec![], 4), (vec![clip(8, 1, 3)], 0), (vec![clip(48, 1, 3)], 1000)] {
            assert!(matches!(gif(&clips, 4, scale), Err(Error::Usage(_))));
        }
        let one = gif(&[clip(8, 1, 3)], 4, 1).unwrap();
        assert_eq!(decoded(&one).len(), 1);
    }

    #[test]
    fn long_episodes_are_thinned_to_their_end() {
        let episode = |steps: usize| Episode {
            id: 0,
            image_size: 1,
            frames: (0..=steps).flat_map(|t| [(t % 251) as u8; 3]).collect(),
            proprio: vec![],
            proprio_dim: 0,
            actions: vec![0.0; steps],
            action_dim: 1,
            goal_image: vec![7; 3],
            goal_latent: vec![],
            goal_origin: crate::learn::episode::GoalOrigin::Prior,
            states: vec![],
            state_names: vec![],
            ending: skewfit_envs::Ending::Truncated,
        };
        for (steps, frames) in [(0, 1), (1, 2), (50, 51), (64, 65), (100, 51), (1000, 64)] {
            let clip = Clip::of(&episode(steps));
            assert_eq!((clip.frames.len(), clip.goal.pixels[0]), (frames, 7), "{steps}");
            assert_eq!(clip.frames.last().unwrap().pixels[0], (steps % 251) as u8);
        }
    }
}
