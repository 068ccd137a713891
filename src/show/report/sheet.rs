//! Contact sheets: pairs of images side by side with captions, and galleries under headings. Whole factors enlarge the pixels.

use skewfit_envs::Image;

use super::{
    canvas::{Anchor, Canvas, INK, SOFT, WIDTH, text_width},
    panel::{HEADING, SMALL},
};

/// Most images or pairs in one block.
const MOST: usize = 24;
const MARGIN: f64 = 12.0;

/// Two images and a caption under them.
pub(super) type Pair<'a> = (&'a Image, &'a Image, &'a str);

/// The first [`MOST`] pairs in rows; `names` are the titles of the left and the right images. `None` without pairs.
pub(super) fn pairs(heading: &str, names: [&str; 2], pairs: &[Pair<'_>]) -> Option<Canvas> {
    let pairs = &pairs[..pairs.len().min(MOST)];
    let pixel = enlarged(pairs.iter().flat_map(|(a, b, _)| [*a, *b]), 96.0);
    let side = pairs.iter().map(|(a, b, _)| a.size.max(b.size)).max()? as f64 * pixel;
    let caption = if pairs.iter().all(|p| p.2.is_empty()) { 10.0 } else { 24.0 };
    let (cell, row) = (2.0 * side + 4.0 + 20.0, side + caption);
    let columns = columns(pairs.len(), cell, 20.0);
    let mut canvas = sheet(columns as f64 * cell - 20.0, heading);
    let top = 52.0;
    canvas.height = top + pairs.len().div_ceil(columns) as f64 * row + 4.0;
    for (i, (left, right, caption)) in pairs.iter().enumerate() {
        let (x, y) = (MARGIN + (i % columns) as f64 * cell, top + (i / columns) as f64 * row);
        for (x, image, name) in [(x, left, names[0]), (x + side + 4.0, right, names[1])] {
            canvas.image((x, y), image, pixel);
            if i < columns {
                canvas.text((x + side / 2.0, top - 6.0), name, SMALL, SOFT, Anchor::Middle);
            }
        }
        canvas.text((x + side + 2.0, y + side + 14.0), *caption, SMALL, INK, Anchor::Middle);
    }
    Some(canvas)
}

/// The first [`MOST`] images of each block in rows under its heading; `None` without images.
pub(super) fn gallery(blocks: &[(&str, &[Image])]) -> Option<Canvas> {
    let blocks: Vec<_> = blocks.iter().filter(|(_, images)| !images.is_empty()).collect();
    let all = || blocks.iter().flat_map(|(_, images)| &images[..images.len().min(MOST)]);
    let pixel = enlarged(all(), 72.0);
    let cell = all().map(|i| i.size).max()? as f64 * pixel + 4.0;
    let columns = columns(blocks.iter().map(|(_, images)| images.len()).max()?, cell, 4.0);
    let widest =
        blocks.iter().map(|(heading, _)| text_width(heading, HEADING)).fold(columns as f64 * cell - 4.0, f64::max);
    let mut canvas = Canvas::new((widest + 2.0 * MARGIN).ceil(), 0.0);
    let mut y = 0.0;
    for (heading, images) in blocks {
        canvas.text((MARGIN, y + 22.0), *heading, HEADING, INK, Anchor::Left);
        for (i, image) in images.iter().take(MOST).enumerate() {
            canvas.image((MARGIN + (i % columns) as f64 * cell, y + 32.0 + (i / columns) as f64 * cell), image, pixel);
        }
        y += 32.0 + images.len().min(MOST).div_ceil(columns) as f64 * cell + 4.0;
    }
    canvas.height = y + 8.0;
    Some(canvas)
}

fn sheet(content: f64, heading: &str) -> Canvas {
    let width = content.max(text_width(heading, HEADING)) + 2.0 * MARGIN;
    let mut canvas = Canvas::new(width.ceil(), 0.0);
    canvas.text((MARGIN, 22.0), heading, HEADING, INK, Anchor::Left);
    canvas
}

/// Logical pixels per image pixel such that the largest image is about `side` wide. A multiple of 1/2, since the PNG has two
/// pixels per logical pixel.
pub(super) fn enlarged<'a>(images: impl Iterator<Item = &'a Image>, side: f64) -> f64 {
    let largest = images.map(|i| i.size).max().unwrap_or(1).max(1) as f64;
    (2.0 * side / largest).round().max(1.0) / 2.0
}

fn columns(images: usize, cell: f64, gap: f64) -> usize {
    (((WIDTH - 2.0 * MARGIN + gap) / cell) as usize).clamp(1, images.max(1))
}
