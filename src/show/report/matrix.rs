//! Numbers in [-1, 1] as a coloured table: blue below zero, white at zero, orange above; each cell shows its value.

use super::canvas::{Anchor, Canvas, INK, Rgb, SOFT, text_width};
use super::panel::{COLORS, HEADING, SMALL};

/// A table with row and column names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Title above the table.
    pub heading: String,
    /// Names of the rows.
    pub rows: Vec<String>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Values (rows, columns).
    pub values: Vec<Vec<f64>>,
}

const CELL: (f64, f64) = (40.0, 30.0);
const TOP: f64 = 56.0;

/// Draws the table; `None` without cells.
pub(super) fn matrix(matrix: &Matrix) -> Option<Canvas> {
    let Matrix { heading, rows, columns, values } = matrix;
    if rows.is_empty() || columns.is_empty() {
        return None;
    }
    let left = rows.iter().map(|name| text_width(name, SMALL)).fold(0.0, f64::max) + 20.0;
    let width = (left + columns.len() as f64 * CELL.0 + 12.0).max(text_width(heading, HEADING) + 16.0);
    let mut canvas = Canvas::new(width.ceil(), TOP + rows.len() as f64 * CELL.1 + 12.0);
    canvas.text((8.0, 20.0), heading.as_str(), HEADING, INK, Anchor::Left);
    for (k, name) in columns.iter().enumerate() {
        let middle = left + (k as f64 + 0.5) * CELL.0;
        canvas.text((middle, TOP - 8.0), name.as_str(), SMALL, SOFT, Anchor::Middle);
    }
    for (i, (name, values)) in rows.iter().zip(values).enumerate() {
        let top = TOP + i as f64 * CELL.1;
        canvas.text((left - 8.0, top + CELL.1 / 2.0 + 4.0), name.as_str(), SMALL, INK, Anchor::Right);
        for (k, value) in values.iter().enumerate().take(columns.len()) {
            let from = (left + k as f64 * CELL.0, top);
            canvas.rect(from, (from.0 + CELL.0 - 1.0, top + CELL.1 - 1.0), shade(*value));
            let text = format!("{value:.2}").replace('-', "−");
            canvas.text((from.0 + CELL.0 / 2.0, top + CELL.1 / 2.0 + 4.0), text, SMALL, INK, Anchor::Middle);
        }
    }
    Some(canvas)
}

/// From white to at most 70 % of the palette's blue or orange, so the value stays readable.
fn shade(value: f64) -> Rgb {
    let (full, part) = (COLORS[usize::from(value > 0.0)], 0.7 * value.abs().min(1.0));
    [0, 1, 2].map(|c| (255.0 - part * (255.0 - f64::from(full[c]))).round() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_white_and_each_sign_has_its_colour() {
        let ([minus, zero, plus], nan) = ([-1.0, 0.0, 1.0].map(shade), shade(f64::NAN));
        assert_eq!(zero, [255; 3]);
        assert!(minus[2] > minus[0] && plus[0] > plus[2], "{minus:?} {plus:?}");
        assert!(shade(0.5)[2] > plus[2] && nan.len() == 3);
        assert!(matrix(&Matrix::default()).is_none());
    }
}
