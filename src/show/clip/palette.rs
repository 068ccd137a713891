//! One palette for all frames of a clip: exact up to 255 colours, else one colour per box of similar colours.

use std::collections::BTreeMap;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// At most 255 colours, and an index that no colour uses.
pub(super) struct Palette {
    /// Colours (n, 3).
    pub(super) colors: Vec<u8>,
    /// Colour -> index, if all colours fit; else empty.
    exact: BTreeMap<Rgb, u8>,
    /// Otherwise the index of each [`cell`] that occurs.
    by_cell: Vec<u8>,
    /// An index that no colour uses.
    pub(super) unused: u8,
}

impl Palette {
    pub(super) fn of(frames: &[Vec<Rgb>]) -> Self {
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

    /// Index of a colour that occurs.
    pub(super) fn index(&self, color: &Rgb) -> u8 {
        let coarse = || self.by_cell.get(cell(color)).copied();
        self.exact.get(color).copied().or_else(coarse).unwrap_or(self.unused)
    }
}

/// Which of 32 x 32 x 32 cubes of 8 x 8 x 8 colours contains a colour.
fn cell(color: &Rgb) -> usize {
    color.iter().fold(0, |cell, v| cell << 5 | usize::from(v >> 3))
}

/// At most 255 boxes of colours: the box with the longest side is halved repeatedly. Each colour counts once, however many
/// pixels have it, so a small object keeps its colour beside a large wall.
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

/// Lowest and highest value of a colour channel.
fn side(colors: &[Rgb], channel: usize) -> (u8, u8) {
    colors.iter().fold((u8::MAX, 0), |(low, high), color| (low.min(color[channel]), high.max(color[channel])))
}

fn middle(colors: &[Rgb]) -> Rgb {
    [0, 1, 2].map(|c| {
        let sum: usize = colors.iter().map(|color| usize::from(color[c])).sum();
        ((sum + colors.len() / 2) / colors.len().max(1)) as u8
    })
}
