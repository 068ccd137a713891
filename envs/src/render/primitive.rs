//! Solids with a ray intersection in closed form. A ray is  origin + t direction, in the solid's own frame, t > 0.
//!
//! Surfaces are visible from outside only: a ray that starts inside a solid does not hit it.

use super::{Mat3, Vec3};

/// Nearest distance that counts as a hit, in units of the ray's direction.
const NEAR: f32 = 1e-4;
/// Below this a direction's component counts as zero.
const PARALLEL: f32 = 1e-12;

/// Shape and size, m; lengths are along the local z axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Solid {
    /// A cuboid of half sides `half`.
    Box {
        /// Half sides.
        half: Vec3,
    },
    /// A ball.
    Sphere {
        /// Radius.
        radius: f32,
    },
    /// A cylinder with flat ends.
    Cylinder {
        /// Radius.
        radius: f32,
        /// Half length.
        half_length: f32,
    },
    /// A cylinder with a half ball on each end.
    Capsule {
        /// Radius.
        radius: f32,
        /// Half length of the cylinder without the half balls.
        half_length: f32,
    },
}

/// A coloured solid with its pose in the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Primitive {
    /// Shape and size.
    pub shape: Solid,
    /// Centre, m.
    pub position: Vec3,
    /// Local to world.
    pub rotation: Mat3,
    /// Red, green, blue, 0 to 1.
    pub colour: [f32; 3],
}

/// Where a ray meets a surface.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Distance in units of the ray's direction; infinite for a miss.
    pub t: f32,
    /// Outward unit normal, local frame; zero for a miss.
    pub normal: Vec3,
}

impl Hit {
    /// No hit.
    pub const MISS: Self = Self { t: f32::INFINITY, normal: Vec3::ZERO };

    fn at(t: f32, normal: Vec3) -> Self {
        if t > NEAR { Self { t, normal } } else { Self::MISS }
    }

    fn nearer(self, other: Self) -> Self {
        if other.t < self.t { other } else { self }
    }
}

impl Solid {
    /// Half sides of the local box around the shape, m.
    #[must_use]
    pub fn extent(&self) -> Vec3 {
        match *self {
            Self::Box { half } => half,
            Self::Sphere { radius } => Vec3::splat(radius),
            Self::Cylinder { radius, half_length } => Vec3::new(radius, radius, half_length),
            Self::Capsule { radius, half_length } => Vec3::new(radius, radius, half_length + radius),
        }
    }

    /// First point where the ray enters the solid from outside.
    #[must_use]
    #[inline(always)]
    pub fn hit(&self, origin: Vec3, direction: Vec3) -> Hit {
        match *self {
            Self::Box { half } => hit_box(origin, direction, half),
            Self::Sphere { radius } => hit_sphere(origin, direction, radius),
            Self::Cylinder { radius, half_length } => hit_tube(origin, direction, radius, half_length)
                .nearer(hit_disc(origin, direction, radius, half_length)),
            Self::Capsule { radius, half_length } => {
                let end = Vec3::new(0.0, 0.0, half_length);
                hit_tube(origin, direction, radius, half_length)
                    .nearer(hit_sphere(origin - end, direction, radius))
                    .nearer(hit_sphere(origin + end, direction, radius))
            }
        }
    }
}

/// Entry and exit of one slab |x| <= half. A ray parallel to the slab is always inside it, or never.
#[inline(always)]
fn slab(origin: f32, direction: f32, half: f32) -> (f32, f32) {
    let inverse = 1.0 / direction;
    let (a, b) = ((-half - origin) * inverse, (half - origin) * inverse);
    let (enter, leave) = if a < b { (a, b) } else { (b, a) };
    let along = direction.abs() < PARALLEL;
    let inside = origin.abs() <= half;
    let enter = if along { if inside { f32::NEG_INFINITY } else { f32::INFINITY } } else { enter };
    (enter, if along { f32::INFINITY } else { leave })
}

/// Three slabs (Kay and Kajiya 1986): inside the box between the last entry and the first exit.
#[inline(always)]
fn hit_box(origin: Vec3, direction: Vec3, half: Vec3) -> Hit {
    let (x, y, z) =
        (slab(origin.x, direction.x, half.x), slab(origin.y, direction.y, half.y), slab(origin.z, direction.z, half.z));
    let enter = if y.0 > x.0 { y.0 } else { x.0 };
    let enter = if z.0 > enter { z.0 } else { enter };
    let leave = if y.1 < x.1 { y.1 } else { x.1 };
    let leave = if z.1 < leave { z.1 } else { leave };
    if enter >= leave {
        return Hit::MISS;
    }
    let against = |d: f32| if d > 0.0 { -1.0 } else { 1.0 };
    let normal = if enter == x.0 {
        Vec3::new(against(direction.x), 0.0, 0.0)
    } else if enter == y.0 {
        Vec3::new(0.0, against(direction.y), 0.0)
    } else {
        Vec3::new(0.0, 0.0, against(direction.z))
    };
    Hit::at(enter, normal)
}

/// Nearer root of  a t^2 + 2 b t + c = 0, if there is one.
#[inline(always)]
fn nearer_root(a: f32, b: f32, c: f32) -> Option<f32> {
    let discriminant = b * b - a * c;
    (a > PARALLEL && discriminant >= 0.0).then(|| (-b - discriminant.sqrt()) / a)
}

#[inline(always)]
fn hit_sphere(o: Vec3, d: Vec3, radius: f32) -> Hit {
    nearer_root(d.dot(d), o.dot(d), o.dot(o) - radius * radius).map_or(Hit::MISS, |t| Hit::at(t, (o + d * t) / radius))
}

/// The curved side of a cylinder.
#[inline(always)]
fn hit_tube(o: Vec3, d: Vec3, radius: f32, half_length: f32) -> Hit {
    let (a, b, c) = (d.x * d.x + d.y * d.y, o.x * d.x + o.y * d.y, o.x * o.x + o.y * o.y - radius * radius);
    match nearer_root(a, b, c) {
        Some(t) if (o.z + d.z * t).abs() <= half_length => {
            Hit::at(t, Vec3::new((o.x + d.x * t) / radius, (o.y + d.y * t) / radius, 0.0))
        }
        _ => Hit::MISS,
    }
}

/// The end of a cylinder that faces the ray.
#[inline(always)]
fn hit_disc(o: Vec3, d: Vec3, radius: f32, half_length: f32) -> Hit {
    if d.z.abs() < PARALLEL {
        return Hit::MISS;
    }
    let side = if d.z < 0.0 { 1.0 } else { -1.0 };
    let t = (side * half_length - o.z) / d.z;
    let (x, y) = (o.x + d.x * t, o.y + d.y * t);
    if x * x + y * y <= radius * radius { Hit::at(t, Vec3::new(0.0, 0.0, side)) } else { Hit::MISS }
}

#[cfg(test)]
mod tests;
