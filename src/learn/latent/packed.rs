//! The VAE's weights, packed in the order in which the kernels read them: panels for the forward passes, lattices for the
//! gradients of the first and last layers (padded with zeros if the kernel is smaller than two strides).

use super::architecture::{Architecture, BLOCK, FIRST_KERNEL, LAST_KERNEL};
use crate::learn::nn::Params;
use crate::learn::nn::windows::{Grid, Phases, Windows};

/// For each packed weight, the index of the parameter; `None` for padding.
type Map = Vec<Option<usize>>;

/// Packed copies of the weights, updated after every step.
pub struct PackedWeights {
    first_map: Map,
    last_map: Map,
    /// Convolutions of the encoder, from the picture on.
    pub convs: Vec<Windows>,
    /// Transposed convolutions of the decoder; the output of the last one is cells of 3 x 3 pixels.
    pub deconvs: Vec<Windows>,
    /// The last layer's kernel for its input gradient.
    pub last_reversed: Vec<f32>,
    /// The last layer's bias, repeated over a cell, (27).
    pub last_bias: Vec<f32>,
}

impl PackedWeights {
    /// The packed weights of `params`.
    pub fn new(a: &Architecture, params: &Params) -> Self {
        let (picture, bottom) = (Grid::new(a.image_size, 3), a.convs[0].big());
        let first = Windows::conv(FIRST_KERNEL, 3, picture, bottom, BLOCK);
        let convs = a.convs.iter().map(|l| Windows::conv(l.window.kernel, l.window.stride, l.big(), l.small(), BLOCK));
        let deconvs = a
            .deconvs
            .iter()
            .map(|l| Windows::deconv(l.window.kernel, l.window.stride, Phases::Pixels, l.small(), l.big(), BLOCK));
        let last = Windows::deconv(LAST_KERNEL, 3, Phases::Channels, a.framed(), a.cell_grid(), BLOCK);
        let mut packed = Self {
            first_map: first_map(a.channels[0]),
            last_map: last_map(a.channels[0]),
            convs: [first].into_iter().chain(convs).collect(),
            deconvs: deconvs.chain([last]).collect(),
            last_reversed: Vec::new(),
            last_bias: vec![0.0; 27],
        };
        packed.update(a, params);
        packed
    }

    /// Packs `params` again; needed whenever they have changed.
    pub fn update(&mut self, a: &Architecture, params: &Params) {
        self.convs.iter_mut().enumerate().for_each(|(i, layer)| layer.update(params.get(Architecture::conv(i))));
        self.deconvs.iter_mut().enumerate().for_each(|(i, layer)| layer.update(params.get(a.deconv(i))));
        let last = a.deconv(a.deconvs.len());
        let weights = params.get(last);
        let lattice: Vec<f32> = self.last_map.iter().map(|from| from.map_or(0.0, |i| weights[i])).collect();
        self.last_reversed = a.last.reverse(&lattice);
        let bias = params.get(last + 1);
        self.last_bias.iter_mut().enumerate().for_each(|(i, b)| *b = bias[i % 3]);
    }

    /// Adds the packed gradient of the first layer to the gradient in the layout of the parameters.
    pub fn add_first(&self, packed: &[f32], natural: &mut [f32]) {
        add(&self.first_map, packed, natural);
    }

    /// Adds the packed gradient of the last layer to the gradient in the layout of the parameters.
    pub fn add_last(&self, packed: &[f32], natural: &mut [f32]) {
        add(&self.last_map, packed, natural);
    }
}

fn add(map: &Map, packed: &[f32], natural: &mut [f32]) {
    for (p, to) in packed.iter().zip(map) {
        if let Some(i) = to {
            natural[*i] += p;
        }
    }
}

/// (a, b, r, c, colour, out) -> kernel entry (3a + r, 3b + c, colour, out).
fn first_map(channels: usize) -> Map {
    let index = |i: usize| {
        let (out, colour, c, r) = (i % channels, i / channels % 3, i / channels / 3 % 3, i / channels / 9 % 3);
        let (b, a) = (i / channels / 27 % 2, i / channels / 54);
        let (y, x) = (3 * a + r, 3 * b + c);
        (y < FIRST_KERNEL && x < FIRST_KERNEL).then_some(((y * FIRST_KERNEL + x) * 3 + colour) * channels + out)
    };
    (0..4 * 27 * channels).map(index).collect()
}

/// (a, b, in, r, c, colour) -> kernel entry (in, 3(1-a) + r, 3(1-b) + c, colour).
fn last_map(channels: usize) -> Map {
    let index = |i: usize| {
        let (colour, c, r, input) = (i % 3, i / 3 % 3, i / 9 % 3, i / 27 % channels);
        let (b, a) = (i / 27 / channels % 2, i / 54 / channels);
        let (y, x) = (3 * (1 - a) + r, 3 * (1 - b) + c);
        Some(((input * LAST_KERNEL + y) * LAST_KERNEL + x) * 3 + colour)
    };
    (0..4 * 27 * channels).map(index).collect()
}
