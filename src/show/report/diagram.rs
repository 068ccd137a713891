//! Diagrams of points, lines or bars over two named axes, each linear or logarithmic; several make a sheet.

use super::canvas::{Anchor, Bounds, Canvas, CanvasPoint, GRID, INK, Rgb, SOFT, WIDTH, text_width};
use super::panel::{COLORS, HEADING, SMALL, number, tick_step, ticks};

/// How marks are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkStyle {
    /// Small discs.
    Dots,
    /// Small grey discs: a background to compare the others with.
    Faint,
    /// A line from point to point.
    Line,
    /// A bar from the floor up to each point, almost as wide as the points are apart.
    Bars,
}

/// Points in one colour.
#[derive(Clone, Debug, PartialEq)]
pub struct Marks {
    /// Legend entry; empty = no entry.
    pub label: String,
    /// How they are drawn.
    pub style: MarkStyle,
    /// (x, y).
    pub points: Vec<(f64, f64)>,
}

/// What an axis measures, and how it is scaled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scale {
    /// Name with unit, such as `visits of the state's cell`.
    pub name: String,
    /// Logarithmic; values that are not above zero are left out.
    pub logarithmic: bool,
    /// Both ends of the axis; `None` = fitted to the values.
    pub ends: Option<(f64, f64)>,
}

/// One diagram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagram {
    /// Title above the diagram.
    pub heading: String,
    /// Horizontal axis.
    pub across: Scale,
    /// Vertical axis.
    pub up: Scale,
    /// Marks, in the order of drawing.
    pub marks: Vec<Marks>,
    /// Give both axes the same ends and draw the line y = x.
    pub diagonal: bool,
}

const FAINT: Rgb = [190, 190, 190];
const RADIUS: f64 = 1.75;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 44.0;

/// Maps values (or their logarithms) to pixels.
struct DiagramAxis {
    logarithmic: bool,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

/// Diagrams in rows of two, or a single one; those without points are left out. `None` if no diagram remains.
pub(super) fn sheet(diagrams: &[Diagram]) -> Option<Canvas> {
    let shown: Vec<&Diagram> = diagrams.iter().filter(|d| d.values(0).next().is_some()).collect();
    let columns = shown.len().min(2);
    let (width, height) = if columns == 1 { (520.0, 380.0) } else { (WIDTH / 2.0, 300.0) };
    let mut canvas = Canvas::new(width * columns as f64, height * shown.len().div_ceil(2) as f64);
    for (i, diagram) in shown.iter().enumerate() {
        let (x, y) = ((i % 2) as f64 * width, (i / 2) as f64 * height);
        diagram.draw(&mut canvas, Bounds { x, y, width, height });
    }
    (!shown.is_empty()).then_some(canvas)
}

impl Diagram {
    fn draw(&self, canvas: &mut Canvas, Bounds { x, y, width, height }: Bounds) {
        let (mut ends_across, mut ends_up) = (self.ends(0), self.ends(1));
        if self.diagonal {
            ends_across = (ends_across.0.min(ends_up.0), ends_across.1.max(ends_up.1));
            ends_up = ends_across;
        }
        let axis =
            |scale: &Scale, (low, high), from, to| DiagramAxis { logarithmic: scale.logarithmic, low, high, from, to };
        let across = axis(&self.across, ends_across, x + LEFT, x + width - RIGHT);
        let up = axis(&self.up, ends_up, y + height - BOTTOM, y + TOP);
        canvas.text((x + 8.0, y + 20.0), self.heading.as_str(), HEADING, INK, Anchor::Left);
        self.frame(canvas, (x, y), &across, &up);
        if self.diagonal {
            canvas.line(vec![(across.from, up.from), (across.to, up.to)], 1.0, SOFT);
        }
        for (marks, color) in self.marks.iter().zip(self.colors()) {
            let points = self.placed(marks, &across, &up);
            match marks.style {
                MarkStyle::Line if points.len() > 1 => canvas.line(points, 1.75, color),
                MarkStyle::Bars => bars(canvas, &points, up.from, color),
                _ => points.iter().for_each(|p| canvas.disc(*p, RADIUS, color)),
            }
        }
    }

    /// Draws grid, ticks, axis names and legend.
    fn frame(&self, canvas: &mut Canvas, (x, y): CanvasPoint, across: &DiagramAxis, up: &DiagramAxis) {
        canvas.text((x + 8.0, y + 40.0), self.up.name.as_str(), SMALL, INK, Anchor::Left);
        for (tick, label) in up.ticks(((up.from - up.to) / 30.0) as usize) {
            let level = up.at(tick);
            canvas.line(vec![(across.from, level), (across.to, level)], 0.75, GRID);
            canvas.text((across.from - 5.0, level + SMALL * 0.36), label, SMALL, SOFT, Anchor::Right);
        }
        for (tick, label) in across.ticks(((across.to - across.from) / 60.0) as usize) {
            let place = across.at(tick);
            canvas.line(vec![(place, up.from), (place, up.from + 4.0)], 0.75, SOFT);
            canvas.text((place, up.from + 4.0 + SMALL), label, SMALL, SOFT, Anchor::Middle);
        }
        canvas.line(vec![(across.from, up.from), (across.to, up.from)], 0.75, SOFT);
        let middle = (across.from + across.to) / 2.0;
        canvas.text((middle, up.from + 32.0), self.across.name.as_str(), SMALL, INK, Anchor::Middle);
        let mut right = across.to;
        for (marks, color) in self.marks.iter().zip(self.colors()).rev().filter(|(m, _)| !m.label.is_empty()) {
            canvas.text((right, y + 40.0), marks.label.as_str(), SMALL, INK, Anchor::Right);
            right -= text_width(&marks.label, SMALL) + 8.0;
            canvas.disc((right, y + 36.5), 3.0, color);
            right -= 12.0;
        }
    }

    fn colors(&self) -> Vec<Rgb> {
        let mut colors = COLORS.iter().cycle();
        let color = |m: &Marks| if m.style == MarkStyle::Faint { FAINT } else { *colors.next().unwrap_or(&INK) };
        self.marks.iter().map(color).collect()
    }

    fn placed(&self, marks: &Marks, across: &DiagramAxis, up: &DiagramAxis) -> Vec<CanvasPoint> {
        let sound = |(x, y): &&(f64, f64)| self.across.shows(*x) && self.up.shows(*y);
        marks.points.iter().filter(sound).map(|(x, y)| (across.at(across.scaled(*x)), up.at(up.scaled(*y)))).collect()
    }

    /// Values along axis 0 (x) or 1 (y) of all points that can be shown.
    fn values(&self, axis: usize) -> impl Iterator<Item = f64> + '_ {
        let points = self.marks.iter().flat_map(|m| &m.points);
        let shown = points.filter(|(x, y)| self.across.shows(*x) && self.up.shows(*y));
        shown.map(move |(x, y)| if axis == 0 { *x } else { *y })
    }

    /// Ends of axis 0 (x) or 1 (y) with a margin, in scaled values.
    fn ends(&self, axis: usize) -> (f64, f64) {
        let scale = if axis == 0 { &self.across } else { &self.up };
        if let Some(ends) = scale.ends {
            return ends;
        }
        let scaled = self.values(axis).map(|v| if scale.logarithmic { v.log10() } else { v });
        let (low, high) = scaled.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        // A nearly constant quantity is drawn flat; otherwise noise in its last digits would fill the axis.
        let least = 1e-3 * high.abs().max(low.abs()).max(1e-12);
        let room = (0.05 * (high - low)).max(least);
        let floor = axis == 1 && self.marks.iter().any(|m| m.style == MarkStyle::Bars);
        match (floor, scale.logarithmic) {
            (true, true) => (-0.3, high + room),
            (true, false) => (0.0, high + room),
            _ => (low - room, high + room),
        }
    }
}

impl Scale {
    fn shows(&self, value: f64) -> bool {
        value.is_finite() && (!self.logarithmic || value > 0.0)
    }
}

impl DiagramAxis {
    fn scaled(&self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }

    fn at(&self, scaled: f64) -> f64 {
        let part = ((scaled - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from + part * (self.to - self.from)
    }

    /// (scaled value, label). A logarithmic axis has powers of ten, and 2 and 5 between them if there are few.
    fn ticks(&self, most: usize) -> Vec<(f64, String)> {
        if !self.logarithmic {
            let step = tick_step(self.high - self.low, most.max(2));
            return ticks(self.low, self.high, step).map(|t| (t, number(t, step))).collect();
        }
        let decades = self.high - self.low;
        let step = (decades / most.max(2) as f64).ceil();
        let powers = ticks(self.low, self.high, step);
        let between: &[f64] = if decades < 2.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let below = (self.low.floor() < self.low).then(|| self.low.floor());
        let all = below.into_iter().chain(powers).flat_map(|p| between.iter().map(move |m| p + m.log10()));
        let inside = all.filter(|t| (self.low..=self.high).contains(t));
        inside.map(|t| (t, number(10f64.powf(t), 0.0))).collect()
    }
}

fn bars(canvas: &mut Canvas, points: &[CanvasPoint], floor: f64, color: Rgb) {
    let apart = points.windows(2).map(|w| (w[1].0 - w[0].0).abs()).fold(f64::INFINITY, f64::min);
    let half = if apart.is_finite() { 0.45 * apart } else { 8.0 };
    points.iter().for_each(|(x, y)| canvas.rect((x - half, *y), (x + half, floor), color));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(logarithmic: bool, low: f64, high: f64) -> DiagramAxis {
        DiagramAxis { logarithmic, low, high, from: 0.0, to: 100.0 }
    }

    #[test]
    fn linear_and_logarithmic_ticks() {
        let labels = |a: DiagramAxis, most| a.ticks(most).into_iter().map(|t| t.1).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(axis(false, 0.0, 10.0), 5), "0 2 4 6 8 10");
        assert_eq!(labels(axis(true, 0.0, 3.0), 5), "1 10 100 1k");
        assert_eq!(labels(axis(true, -0.1, 1.1), 5), "1 2 5 10");
        assert_eq!(labels(axis(true, -8.0, 0.0), 4), "1e−8 1e−6 1e−4 0.01 1");
        assert!((axis(true, 0.0, 2.0).at(axis(true, 0.0, 2.0).scaled(10.0)) - 50.0).abs() < 1e-9);
    }

    #[test]
    fn values_that_cannot_be_shown_are_left_out() {
        let marks =
            |points: &[(f64, f64)]| Marks { label: String::new(), style: MarkStyle::Dots, points: points.to_vec() };
        let scale = |logarithmic| Scale { name: String::new(), logarithmic, ends: None };
        let diagram = |points| Diagram { up: scale(true), marks: vec![marks(points)], ..Diagram::default() };
        assert!(sheet(&[diagram(&[(1.0, 0.0), (f64::NAN, 1.0), (1.0, -3.0)])]).is_none());
        let one = sheet(&[diagram(&[(1.0, 0.0), (2.0, 5.0)]), diagram(&[])]).unwrap();
        assert_eq!(one.width, 520.0);
        assert_eq!(diagram(&[(1.0, 0.0), (2.0, 5.0)]).values(0).collect::<Vec<_>>(), [2.0]);
    }
}
