//! A panel: lines with min-max bands against steps or time, two named axes, ticks at 1, 2, 5 x 10^n.
//!
//! Series differ in colour and in dashes, so a panel is readable without colour vision and in black and white.

use super::canvas::{Anchor, Bounds, Canvas, CanvasPoint, GRID, INK, Rgb, SOFT, text_width};

/// Okabe & Ito (2008), distinct for colour-blind readers too; yellow comes last.
pub(super) const COLORS: [Rgb; 8] = [
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [230, 159, 0],
    [86, 180, 233],
    [34, 34, 34],
    [240, 228, 66],
];

/// Lengths of strokes and gaps, logical pixels; empty = solid.
const DASHES: [&[f64]; 4] = [&[], &[9.0, 4.0], &[2.5, 3.0], &[9.0, 3.0, 2.5, 3.0]];

/// Colour and dashes of the `i`-th series.
pub(super) fn series_style(i: usize) -> (Rgb, &'static [f64]) {
    (COLORS[i % COLORS.len()], DASHES[i % DASHES.len()])
}

/// Size of ticks and axis names, logical pixels.
pub(super) const SMALL: f64 = 11.0;
/// Size of headings.
pub(super) const HEADING: f64 = 13.0;
/// Width of a series' line.
pub(super) const LINE: f64 = 1.75;
const LEFT: f64 = 44.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 38.0;

/// Name and unit of a horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct XAxis {
    pub(super) name: &'static str,
    /// Size of one unit of the tick labels: 1000 for thousands.
    pub(super) unit: f64,
}

/// One colour's line and band; all values are finite, x is on the axis that all series share.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Series {
    pub(super) line: Vec<CanvasPoint>,
    /// (x, lowest, highest); empty for a single run.
    pub(super) band: Vec<(f64, f64, f64)>,
}

/// A diagram of one quantity with a colour per series. `None` reserves the colour of a run without such values.
#[derive(Clone, Debug)]
pub(super) struct Panel {
    pub(super) heading: String,
    pub(super) series: Vec<Option<Series>>,
    /// Fixed ends of the vertical axis; `None` = fitted to the values.
    pub(super) ends: Option<(f64, f64)>,
    /// A horizontal line to compare with: (value, name).
    pub(super) constant: Option<(f64, &'static str)>,
}

/// A linear map of values to pixels.
struct PanelAxis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl PanelAxis {
    fn at(&self, value: f64) -> f64 {
        self.from + (value - self.low) / (self.high - self.low) * (self.to - self.from)
    }
}

impl Panel {
    /// Draws the panel with its heading and ticks within `bounds`; the horizontal axis reaches from 0 to `end`.
    pub(super) fn draw(&self, canvas: &mut Canvas, bounds: Bounds, x_axis: XAxis, end: f64) {
        let (Bounds { x, y, width, height }, XAxis { name, unit }) = (bounds, x_axis);
        let logarithmic = self.ends.is_none() && self.spans_decades();
        let (low, high) = self.ends.unwrap_or_else(|| self.range(logarithmic));
        let (bottom, right) = (y + height - BOTTOM, x + width - 16.0);
        let across = PanelAxis { low: 0.0, high: end, from: x + LEFT, to: right };
        let up = PanelAxis { low, high, from: bottom, to: y + TOP };
        let heading = if logarithmic { format!("{}, log scale", self.heading) } else { self.heading.clone() };
        canvas.text((x + 4.0, y + 20.0), heading, HEADING, INK, Anchor::Left);
        let step = if logarithmic {
            ((high - low) / 5.0).ceil().max(1.0)
        } else {
            tick_step(high - low, (((bottom - y - TOP) / 22.0) as usize).min(6))
        };
        for tick in ticks(low, high, step) {
            let level = up.at(tick);
            canvas.line(vec![(across.from, level), (right, level)], 0.75, GRID);
            let label = if logarithmic { number(10f64.powf(tick), 0.0) } else { number(tick, step) };
            canvas.text((across.from - 5.0, level + SMALL * 0.36), label, SMALL, SOFT, Anchor::Right);
        }
        let end = end / unit;
        let step = tick_step(end, ((right - across.from) / 50.0) as usize);
        for tick in ticks(0.0, end, step) {
            let place = across.at(tick * unit);
            canvas.line(vec![(place, bottom), (place, bottom + 4.0)], 0.75, SOFT);
            let label = number(tick, step);
            canvas.text((place, bottom + 4.0 + SMALL), label, SMALL, SOFT, Anchor::Middle);
        }
        let middle = (across.from + right) / 2.0;
        canvas.text((middle, bottom + 32.0), name, SMALL, SOFT, Anchor::Middle);
        canvas.line(vec![(across.from, bottom), (right, bottom)], 0.75, SOFT);
        let place = |v: f64| up.at(if logarithmic { v.log10() } else { v }.clamp(low, high));
        if let Some((value, name)) = self.constant {
            let level = place(value);
            canvas.dashed(vec![(across.from, level), (right, level)], 1.0, INK, &[5.0, 5.0]);
            let label = format!("{name}: {}", number(value, value.abs() / 10.0));
            let ends = (across.from + 4.0, right - 4.0);
            let x = self.label_x(ends, level, text_width(&label, SMALL), |(x, y)| (across.at(x), place(y)));
            canvas.text((x, level - 4.0), label, SMALL, INK, Anchor::Left);
        }
        let drawn = || self.series.iter().enumerate().filter_map(|(i, s)| Some((series_style(i), s.as_ref()?)));
        for ((color, _), series) in drawn() {
            let lower = series.band.iter().map(|(x, lowest, _)| (across.at(*x), place(*lowest)));
            let upper = series.band.iter().rev().map(|(x, _, highest)| (across.at(*x), place(*highest)));
            if series.band.len() > 1 {
                canvas.area(lower.chain(upper).collect(), color);
            }
        }
        for ((color, dashes), series) in drawn() {
            let points: Vec<CanvasPoint> = series.line.iter().map(|(x, y)| (across.at(*x), place(*y))).collect();
            match points[..] {
                [only] => canvas.disc(only, 3.0, color),
                _ => canvas.dashed(points, LINE, color, dashes),
            }
        }
    }

    /// The x at which a label of this width at this level covers fewer points: at the left end or at the right end.
    fn label_x(
        &self,
        (left, right): (f64, f64),
        level: f64,
        width: f64,
        at: impl Fn(CanvasPoint) -> CanvasPoint,
    ) -> f64 {
        let bands = |s: &Series| s.band.iter().flat_map(|(x, low, high)| [(*x, *low), (*x, *high)]).collect::<Vec<_>>();
        let points = self.series.iter().flatten().flat_map(|s| bands(s).into_iter().chain(s.line.iter().copied()));
        let points: Vec<CanvasPoint> =
            points.map(at).filter(|(_, y)| (level - 22.0..level + 6.0).contains(y)).collect();
        let covered = |from: f64| points.iter().filter(|(x, _)| (from..from + width).contains(x)).count();
        if covered(left) > covered(right - width) { right - width } else { left }
    }

    fn values(&self) -> impl Iterator<Item = f64> + '_ {
        let series = || self.series.iter().flatten();
        let lines = series().flat_map(|s| s.line.iter().map(|p| p.1));
        let bands = series().flat_map(|s| s.band.iter().flat_map(|b| [b.1, b.2]));
        lines.chain(bands).chain(self.constant.map(|c| c.0))
    }

    fn extent(&self) -> (f64, f64) {
        self.values().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
    }

    /// True if all values are above zero and span more than two powers of ten.
    fn spans_decades(&self) -> bool {
        let (low, high) = self.extent();
        low > 0.0 && high / low > 100.0
    }

    fn range(&self, logarithmic: bool) -> (f64, f64) {
        let (low, high) = self.extent();
        let (low, high) = if logarithmic { (low.log10(), high.log10()) } else { (low, high) };
        let room = match high - low {
            0.0 if high == 0.0 => 1.0,
            0.0 => high.abs() * 0.1,
            span => span * 0.06,
        };
        let near_zero = !logarithmic && low >= 0.0 && low < 0.4 * high;
        (if near_zero { 0.0 } else { low - room }, high + room)
    }
}

/// The smallest of 1, 2, 5 x 10^n that divides `span` into at most `most` parts.
pub(super) fn tick_step(span: f64, most: usize) -> f64 {
    let rough = span / most.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0].map(|m| m * power).into_iter().find(|step| *step >= rough * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

/// Multiples of `step` within [low, high].
pub(super) fn ticks(low: f64, high: f64, step: f64) -> impl Iterator<Item = f64> {
    let slack = 1e-9 * (high - low);
    let (first, last) = (((low - slack) / step).ceil(), ((high + slack) / step).floor());
    (0..=(last - first).clamp(0.0, 100.0) as u32).map(move |i| (first + f64::from(i)) * step)
}

/// `25k`, `1.5M`, `0.02`, `−3`: as many digits as ticks `step` apart need (`step` 0 = two significant digits).
pub(super) fn number(value: f64, step: f64) -> String {
    let size = value.abs().max(step);
    let (unit, suffix) = match size {
        s if s >= 1e9 || (s > 0.0 && s < 1e-3) => return scientific(value),
        s if s >= 1e6 => (1e6, "M"),
        s if s >= 1e3 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let finest = if step > 0.0 { step } else { value.abs() / 10.0 } / unit;
    let digits = if finest > 0.0 { (-finest.log10() - 1e-9).ceil().clamp(0.0, 6.0) as usize } else { 0 };
    let text = format!("{:.digits$}", value / unit);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "0" || text == "-0" { "0".into() } else { format!("{text}{suffix}").replace('-', "−") }
}

fn scientific(value: f64) -> String {
    let text = format!("{value:.1e}").replace(".0e", "e").replace('-', "−");
    if value == 0.0 { "0".into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_labels_short() {
        let labels = |low, high, most| {
            let step = tick_step(high - low, most);
            ticks(low, high, step).map(|t| number(t, step)).collect::<Vec<_>>().join(" ")
        };
        for (low, high, most, want) in [
            (0.0, 30_000.0, 6, "0 5k 10k 15k 20k 25k 30k"),
            (0.0, 2_000.0, 4, "0 500 1k 1.5k 2k"),
            (0.0, 1e6, 4, "0 500k 1M"),
            (-3.1, 0.2, 4, "−3 −2 −1 0"),
            (0.0, 0.3, 3, "0 0.1 0.2 0.3"),
            (0.0, 2e-4, 4, "0 5e−5 1e−4 1.5e−4 2e−4"),
            (5.51, 5.59, 4, "5.52 5.54 5.56 5.58"),
            (0.0, 3e9, 3, "0 1e9 2e9 3e9"),
        ] {
            assert_eq!(labels(low, high, most), want);
        }
        assert_eq!([0.01, 100.0, 1e4, 0.034].map(|v| number(v, 0.0)).join(" "), "0.01 100 10k 0.034");
    }
}
