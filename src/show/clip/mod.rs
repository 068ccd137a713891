//! Animated GIFs of attempts: camera | goal pairs in a grid, enlarged by a whole factor.
//!
//! All frames share one palette, see `palette`. A frame after the first holds only the rectangle that changed. The same
//! input gives the same bytes.

mod palette;

use std::borrow::Cow;
use std::path::Path;

use skewfit_envs::Image;

use crate::error::{Error, Result};
use crate::learn::episode::Episode;
use palette::Palette;
pub use palette::Rgb;

/// Most frames of a clip, besides the last; longer episodes are thinned.
const MOST_FRAMES: usize = 64;
/// Duration of a frame, and of the last one, hundredths of a second.
const DELAY: u16 = 8;
const HOLD: u16 = 150;
/// Gap between camera and goal, and between attempts, pixels before enlarging.
const THIN: usize = 1;
const WIDE: usize = 4;
/// Width of a clip that pages show without shrinking it, pixels.
const PAGE: usize = 830;
const WHITE: Rgb = [255; 3];

/// Camera pictures of an attempt, and its goals.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// Camera pictures in order; at least one.
    pub frames: Vec<Image>,
    /// The goal picture of each frame, of the same size; the last one stays for the frames after it.
    pub goals: Vec<Image>,
}

impl Clip {
    /// Every k-th frame of an episode and the last one, at most `MOST_FRAMES` + 1.
    #[must_use]
    pub fn of(episode: &Episode) -> Self {
        let (last, stride) = (episode.steps(), episode.steps().div_ceil(MOST_FRAMES).max(1));
        let shown = || (0..last).step_by(stride).chain([last]);
        let goals = if episode.later_goals.is_empty() { 1 } else { usize::MAX };
        let goals = shown().take(goals).map(|t| episode.goal_image_at(t)).collect();
        Self { frames: shown().map(|t| episode.image(t)).collect(), goals }
    }
}

/// Writes a GIF of clips in rows of `columns`; pixels are enlarged up to four times, as far as a page is wide.
///
/// # Errors
/// As [`gif()`]; `Io` if it cannot be written.
#[expect(clippy::disallowed_methods, reason = "lost pictures can be redrawn")]
pub fn save(path: &Path, clips: &[Clip], columns: usize) -> Result<()> {
    let size = clips.iter().flat_map(|c| &c.frames).map(|f| f.size).max().unwrap_or(0);
    let row = columns.min(clips.len()) * (2 * size + THIN + WIDE);
    let bytes = gif(clips, columns, (PAGE / row.max(1)).clamp(1, 4))?;
    std::fs::write(path, bytes)
        .map_err(|source| Error::Io { what: format!("{}: cannot write it", path.display()), source })
}

/// A GIF of clips in rows of `columns`, pixels enlarged `scale` times, 12 frames per second. The last frame is held;
/// shorter clips stop at their last frame.
///
/// # Errors
/// `Usage` if there is no clip, or the picture is too large for a GIF.
pub fn gif(clips: &[Clip], columns: usize, scale: usize) -> Result<Vec<u8>> {
    let refuse = |why: String| Error::Usage(format!("cannot make a clip: {why}"));
    let length = clips.iter().map(|c| c.frames.len()).max().unwrap_or(0);
    let grid = ClipGrid::of(clips, columns);
    let (width, height) = (grid.width, grid.height);
    let side = |pixels: usize| u16::try_from(pixels * scale).ok().filter(|side| *side > 0);
    let (Some(across), Some(down)) = (side(width), side(height)) else {
        return Err(refuse(format!("{width} x {height} pixels, enlarged {scale} times")));
    };
    let frames: Vec<Vec<Rgb>> = (0..length).map(|t| composed(clips, t, &grid)).collect();
    let palette = Palette::of(&frames);
    let mut bytes = Vec::new();
    let failed = |e: gif::EncodingError| refuse(e.to_string());
    let mut encoder = gif::Encoder::new(&mut bytes, across, down, &palette.colors).map_err(failed)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(failed)?;
    let mut before: Option<Vec<u8>> = None;
    for (t, frame) in frames.iter().enumerate() {
        let now: Vec<u8> = frame.iter().map(|color| palette.index(color)).collect();
        let delay = if t + 1 == length { HOLD } else { DELAY };
        let part = ChangedRect::changed(before.as_deref(), &now, width);
        encoder.write_frame(&part.enlarged(scale, delay, palette.unused)).map_err(failed)?;
        before = Some(now);
    }
    drop(encoder); // writes the trailer
    Ok(bytes)
}

/// Layout of a clip, pixels before enlarging.
struct ClipGrid {
    /// Side of a picture.
    size: usize,
    /// Attempts in a row.
    columns: usize,
    width: usize,
    height: usize,
}

impl ClipGrid {
    fn of(clips: &[Clip], columns: usize) -> Self {
        let size = clips.iter().flat_map(|c| &c.frames).map(|f| f.size).max().unwrap_or(0);
        let columns = columns.min(clips.len());
        let width = (columns * (2 * size + THIN + WIDE)).saturating_sub(WIDE);
        let height = (clips.len().div_ceil(columns.max(1)) * (size + WIDE)).saturating_sub(WIDE);
        Self { size, columns, width, height }
    }
}

/// Picture `t`, or the last one.
fn at(pictures: &[Image], t: usize) -> Option<&Image> {
    pictures.get(t).or(pictures.last())
}

/// The picture of all attempts at frame `t`, (height, width).
fn composed(clips: &[Clip], t: usize, grid: &ClipGrid) -> Vec<Rgb> {
    let ClipGrid { size, columns, width, height } = *grid;
    let mut canvas = vec![WHITE; width * height];
    for (i, clip) in clips.iter().enumerate() {
        let (x, y) = (i % columns * (2 * size + THIN + WIDE), i / columns * (size + WIDE));
        for (x, image) in [(x, at(&clip.frames, t)), (x + size + THIN, at(&clip.goals, t))] {
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

/// A rectangle of a frame; a pixel is `None` if it did not change.
struct ChangedRect {
    left: usize,
    top: usize,
    width: usize,
    pixels: Vec<Option<u8>>,
}

impl ChangedRect {
    /// The smallest rectangle that contains every change; one pixel if there is no change.
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
        let size = |pixels: usize| (pixels * scale) as u16; // fits: the rectangle lies within a frame whose sides fit
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
mod tests;
