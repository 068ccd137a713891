//! Positions on a canvas, in logical pixels from its left and top.

/// (x, y).
pub(super) type CanvasPoint = (f64, f64);

/// A rectangle: left, top, width, height.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}
