//! Pictures from primitives. Only + - * / and sqrt are used, so the bytes are the same on every machine.

mod camera;
pub mod flat;
mod primitive;
mod raycast;

pub use camera::PinholeCamera;
pub use primitive::{Primitive, Solid};
pub use rapier3d::math::{Mat3, Vec3};
pub use raycast::Renderer;

use crate::EnvFault;

/// Checks that a scene can be drawn with `size` pixels a side and `samples` samples a pixel.
///
/// # Errors
/// `BadOption` for a size outside of 16 to 1024 pixels, and for samples other than 1 or 4.
pub(crate) fn check(size: usize, samples: usize) -> Result<(), EnvFault> {
    if !(16..=1024).contains(&size) {
        return Err(EnvFault::BadOption { what: format!("image size {size} is not within 16 to 1024 pixels") });
    }
    if ![1, 4].contains(&samples) {
        return Err(EnvFault::BadOption { what: format!("{samples} samples a pixel; choose 1 or 4") });
    }
    Ok(())
}
