//! What the robot sees, as few numbers: a beta-VAE and the density of pictures under it.

pub mod architecture;
mod decoder;
pub mod density;
mod encoder;
mod errors;
mod host;
mod lane;
pub mod model;
mod packed;
mod picture;
#[cfg(test)]
pub(crate) mod reference;
#[cfg(test)]
mod tests;
pub mod vae;

pub use architecture::Architecture;
pub use host::{HostEncoder, Scratch};
pub use lane::kl;
pub use model::{LatentModel, VaeInfo};
pub use packed::Packed;
pub use vae::Vae;
