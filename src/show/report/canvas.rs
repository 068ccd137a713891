//! A canvas of items in logical pixels; plotters renders it as PNG (two pixels per logical pixel) and as SVG.
//!
//! The PNG is drawn at four times the size and averaged 2 x 2: lines and letters become smooth, pictures stay exact.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Once,
};

use plotters::{
    prelude::*,
    style::{
        FontFamily,
        text_anchor::{HPos, Pos, VPos},
    },
};
use skewfit_envs::Image;

use super::dashes::strokes;
pub(super) use super::geometry::{Bounds, CanvasPoint};
use crate::error::{Error, Result};
pub(super) use crate::show::clip::Rgb;

pub(super) const INK: Rgb = [34, 34, 34];
pub(super) const SOFT: Rgb = [96, 96, 96];
pub(super) const GRID: Rgb = [226, 226, 226];
/// Width of every picture unless it holds more, logical pixels.
pub(super) const WIDTH: f64 = 800.0;

/// Which point of a text its position names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Anchor {
    Left,
    Middle,
    Right,
}

#[derive(Debug)]
enum CanvasItem {
    Line { points: Vec<CanvasPoint>, width: f64, color: Rgb },
    Area { points: Vec<CanvasPoint>, color: Rgb },
    Rect { from: CanvasPoint, to: CanvasPoint, color: Rgb },
    Disc { at: CanvasPoint, radius: f64, color: Rgb },
    Text { at: CanvasPoint, text: String, em: f64, color: Rgb, anchor: Anchor },
}

/// Items, drawn in the order in which they were added.
#[derive(Debug)]
pub(super) struct Canvas {
    pub(super) width: f64,
    pub(super) height: f64,
    items: Vec<CanvasItem>,
}

/// Device units per logical pixel.
const SCALE: f64 = 4.0;
const BAND_ALPHA: f64 = 0.2;

/// How a backend of plotters differs from the canvas.
struct Device {
    /// plotters' font size for one em.
    size: f64,
    /// From the top of plotters' text to the baseline, em.
    baseline: f64,
    /// Draw thick lines segment by segment with round joints: plotters' own bitmap joints have spikes.
    by_segment: bool,
}

const BITMAP: Device = Device { size: 1.164, baseline: 0.582, by_segment: true };
const SVG: Device = Device { size: 1.24, baseline: 0.76, by_segment: false };

impl Canvas {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Self { width, height, items: vec![] }
    }

    pub(super) fn line(&mut self, points: Vec<CanvasPoint>, width: f64, color: Rgb) {
        self.items.push(CanvasItem::Line { points, width, color });
    }

    /// A dashed line; `lengths` alternates strokes and gaps, logical pixels. Solid if it is empty.
    pub(super) fn dashed(&mut self, points: Vec<CanvasPoint>, width: f64, color: Rgb, lengths: &[f64]) {
        if lengths.iter().sum::<f64>() <= 0.0 {
            return self.line(points, width, color);
        }
        for stroke in strokes(&points, lengths) {
            self.line(stroke, width, color);
        }
    }

    /// A closed outline, filled with a pale tint of `color`.
    pub(super) fn area(&mut self, points: Vec<CanvasPoint>, color: Rgb) {
        self.items.push(CanvasItem::Area { points, color });
    }

    pub(super) fn rect(&mut self, from: CanvasPoint, to: CanvasPoint, color: Rgb) {
        self.items.push(CanvasItem::Rect { from, to, color });
    }

    pub(super) fn disc(&mut self, at: CanvasPoint, radius: f64, color: Rgb) {
        self.items.push(CanvasItem::Disc { at, radius, color });
    }

    /// A text; `at` lies on its baseline.
    pub(super) fn text(&mut self, at: CanvasPoint, text: impl Into<String>, em: f64, color: Rgb, anchor: Anchor) {
        self.items.push(CanvasItem::Text { at, text: text.into(), em, color, anchor });
    }

    /// An image; each of its pixels becomes a square of `side` logical pixels.
    pub(super) fn image(&mut self, (x, y): CanvasPoint, image: &Image, side: f64) {
        for (i, rgb) in image.pixels.as_chunks::<3>().0.iter().enumerate().take(image.size * image.size) {
            let from = (x + (i % image.size) as f64 * side, y + (i / image.size) as f64 * side);
            self.rect(from, (from.0 + side, from.1 + side), *rgb);
        }
    }

    /// Writes `stem`.png and, if `svg`, `stem`.svg; returns the files.
    pub(super) fn save(&self, stem: &Path, svg: bool) -> Result<Vec<PathBuf>> {
        let png = stem.with_extension("png");
        write(&png, &self.png()?)?;
        if !svg {
            return Ok(vec![png]);
        }
        let vector = stem.with_extension("svg");
        write(&vector, self.svg()?.as_bytes())?;
        Ok(vec![vector, png])
    }

    fn device_size(&self) -> (u32, u32) {
        ((self.width * SCALE) as u32, (self.height * SCALE) as u32)
    }

    fn png(&self) -> Result<Vec<u8>> {
        let (width, height) = self.device_size();
        let mut fine = vec![255; width as usize * height as usize * 3];
        self.paint(BitMapBackend::with_buffer(&mut fine, (width, height)), &BITMAP)?;
        let (row, half) = (width as usize * 3, (width as usize / 2, height as usize / 2));
        let corners = [0, 3, row, row + 3];
        let mut pixels = Vec::with_capacity(half.0 * half.1 * 3);
        for (y, x) in (0..half.1).flat_map(|y| (0..half.0).map(move |x| (y, x))) {
            let at = y * 2 * row + x * 6;
            pixels.extend((0..3).map(|c| (corners.iter().map(|k| u32::from(fine[at + k + c])).sum::<u32>() / 4) as u8));
        }
        let mut png = std::io::Cursor::new(vec![]);
        let (kind, format) = (image::ColorType::Rgb8, image::ImageFormat::Png);
        image::write_buffer_with_format(&mut png, &pixels, width / 2, height / 2, kind, format).map_err(failed)?;
        Ok(png.into_inner())
    }

    fn svg(&self) -> Result<String> {
        let (width, height) = self.device_size();
        let mut text = String::new();
        self.paint(SVGBackend::with_string(&mut text, (width, height)), &SVG)?;
        let natural = format!("width=\"{width}\" height=\"{height}\" viewBox");
        let logical = format!("width=\"{}\" height=\"{}\" viewBox", self.width, self.height);
        Ok(text.replacen(&natural, &logical, 1))
    }

    fn paint<B: DrawingBackend>(&self, backend: B, device: &Device) -> Result<()> {
        register_font();
        let area = backend.into_drawing_area();
        area.fill(&WHITE).map_err(failed)?;
        for item in &self.items {
            paint(&area, item, device).map_err(failed)?;
        }
        area.present().map_err(failed)
    }
}

type Area<B> = DrawingArea<B, plotters::coord::Shift>;
type Painted<B> = Result<(), DrawingAreaErrorKind<<B as DrawingBackend>::ErrorType>>;

fn paint<B: DrawingBackend>(area: &Area<B>, item: &CanvasItem, device: &Device) -> Painted<B> {
    let rgb = |c: &Rgb| RGBColor(c[0], c[1], c[2]);
    match item {
        CanvasItem::Line { points, width, color } => {
            let stroke = rgb(color).stroke_width((width * SCALE) as u32);
            let points: Vec<_> = points.iter().map(|p| scaled(*p)).collect();
            if !device.by_segment || points.len() <= 2 {
                return area.draw(&PathElement::new(points, stroke));
            }
            let joint = (width * SCALE / 2.0) as i32;
            for pair in points.windows(2) {
                area.draw(&PathElement::new(pair, stroke))?;
                area.draw(&Circle::new(pair[1], joint, stroke.filled()))?;
            }
            Ok(())
        }
        CanvasItem::Area { points, color } => {
            let points: Vec<_> = points.iter().map(|p| scaled(*p)).collect();
            area.draw(&Polygon::new(points, rgb(color).mix(BAND_ALPHA).filled()))
        }
        CanvasItem::Rect { from, to, color } => {
            area.draw(&Rectangle::new([scaled(*from), scaled(*to)], rgb(color).filled()))
        }
        CanvasItem::Disc { at, radius, color } => {
            area.draw(&Circle::new(scaled(*at), (radius * SCALE) as i32, rgb(color).filled()))
        }
        CanvasItem::Text { at, text, em, color, anchor } => {
            let h = match anchor {
                Anchor::Left => HPos::Left,
                Anchor::Middle => HPos::Center,
                Anchor::Right => HPos::Right,
            };
            let color = rgb(color);
            let style = TextStyle::from((FontFamily::SansSerif, em * SCALE * device.size))
                .color(&color)
                .pos(Pos::new(h, VPos::Top));
            let top = (at.0, at.1 - device.baseline * em);
            area.draw(&Text::new(text.as_str(), scaled(top), style))
        }
    }
}

fn scaled((x, y): CanvasPoint) -> (i32, i32) {
    ((x * SCALE).round() as i32, (y * SCALE).round() as i32)
}

/// Width of a text, logical pixels.
pub(super) fn text_width(text: &str, em: f64) -> f64 {
    register_font();
    let font = FontDesc::from((FontFamily::SansSerif, em * SCALE * BITMAP.size));
    font.layout_box(text).map_or(0.0, |(_, (width, _))| f64::from(width) / SCALE)
}

/// PNGs and text widths use the embedded font; an SVG only names the family, so a viewer uses its own.
fn register_font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let bytes = include_bytes!("../../../assets/DejaVuSans.ttf");
        // The font is compiled in and tested; if it were broken, drawing would fail with an error.
        drop(plotters::style::register_font(FontFamily::SansSerif.as_str(), FontStyle::Normal, bytes));
    });
}

/// Writes a whole file.
#[expect(clippy::disallowed_methods, reason = "lost pictures and pages can be redrawn")]
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).map_err(|source| Error::Io { what: format!("{}: cannot write it", path.display()), source })
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Io { what: "cannot draw a figure".into(), source: std::io::Error::other(error.to_string()) }
}
