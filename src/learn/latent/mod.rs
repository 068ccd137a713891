//! What the robot sees, as few numbers: a beta-VAE and the density of pictures under it.

pub mod architecture;
mod decoder;
pub mod density;
mod encoder;
mod errors;
mod lane;
mod packed;
mod picture;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
pub mod vae;

pub use architecture::Architecture;
pub use lane::kl;
pub use vae::{Scratch, Vae, VaeInfo};
