//! Flat pictures: filled discs and rectangles on a plain ground; later shapes cover earlier ones.
//!
//! A world box maps onto the square picture with y up. Pixel (i, j) of N is sampled at
//!   x = low + (i + 1/2) (high - low) / N,
//! or at the four points (i + 1/4, i + 3/4) x (j + 1/4, j + 3/4), whose colours are averaged in integers.

use crate::Image;

/// Red, green, blue.
pub type Colour = [u8; 3];

/// The part of the world that a picture shows: x in `[low[0], high[0]]`, y in `[low[1], high[1]]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ViewBox {
    /// Bottom-left corner, world units.
    pub low: [f64; 2],
    /// Top-right corner, world units.
    pub high: [f64; 2],
}

impl ViewBox {
    /// The square `[-half, half]^2`.
    #[must_use]
    pub const fn square(half: f64) -> Self {
        Self { low: [-half, -half], high: [half, half] }
    }
}

/// A filled shape, in world units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FlatShape {
    /// All points within `radius` of `centre`.
    Disc {
        /// Middle.
        centre: [f64; 2],
        /// World units.
        radius: f64,
        /// Fill.
        colour: Colour,
    },
    /// All points with both coordinates between `low` and `high`.
    Rectangle {
        /// Bottom-left corner.
        low: [f64; 2],
        /// Top-right corner.
        high: [f64; 2],
        /// Fill.
        colour: Colour,
    },
}

impl FlatShape {
    fn colour_at(&self, [x, y]: [f64; 2]) -> Option<Colour> {
        let (inside, colour) = match *self {
            Self::Disc { centre: [cx, cy], radius, colour } => {
                let (dx, dy) = (x - cx, y - cy);
                (dx * dx + dy * dy <= radius * radius, colour)
            }
            Self::Rectangle { low, high, colour } => {
                (low[0] <= x && x <= high[0] && low[1] <= y && y <= high[1], colour)
            }
        };
        inside.then_some(colour)
    }
}

/// Draws `shapes` over `ground` as a picture of `size` x `size` pixels. A pixel has 4 samples if `samples` is 4 or
/// more, else 1.
///
/// A shape with a NaN coordinate is not drawn.
#[must_use]
pub fn draw(view: &ViewBox, ground: Colour, shapes: &[FlatShape], size: usize, samples: usize) -> Image {
    const CENTRE: &[f64] = &[0.5];
    const QUARTERS: &[f64] = &[0.25, 0.75];
    let offsets = if samples >= 4 { QUARTERS } else { CENTRE };
    let pixel = [(view.high[0] - view.low[0]) / size as f64, (view.high[1] - view.low[1]) / size as f64];
    let look = |x: f64, y: f64| {
        let point = [view.low[0] + x * pixel[0], view.high[1] - y * pixel[1]];
        shapes.iter().rev().find_map(|shape| shape.colour_at(point)).unwrap_or(ground)
    };
    let mut pixels = Vec::with_capacity(size * size * 3);
    for row in 0..size {
        for column in 0..size {
            let mut sum = [0_u32; 3];
            for dy in offsets {
                for dx in offsets {
                    let seen = look(column as f64 + dx, row as f64 + dy);
                    sum.iter_mut().zip(seen).for_each(|(s, c)| *s += u32::from(c));
                }
            }
            pixels.extend(sum.map(|s| mean(s, offsets.len() * offsets.len())));
        }
    }
    Image { size, pixels }
}

/// Mean of `n` bytes (1 or 4) from their sum; halves are rounded up.
fn mean(sum: u32, n: usize) -> u8 {
    let n = n as u32;
    ((sum + n / 2) / n) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Colour = [255, 0, 0];
    const BLUE: Colour = [0, 0, 255];
    const GROUND: Colour = [10, 20, 30];

    fn at(image: &Image, column: usize, row: usize) -> [u8; 3] {
        let i = (row * image.size + column) * 3;
        [image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]]
    }

    #[test]
    fn y_points_up_and_later_shapes_cover() {
        let top_left = FlatShape::Rectangle { low: [-1.0, 0.0], high: [0.0, 1.0], colour: RED };
        let corner = FlatShape::Rectangle { low: [-1.0, 0.5], high: [-0.5, 1.0], colour: BLUE };
        let image = draw(&ViewBox::square(1.0), GROUND, &[top_left, corner], 4, 1);
        let rows = (0..4).map(|r| [0, 1, 2, 3].map(|c| at(&image, c, r))).collect::<Vec<_>>();
        let (r, b, g) = (RED, BLUE, GROUND);
        assert_eq!(rows, [[b, r, g, g], [r, r, g, g], [g, g, g, g], [g, g, g, g]]);
    }

    #[test]
    fn four_samples_average_exactly() {
        // One pixel: a rectangle over its left half, then one over its top left quarter.
        let half = FlatShape::Rectangle { low: [0.0, 0.0], high: [0.5, 1.0], colour: [255, 1, 2] };
        let view = ViewBox { low: [0.0, 0.0], high: [1.0, 1.0] };
        let image = draw(&view, [0, 0, 0], &[half], 1, 4);
        assert_eq!(image.pixels, [128, 1, 1]); // 510/4 = 127.5, 2/4 = 0.5, 4/4 = 1
        let quarter = FlatShape::Rectangle { low: [0.0, 0.5], high: [0.5, 1.0], colour: [255, 1, 2] };
        assert_eq!(draw(&view, [0, 0, 0], &[quarter], 1, 4).pixels, [64, 0, 1]); // 63.75, 0.25, 0.5
    }

    #[test]
    fn a_disc_has_its_area_at_any_size() {
        let disc = FlatShape::Disc { centre: [0.1, -0.2], radius: 0.6, colour: [255; 3] };
        for size in [31, 48, 200] {
            let image = draw(&ViewBox::square(1.0), [0; 3], &[disc], size, 4);
            assert_eq!(image.pixels.len(), size * size * 3);
            let sum = image.pixels.iter().map(|&p| f64::from(p)).sum::<f64>();
            let area = sum / 3.0 / 255.0 * 4.0 / (size * size) as f64;
            let exact = std::f64::consts::PI * 0.36;
            assert!((area - exact).abs() < 2.0 / size as f64 * 0.2, "{size}: {area} for {exact}");
        }
    }

    #[test]
    fn size_zero_and_nan_coordinates_draw_nothing() {
        assert!(draw(&ViewBox::square(1.0), GROUND, &[], 0, 4).pixels.is_empty());
        let lost = FlatShape::Disc { centre: [f64::NAN, 0.0], radius: 9.0, colour: RED };
        assert_eq!(draw(&ViewBox::square(1.0), GROUND, &[lost], 1, 1).pixels, GROUND);
    }
}
