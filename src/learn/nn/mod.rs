//! Networks on flat parameter memory, with hand-derived gradients: dense layers, layer norm, convolutions, Adam, Polyak.
//!
//! Threads split the batch, not the operations: each thread takes a block of rows forward and backward through a whole
//! network, with single-threaded matrix products, while the block's activations stay in its L2 cache.

pub mod adam;
pub mod conv;
pub mod dense;
pub mod direct;
pub mod gemm;
pub mod lattice;
mod layer;
pub mod layer_norm;
pub mod mlp;
pub mod panels;
pub mod params;
pub mod reduce;
pub mod state;
#[cfg(test)]
pub(crate) mod tests;
pub mod windows;
pub mod workers;

pub use adam::Adam;
pub use mlp::Mlp;
pub use params::{Params, Tensor};
pub use state::{ModelState, NamedTensor};
pub use workers::Workers;
