//! A pinhole camera: pixel (u, v) of the picture plane at distance 1 sees along  forward + u right + v up.

use super::Vec3;

/// Position and axes of the camera; the three axes are orthonormal, world frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PinholeCamera {
    /// Pinhole, m.
    pub eye: Vec3,
    /// Viewing direction.
    pub forward: Vec3,
    /// Right in the picture.
    pub right: Vec3,
    /// Up in the picture.
    pub up: Vec3,
    /// Half the picture's side at distance 1: tan(fovy / 2).
    pub half_side: f32,
}

impl PinholeCamera {
    /// MuJoCo's free camera: `distance` (m) from `look_at` against `forward` (a unit vector that is not vertical),
    /// world z up in the picture. Elevation e and azimuth a mean forward = (cos e cos a, cos e sin a, sin e).
    #[must_use]
    pub fn orbit(look_at: Vec3, distance: f32, forward: Vec3, half_side: f32) -> Self {
        let right = forward.cross(Vec3::Z);
        let right = right / right.dot(right).sqrt();
        Self { eye: look_at - forward * distance, forward, right, up: right.cross(forward), half_side }
    }
}
