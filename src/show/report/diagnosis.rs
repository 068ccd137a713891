//! The figures of a diagnosis, each saved as a PNG.

use std::path::Path;

use skewfit_envs::Image;

use super::canvas::{Anchor, Canvas, INK, SOFT, text_width};
use super::panel::{HEADING, SMALL};
use super::{diagram, matrix, sheet};
use crate::error::Result;

pub use super::diagram::{Diagram, MarkStyle, Marks, Scale};
pub use super::matrix::Matrix;

/// Named rows of pictures under column names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strips {
    /// Title above the rows.
    pub heading: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// (name, pictures).
    pub rows: Vec<(String, Vec<Image>)>,
}

/// The content of a figure.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// Diagrams, two in a row.
    Diagrams(Vec<Diagram>),
    /// A table of colours.
    Matrix(Matrix),
    /// Rows of pictures.
    Strips(Strips),
    /// (heading, names of the two columns, pairs of pictures with a caption).
    Pairs(String, [&'static str; 2], Vec<(Image, Image, String)>),
    /// Blocks of (heading, pictures), one under the other.
    Gallery(Vec<(String, Vec<Image>)>),
}

/// Draws a figure as the PNG `path`; returns `false` and writes no file if there is nothing to draw.
///
/// # Errors
/// `Io` if the file cannot be written.
pub fn save(figure: &Figure, path: &Path) -> Result<bool> {
    let canvas = match figure {
        Figure::Diagrams(diagrams) => diagram::sheet(diagrams),
        Figure::Matrix(table) => matrix::matrix(table),
        Figure::Strips(rows) => strips(rows),
        Figure::Pairs(heading, names, pairs) => {
            let pairs: Vec<_> = pairs.iter().map(|(a, b, caption)| (a, b, caption.as_str())).collect();
            sheet::pairs(heading, *names, &pairs)
        }
        Figure::Gallery(blocks) => {
            let blocks: Vec<_> = blocks.iter().map(|(heading, images)| (heading.as_str(), &images[..])).collect();
            sheet::gallery(&blocks)
        }
    };
    canvas.map_or(Ok(false), |canvas| canvas.save(path, false).map(|_| true))
}

fn strips(strips: &Strips) -> Option<Canvas> {
    let images = || strips.rows.iter().flat_map(|(_, images)| images);
    let pixel = sheet::enlarged(images(), 64.0);
    let cell = images().map(|i| i.size).max()? as f64 * pixel + 4.0;
    let across = strips.rows.iter().map(|(_, images)| images.len()).max()? as f64;
    let left = strips.rows.iter().map(|(name, _)| text_width(name, SMALL)).fold(0.0, f64::max) + 20.0;
    let width = (left + across * cell + 8.0).max(text_width(&strips.heading, HEADING) + 16.0);
    let mut canvas = Canvas::new(width.ceil(), 52.0 + strips.rows.len() as f64 * cell + 8.0);
    canvas.text((8.0, 20.0), strips.heading.as_str(), HEADING, INK, Anchor::Left);
    for (k, name) in strips.columns.iter().enumerate() {
        let middle = left + (k as f64 + 0.5) * cell - 2.0;
        canvas.text((middle, 46.0), name.as_str(), SMALL, SOFT, Anchor::Middle);
    }
    for (i, (name, images)) in strips.rows.iter().enumerate() {
        let top = 52.0 + i as f64 * cell;
        canvas.text((left - 8.0, top + cell / 2.0 + 2.0), name.as_str(), SMALL, INK, Anchor::Right);
        for (k, image) in images.iter().enumerate() {
            canvas.image((left + k as f64 * cell, top), image, pixel);
        }
    }
    Some(canvas)
}
