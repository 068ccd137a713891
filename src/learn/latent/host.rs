//! The encoder for the control loop: on the host, with the hand-written kernels. Threads may share it, each with its own scratch.

use super::architecture::Architecture;
use super::encoder::Encoder;
use super::packed::PackedWeights;
use super::picture::pixels_of_picture;
use crate::learn::nn::Params;

/// The encoder's network, borrowed from the hand-written model or from another implementation's copy on the host.
#[derive(Clone, Copy)]
pub struct HostEncoder<'a> {
    /// Shapes.
    pub architecture: &'a Architecture,
    /// `encoder.*`, `decoder.*`.
    pub params: &'a Params,
    /// The packed weights of `params`.
    pub packed: &'a PackedWeights,
}

/// Buffers of one thread that encodes picture by picture.
pub struct EncoderScratch(Encoder);

impl HostEncoder<'_> {
    /// Buffers for one picture.
    #[must_use]
    pub fn scratch(&self) -> EncoderScratch {
        EncoderScratch(Encoder::new(self.architecture, 1))
    }

    /// Posterior mean (Z) of one picture, computed on the calling thread.
    #[must_use]
    pub fn encode(&self, EncoderScratch(encoder): &mut EncoderScratch, picture: &[u8]) -> Vec<f32> {
        pixels_of_picture(picture, &mut encoder.pixels);
        encoder.forward(self.architecture, self.params, self.packed, 1);
        encoder.heads[..self.architecture.dim].to_vec()
    }
}
