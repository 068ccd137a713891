//! The encoder as a control loop needs it: on the host, by the kernels, shared by threads; who encodes brings the scratch.

use super::architecture::Architecture;
use super::encoder::Encoder;
use super::packed::PackedWeights;
use super::picture::pixels_of_picture;
use crate::learn::nn::Params;

/// Borrowed from the hand-written model, or from the copy on the host that another implementation keeps.
#[derive(Clone, Copy)]
pub struct HostEncoder<'a> {
    /// Shapes.
    pub architecture: &'a Architecture,
    /// `encoder.*`, `decoder.*`.
    pub params: &'a Params,
    /// Of `params`.
    pub packed: &'a PackedWeights,
}

/// Buffers of one who encodes picture by picture.
pub struct EncoderScratch(Encoder);

impl HostEncoder<'_> {
    /// Buffers to encode one picture with.
    #[must_use]
    pub fn scratch(&self) -> EncoderScratch {
        EncoderScratch(Encoder::new(self.architecture, 1))
    }

    /// Posterior mean (Z) of one picture, on the calling thread: what the control loop waits for.
    #[must_use]
    pub fn encode(&self, EncoderScratch(encoder): &mut EncoderScratch, picture: &[u8]) -> Vec<f32> {
        pixels_of_picture(picture, &mut encoder.pixels);
        encoder.forward(self.architecture, self.params, self.packed, 1);
        encoder.heads[..self.architecture.dim].to_vec()
    }
}
