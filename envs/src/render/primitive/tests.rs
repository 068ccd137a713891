//! Rays with known hits: along the axes, grazing, and in random directions.

use super::*;

const SHAPES: [Solid; 4] = [
    Solid::Box { half: Vec3::new(1.0, 1.0, 2.0) },
    Solid::Sphere { radius: 1.0 },
    Solid::Cylinder { radius: 1.0, half_length: 2.0 },
    Solid::Capsule { radius: 1.0, half_length: 1.0 },
];

/// Along every axis, in both directions, with exact zeros in the direction: known distance, known normal.
#[test]
fn rays_along_the_axes_hit_at_known_distances() {
    for shape in SHAPES {
        for axis in Vec3::AXES {
            for away in [axis, -axis] {
                let reach = shape.extent().dot(axis);
                let hit = shape.hit(away * 5.0, -away);
                assert_eq!((hit.t, hit.normal), (5.0 - reach, away), "{shape:?} from {away}");
                assert_eq!(shape.hit(away * 5.0, away), Hit::MISS, "{shape:?}: looking away");
                assert_eq!(shape.hit(Vec3::ZERO, away), Hit::MISS, "{shape:?}: from inside");
            }
        }
    }
}

/// Beside the shape, parallel to each of its sides, and exactly in the plane of a side: a miss or a hit, no NaN.
#[test]
fn grazing_rays_hit_at_a_finite_distance_or_miss() {
    for shape in SHAPES {
        for axis in Vec3::AXES {
            for side in Vec3::AXES.into_iter().filter(|s| *s != axis) {
                let from = |offset: f32| shape.hit(axis * 9.0 + side * offset, -axis);
                let half = shape.extent().dot(side);
                assert_eq!(from(half * 1.001), Hit::MISS, "{shape:?} {axis} {side}");
                assert_eq!(from(-half * 1.001), Hit::MISS, "{shape:?} {axis} {side}");
                for offset in [half, -half] {
                    let hit = from(offset);
                    assert!(!hit.t.is_nan() && !hit.normal.is_nan(), "{shape:?} {axis} {side}: {hit:?}");
                }
            }
        }
    }
}

/// A hit lies on the surface, and its normal faces the ray.
#[test]
fn hits_lie_on_the_surface() {
    let signed = |shape: &Solid, p: Vec3| match *shape {
        Solid::Box { half } => (p.abs() - half).max_element(),
        Solid::Sphere { radius } => p.length() - radius,
        Solid::Cylinder { radius, half_length } => (p.truncate().length() - radius).max(p.z.abs() - half_length),
        Solid::Capsule { radius, half_length } => {
            (p - Vec3::new(0.0, 0.0, p.z.clamp(-half_length, half_length))).length() - radius
        }
    };
    let mut hits = 0;
    for shape in SHAPES {
        for k in 0..1000_u32 {
            let spread = |p: u32| (k * p % 997) as f32 / 498.5 - 1.0;
            let origin = Vec3::new(spread(31), spread(57), 1.5) * 4.0;
            let direction = Vec3::new(spread(73), spread(11), spread(101)) - origin;
            let hit = shape.hit(origin, direction);
            if signed(&shape, origin) > 0.0 && hit.t.is_finite() {
                hits += 1;
                assert!(signed(&shape, origin + direction * hit.t).abs() < 1e-4, "{shape:?} {origin} {direction}");
                assert!(hit.normal.dot(direction) <= 0.0 && (hit.normal.length() - 1.0).abs() < 1e-4);
            }
        }
    }
    assert!(hits > 1500, "only {hits} hits");
}
