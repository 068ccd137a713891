//! Colours of n visits: log n / log n_max from dark to light, grey for none; and their colour bar.

use super::{
    canvas::{Anchor, Canvas, CanvasPoint, INK, Rgb, SOFT},
    panel::{SMALL, number},
};

pub(super) const UNSEEN: Rgb = [238, 238, 238];
/// matplotlib's viridis (CC0) at 0, 1/8, ..., 1.
pub(super) const VIRIDIS: [Rgb; 9] = [
    [68, 1, 84],
    [71, 44, 122],
    [59, 81, 139],
    [44, 113, 142],
    [33, 144, 141],
    [39, 173, 129],
    [92, 200, 99],
    [170, 220, 50],
    [253, 231, 37],
];

pub(super) fn color_bar(canvas: &mut Canvas, (x, y): CanvasPoint, height: f64, most: u32) {
    let parts = 64;
    for i in 0..parts {
        let top = y + f64::from(i) / f64::from(parts) * height;
        let color = viridis(1.0 - (f64::from(i) + 0.5) / f64::from(parts));
        canvas.rect((x, top), (x + 12.0, top + height / f64::from(parts)), color);
    }
    let decades = (0..10).map(|p| 10u32.pow(p)).filter(|v| *v <= most);
    for visits in decades {
        let place = y + (1.0 - share(visits, most)) * height;
        canvas.line(vec![(x + 12.0, place), (x + 16.0, place)], 0.75, SOFT);
        canvas.text((x + 19.0, place + 4.0), number(f64::from(visits), 0.0), SMALL, SOFT, Anchor::Left);
    }
    canvas.text((x, y - 8.0), "visits", SMALL, INK, Anchor::Left);
    canvas.rect((x, y + height + 10.0), (x + 12.0, y + height + 22.0), UNSEEN);
    canvas.text((x + 19.0, y + height + 20.0), "never", SMALL, SOFT, Anchor::Left);
}

/// log n / log n_max, in [0, 1].
fn share(visits: u32, most: u32) -> f64 {
    f64::from(visits).ln() / f64::from(most.max(2)).ln()
}

pub(super) fn shade(visits: u32, most: u32) -> Rgb {
    viridis(share(visits, most))
}

pub(super) fn viridis(at: f64) -> Rgb {
    let place = at.clamp(0.0, 1.0) * 8.0;
    let (i, part) = ((place as usize).min(7), place - (place as usize).min(7) as f64);
    [0, 1, 2].map(|c| {
        let (low, high) = (f64::from(VIRIDIS[i][c]), f64::from(VIRIDIS[i + 1][c]));
        (low + (high - low) * part).round() as u8
    })
}
