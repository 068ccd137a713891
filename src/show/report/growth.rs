//! Small panels of measured growth: a disc per measurement, and the line of linear growth.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::canvas::{Anchor, Canvas, CanvasPoint, GRID, INK, SOFT, WIDTH, text_width};
use super::panel::{COLORS, HEADING, SMALL, number, tick_step, ticks};
use crate::error::{Error, Result};
use crate::keep::store::fs::disk_error;

/// One quantity, measured at several sizes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Curve {
    /// The measured quantity, with its unit.
    pub quantity: String,
    /// What the size counts, with its unit.
    pub against: String,
    /// Name of the series if several share a panel; else empty.
    pub series: String,
    /// True if growth should be linear: a straight line is drawn; else lines join the points.
    pub linear: bool,
    /// (size, value), sizes increasing.
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    /// A linear curve without points.
    #[must_use]
    pub fn new(quantity: &str, against: &str, series: &str) -> Self {
        let [quantity, against, series] = [quantity, against, series].map(str::to_owned);
        Self { quantity, against, series, linear: true, points: Vec::new() }
    }

    /// The value at `x` of the straight line through the first and the last point; `None` with fewer than two points.
    #[must_use]
    pub fn line(&self, x: f64) -> Option<f64> {
        match self.points[..] {
            [(x0, y0), .., (x1, y1)] if x1 > x0 => Some(y0 + (y1 - y0) * (x - x0) / (x1 - x0)),
            _ => None,
        }
    }

    /// Largest deviation of a point from that line, relative to the line.
    #[must_use]
    pub fn bend(&self) -> Option<f64> {
        let apart = self.points.iter().map(|(x, y)| Some((y / self.line(*x)? - 1.0).abs()));
        apart.collect::<Option<Vec<_>>>()?.into_iter().reduce(f64::max)
    }
}

const COLUMNS: usize = 2;
const SIZE: (f64, f64) = (WIDTH / COLUMNS as f64, 252.0);

/// Draws the curves into `dir` as `growth.svg` and `growth.png`; curves of one quantity share a panel.
///
/// # Errors
/// `Usage` if nothing was measured, `Io` if a file cannot be written.
pub fn growth(curves: &[Curve], dir: &Path) -> Result<Vec<PathBuf>> {
    let mut panels: Vec<Vec<&Curve>> = Vec::new();
    let finite =
        |c: &Curve| Curve { points: c.points.iter().copied().filter(|p| p.1.is_finite()).collect(), ..c.clone() };
    let curves: Vec<Curve> = curves.iter().map(finite).collect();
    for curve in curves.iter().filter(|c| !c.points.is_empty()) {
        match panels.iter_mut().find(|p| (&p[0].quantity, &p[0].against) == (&curve.quantity, &curve.against)) {
            Some(panel) => panel.push(curve),
            None => panels.push(vec![curve]),
        }
    }
    if panels.is_empty() {
        return Err(Error::Usage("nothing to draw; select units whose names begin with `growth_`".into()));
    }
    std::fs::create_dir_all(dir).map_err(|e| disk_error("make the directory", dir, &e))?;
    let mut canvas = Canvas::new(WIDTH, panels.len().div_ceil(COLUMNS) as f64 * SIZE.1 + 22.0);
    for (i, panel) in panels.iter().enumerate() {
        draw(&mut canvas, ((i % COLUMNS) as f64 * SIZE.0, (i / COLUMNS) as f64 * SIZE.1), panel);
    }
    let note = "disc: measured; line: straight through the first and the last disc (threads: from disc to disc)";
    canvas.text((8.0, canvas.height - 8.0), note, SMALL, SOFT, Anchor::Left);
    canvas.save(&dir.join("growth"), true)
}

fn draw(canvas: &mut Canvas, (x, y): CanvasPoint, curves: &[&Curve]) {
    let (left, right) = (x + 48.0, x + SIZE.0 - 20.0);
    let (top, bottom) = (y + 50.0, y + SIZE.1 - 46.0);
    let points = || curves.iter().flat_map(|c| c.points.iter().copied());
    let most = |of: fn(CanvasPoint) -> f64| points().map(of).fold(f64::MIN_POSITIVE, f64::max);
    let (across, up) = (most(|p| p.0), most(|p| p.1) * 1.06);
    let place =
        |(px, py): CanvasPoint| (left + px / across * (right - left), bottom - py.max(0.0) / up * (bottom - top));

    canvas.text((x + 4.0, y + 20.0), curves[0].quantity.as_str(), HEADING, INK, Anchor::Left);
    let step = tick_step(up, 5);
    for tick in ticks(0.0, up, step) {
        let level = place((0.0, tick)).1;
        canvas.line(vec![(left, level), (right, level)], 0.75, GRID);
        canvas.text((left - 5.0, level + SMALL * 0.36), number(tick, step), SMALL, SOFT, Anchor::Right);
    }
    let step = tick_step(across, 6);
    for tick in ticks(0.0, across, step) {
        let at = place((tick, 0.0)).0;
        canvas.line(vec![(at, bottom), (at, bottom + 4.0)], 0.75, SOFT);
        canvas.text((at, bottom + 4.0 + SMALL), number(tick, step), SMALL, SOFT, Anchor::Middle);
    }
    canvas.line(vec![(left, bottom), (right, bottom)], 0.75, SOFT);
    canvas.text(((left + right) / 2.0, bottom + 32.0), curves[0].against.as_str(), SMALL, INK, Anchor::Middle);

    let mut legend = x + 4.0;
    for (curve, color) in curves.iter().zip(COLORS) {
        if !curve.series.is_empty() {
            canvas.disc((legend + 4.0, y + 33.0), 3.5, color);
            canvas.text((legend + 11.0, y + 37.0), curve.series.as_str(), SMALL, INK, Anchor::Left);
            legend += 11.0 + text_width(&curve.series, SMALL) + 12.0;
        }
        let ends = || curve.points.first().into_iter().chain(curve.points.last()).copied();
        let line: Vec<CanvasPoint> =
            if curve.linear { ends().map(place).collect() } else { curve.points.iter().copied().map(place).collect() };
        canvas.line(line, 1.25, color);
        curve.points.iter().for_each(|point| canvas.disc(place(*point), 3.5, color));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(quantity: &str, series: &str, points: &[CanvasPoint]) -> Curve {
        Curve { points: points.to_vec(), ..Curve::new(quantity, "stored steps", series) }
    }

    #[test]
    fn the_line_joins_first_and_last_and_the_bend_is_measured_from_it() {
        let straight = curve("a", "", &[(10.0, 3.0), (20.0, 5.0), (40.0, 9.0)]);
        assert_eq!((straight.line(30.0), straight.bend()), (Some(7.0), Some(0.0)));
        let bent = curve("a", "", &[(0.0, 1.0), (1.0, 3.0), (2.0, 3.0)]);
        assert_eq!((bent.line(1.0), bent.bend()), (Some(2.0), Some(0.5)));
        for points in [&[][..], &[(1.0, 1.0)]] {
            assert_eq!((curve("a", "", points).line(1.0), curve("a", "", points).bend()), (None, None));
        }
    }

    /// `SKEWFIT_KEEP_PLOTS=<directory>` keeps the picture for inspection.
    #[test]
    fn a_panel_per_quantity_with_a_disc_per_measurement() {
        let at = |f: fn(f64) -> f64| [1e4, 2.5e4, 5e4, 1e5].map(|x| (x, f(x)));
        let curves = [
            curve("Refresh (s)", "", &at(|x| 0.3 + x * 9e-5)),
            curve("Resident memory (MB)", "replay", &at(|x| x * 0.0071)),
            curve("Resident memory (MB)", "process", &at(|x| 60.0 + x * 0.0074)),
            Curve { linear: false, ..curve("Odd", "", &[(1.0, 1.0), (2.0, 1.9), (4.0, f64::NAN)]) },
            curve("Not measured here", "", &[]),
        ];
        let dir = tempfile::tempdir().unwrap();
        let out = std::env::var("SKEWFIT_KEEP_PLOTS").map_or(dir.path().join("out"), PathBuf::from);
        let files = growth(&curves, &out).unwrap();
        let svg = std::fs::read_to_string(&files[0]).unwrap();
        let wanted =
            [("Refresh (s)", 1), ("Resident memory (MB)", 1), ("process", 1), ("stored steps", 3), ("100k", 2)];
        for (words, times) in wanted {
            assert_eq!(svg.matches(&format!("\n{words}\n")).count(), times, "{words}");
        }
        assert_eq!(svg.matches("<circle").count(), 4 + 8 + 2 + 2, "a disc per finite measurement, and one per name");
        assert!(!svg.contains("Not measured here"));
        assert!(matches!(growth(&curves[4..], &out), Err(Error::Usage(_))));
    }
}
