//! Pictures as latents: a beta-VAE, and the density of pictures under it.

pub mod architecture;
mod decoder;
pub mod density;
mod encoder;
mod errors;
mod host;
pub mod model;
mod packed;
mod picture;
#[cfg(test)]
pub(crate) mod reference;
#[cfg(test)]
mod tests;
pub mod vae;
mod workspace;

pub use architecture::Architecture;
pub use host::{EncoderScratch, HostEncoder};
pub use model::{LatentModel, VaeInfo};
pub use packed::PackedWeights;
pub use vae::Vae;
pub use workspace::kl;
