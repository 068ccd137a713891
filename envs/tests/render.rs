//! Pictures compared with an exhaustive ray caster, and with known colours.

use skewfit_envs::render::{Mat3, PinholeCamera, Primitive, Renderer, Solid, Vec3};

const SHAPES: [Solid; 4] = [
    Solid::Box { half: Vec3::new(0.3, 0.1, 0.2) },
    Solid::Sphere { radius: 0.25 },
    Solid::Cylinder { radius: 0.1, half_length: 0.3 },
    Solid::Capsule { radius: 0.1, half_length: 0.2 },
];

/// Eye at the origin, looking along +x, y to the left.
fn camera() -> PinholeCamera {
    PinholeCamera::orbit(Vec3::X, 1.0, Vec3::X, 0.5)
}

/// Rotation about x, then about z, by the angle with cosine (1 - s^2) / (1 + s^2) and sine 2 s / (1 + s^2).
fn rotation(s: f32) -> Mat3 {
    let (c, s) = ((1.0 - s * s) / (1.0 + s * s), 2.0 * s / (1.0 + s * s));
    let about_x = Mat3::from_cols(Vec3::X, Vec3::new(0.0, c, s), Vec3::new(0.0, -s, c));
    Mat3::from_cols(Vec3::new(c, s, 0.0), Vec3::new(-s, c, 0.0), Vec3::Z) * about_x
}

fn primitive(shape: Solid, position: Vec3, s: f32) -> Primitive {
    Primitive { shape, position, rotation: rotation(s), colour: [0.8, 0.4, 0.2] }
}

fn pixel(size: usize, pixels: &[u8], x: usize, y: usize) -> [u8; 3] {
    let at = (y * size + x) * 3;
    [pixels[at], pixels[at + 1], pixels[at + 2]]
}

/// Every pixel of every solid at several positions and angles, also partly outside of the picture and around the eye.
#[test]
fn pictures_equal_those_of_an_exhaustive_ray_caster() {
    let (camera, size) = (camera(), 41);
    let mut renderer = Renderer::default();
    for shape in SHAPES {
        for (k, position) in
            [[1.0, 0.0, 0.0], [0.9, 0.4, -0.3], [2.0, -1.0, 0.5], [0.2, 0.1, 0.1]].into_iter().enumerate()
        {
            let solid = primitive(shape, Vec3::from(position), k as f32 * 0.3);
            let image = renderer.render(&camera, &[solid], size, 1);
            let sky = renderer.render(&camera, &[], size, 1);
            for (x, y) in (0..size * size).map(|i| (i % size, i / size)) {
                let plane = |i: usize| (i as f32 + 0.5 - 0.5 * size as f32) * (2.0 * camera.half_side / size as f32);
                let ray = camera.forward + camera.right * plane(x) - camera.up * plane(y);
                let inverse = solid.rotation.transpose();
                let hit = shape.hit(inverse * (camera.eye - solid.position), inverse * ray);
                let light = 0.5 + 0.4 * (-(solid.rotation * hit.normal).dot(camera.forward)).max(0.0);
                let lit = solid.colour.map(|c| (c * light * 255.0 + 0.5) as u8);
                let want = if hit.t.is_finite() { lit } else { pixel(size, &sky.pixels, x, y) };
                let got = pixel(size, &image.pixels, x, y);
                assert!(
                    want.iter().zip(got).all(|(w, g)| w.abs_diff(g) <= 1),
                    "{shape:?} {k} ({x}, {y}): {got:?} {want:?}"
                );
            }
        }
    }
}

/// In a picture of odd size the middle ray is exactly parallel to an axis: a face seen head-on has 0.9 of its colour
/// and no hole.
#[test]
fn a_face_seen_head_on_has_0_9_of_its_colour() {
    for shape in SHAPES {
        let image = Renderer::default().render(&camera(), &[primitive(shape, Vec3::X, 0.0)], 33, 1);
        assert_eq!(pixel(33, &image.pixels, 16, 16), [184, 92, 46], "{shape:?}");
    }
}

#[test]
fn rows_run_from_the_top_and_columns_from_the_left() {
    let ball = |y, z| primitive(Solid::Sphere { radius: 0.1 }, Vec3::new(1.0, y, z), 0.0);
    for (y, z, column, row) in [(0.3, 0.3, 6, 6), (-0.3, 0.3, 26, 6), (0.3, -0.3, 6, 26), (-0.3, -0.3, 26, 26)] {
        let image = Renderer::default().render(&camera(), &[ball(y, z)], 33, 1);
        let seen = |x, y| pixel(33, &image.pixels, x, y)[2] < 100;
        let hits: Vec<_> =
            [6, 26].into_iter().flat_map(|r| [6, 26].map(|c| (c, r))).filter(|&(c, r)| seen(c, r)).collect();
        assert_eq!(hits, [(column, row)]);
    }
}

#[test]
fn the_nearer_solid_hides_the_farther_in_either_order() {
    let near = Primitive { colour: [1.0, 0.0, 0.0], ..primitive(SHAPES[1], Vec3::X, 0.0) };
    let far = Primitive { colour: [0.0, 1.0, 0.0], ..primitive(SHAPES[0], Vec3::X * 2.0, 0.0) };
    let mut renderer = Renderer::default();
    let image = renderer.render(&camera(), &[near, far], 48, 4);
    assert_eq!(image, renderer.render(&camera(), &[far, near], 48, 4));
    assert!(pixel(48, &image.pixels, 24, 24)[0] > 200);
}

/// Four samples equal the mean of four pixels of a picture twice as large, within 1 because those pixels are rounded.
#[test]
fn four_samples_average_a_picture_of_twice_the_size() {
    let solids: Vec<_> =
        SHAPES.into_iter().zip(0..).map(|(s, k)| primitive(s, Vec3::new(1.2, 0.3, -0.2) * k as f32, 0.4)).collect();
    for size in [1, 16, 48, 101] {
        let mut renderer = Renderer::default();
        let (small, large) =
            (renderer.render(&camera(), &solids, size, 4), renderer.render(&camera(), &solids, 2 * size, 1));
        for (x, y) in (0..size * size).map(|i| (i % size, i / size)) {
            let parts =
                [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(i, j)| pixel(2 * size, &large.pixels, 2 * x + i, 2 * y + j));
            for (c, got) in pixel(size, &small.pixels, x, y).into_iter().enumerate() {
                let mean = parts.iter().map(|p| f32::from(p[c])).sum::<f32>() / 4.0;
                assert!((mean - f32::from(got)).abs() <= 1.01, "({x}, {y}) of {size}: {mean} {got}");
            }
        }
    }
    assert!(Renderer::default().render(&camera(), &solids, 0, 4).pixels.is_empty());
}
