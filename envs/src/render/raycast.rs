//! The ray caster: each sample shows the nearest primitive, lit by a lamp along the view axis.
//!
//! brightness = 0.5 + 0.4 max(0, -normal . forward)   (MuJoCo's headlight: ambient .5, diffuse .4, no specular)
//!
//! A ray that hits nothing shows the sky: pale cyan, from (.6, 1, 1) straight down to (.8, 1, 1) straight up.

use std::ops::Range;

use super::{PinholeCamera, Primitive, Vec3};
use crate::Image;

const AMBIENT: f32 = 0.5;
const DIFFUSE: f32 = 0.4;
/// Points closer to the eye than this are not projected, m.
const NEAR_PLANE: f32 = 1e-3;

/// Draws primitives. It holds only buffers, so a picture depends on its arguments alone.
#[derive(Debug, Default)]
pub struct Renderer {
    depth: Vec<f32>,
    colour: Vec<[f32; 3]>,
}

/// The grid of samples of a picture: `side * side` samples.
struct Raster<'a> {
    camera: &'a PinholeCamera,
    side: usize,
    step: f32,
}

/// A primitive, the eye and the camera axes in its frame, and the samples that it can cover.
struct Placed<'a> {
    primitive: &'a Primitive,
    eye: Vec3,
    forward: Vec3,
    right: Vec3,
    up: Vec3,
    columns: Range<usize>,
    rows: Range<usize>,
}

impl Renderer {
    /// A picture of `size` pixels a side (top row first) with 1 sample a pixel, or 2 x 2 where `samples` is 4 or more.
    /// Of two surfaces at the same depth, the picture shows the earlier primitive.
    pub fn render(&mut self, camera: &PinholeCamera, primitives: &[Primitive], size: usize, samples: usize) -> Image {
        let per_pixel = if samples >= 4 { 2 } else { 1 };
        let raster = Raster::new(camera, size * per_pixel);
        let placed: Vec<_> = primitives.iter().filter_map(|p| raster.place(p)).collect();
        let mut pixels = Vec::with_capacity(size * size * 3);
        let mut sums = vec![[0.0_f32; 3]; size];
        for y in 0..size {
            sums.fill([0.0; 3]);
            for row in y * per_pixel..(y + 1) * per_pixel {
                self.trace(&raster, &placed, row);
                for (sum, samples) in sums.iter_mut().zip(self.colour.chunks_exact(per_pixel)) {
                    for sample in samples {
                        *sum = [sum[0] + sample[0], sum[1] + sample[1], sum[2] + sample[2]];
                    }
                }
            }
            let scale = 255.0 / (per_pixel * per_pixel) as f32;
            pixels.extend(sums.iter().flatten().map(|sum| (sum * scale + 0.5) as u8));
        }
        Image { size, pixels }
    }

    /// Fills `depth` and `colour` for one row of samples.
    fn trace(&mut self, raster: &Raster, placed: &[Placed], row: usize) {
        self.depth.clear();
        self.depth.resize(raster.side, f32::INFINITY);
        self.colour.clear();
        self.colour.resize(raster.side, [0.0; 3]);
        let v = raster.v(row);
        for p in placed.iter().filter(|p| p.rows.contains(&row)) {
            let middle = p.forward + p.up * v;
            let Primitive { shape, colour, .. } = p.primitive;
            for column in p.columns.clone() {
                let hit = shape.hit(p.eye, middle + p.right * raster.u(column));
                if hit.t < self.depth[column] {
                    self.depth[column] = hit.t;
                    let facing = -hit.normal.dot(p.forward);
                    let light = AMBIENT + DIFFUSE * if facing > 0.0 { facing } else { 0.0 };
                    self.colour[column] = [colour[0] * light, colour[1] * light, colour[2] * light];
                }
            }
        }
        for column in (0..raster.side).filter(|c| self.depth[*c] == f32::INFINITY) {
            self.colour[column] = raster.sky(column, row);
        }
    }
}

impl<'a> Raster<'a> {
    fn new(camera: &'a PinholeCamera, side: usize) -> Self {
        Self { camera, side, step: 2.0 * camera.half_side / side as f32 }
    }

    /// Picture-plane coordinate of a column's samples, to the right.
    fn u(&self, column: usize) -> f32 {
        (column as f32 + 0.5 - 0.5 * self.side as f32) * self.step
    }

    /// Picture-plane coordinate of a row's samples, upwards; row 0 is the top.
    fn v(&self, row: usize) -> f32 {
        -self.u(row)
    }

    fn sky(&self, column: usize, row: usize) -> [f32; 3] {
        let (u, v) = (self.u(column), self.v(row));
        let z = self.camera.forward.z + u * self.camera.right.z + v * self.camera.up.z;
        [0.7 + 0.1 * z / (1.0 + u * u + v * v).sqrt(), 1.0, 1.0]
    }

    /// `None` if the primitive is behind the eye or outside of the picture.
    fn place(&self, primitive: &'a Primitive) -> Option<Placed<'a>> {
        let camera = self.camera;
        let into_local = primitive.rotation.transpose();
        let (columns, rows) = self.cover(primitive)?;
        Some(Placed {
            primitive,
            eye: into_local * (camera.eye - primitive.position),
            forward: into_local * camera.forward,
            right: into_local * camera.right,
            up: into_local * camera.up,
            columns,
            rows,
        })
    }

    /// Columns and rows of the samples in the rectangle around the primitive's projected bounding box.
    fn cover(&self, primitive: &Primitive) -> Option<(Range<usize>, Range<usize>)> {
        let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        let extent = primitive.shape.extent();
        for corner in 0..8 {
            let sign = |bit: u32| if corner & bit == 0 { -1.0 } else { 1.0 };
            let corner = primitive.rotation * (extent * Vec3::new(sign(1), sign(2), sign(4)));
            let seen = corner + primitive.position - self.camera.eye;
            let depth = seen.dot(self.camera.forward);
            let scale = 1.0 / depth.max(NEAR_PLANE);
            let seen = Vec3::new(seen.dot(self.camera.right) * scale, seen.dot(self.camera.up) * scale, depth);
            (low, high) = (low.min(seen), high.max(seen));
        }
        if high.z <= 0.0 {
            return None;
        }
        if low.z <= NEAR_PLANE {
            return Some((0..self.side, 0..self.side));
        }
        let sample = |plane: f32| plane / self.step + 0.5 * self.side as f32;
        let range = |from: f32, to: f32| (from.floor().max(0.0) as usize)..(to.ceil().max(0.0) as usize).min(self.side);
        let columns = range(sample(low.x), sample(high.x));
        let rows = range(sample(-high.y), sample(-low.y));
        (!columns.is_empty() && !rows.is_empty()).then_some((columns, rows))
    }
}
