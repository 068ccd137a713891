//! The first and last layers' weights, rearranged for the lattice; zero where the kernel is smaller than two strides.

use super::architecture::{Architecture, FIRST_KERNEL, LAST_KERNEL};
use crate::nn::Params;

/// For each packed weight, the index of the natural one.
type Map = Vec<Option<usize>>;

/// Packed copies, made anew after every update.
pub struct Packed {
    first_map: Map,
    last_map: Map,
    /// (2, 2 * 27, C0).
    pub first: Vec<f32>,
    /// (2, 2 * C0, 27).
    pub last: Vec<f32>,
    /// The last layer's kernel for its input gradient.
    pub last_reversed: Vec<f32>,
    /// The last layer's bias, repeated over one line of cells, (g 27).
    pub last_bias: Vec<f32>,
}

impl Packed {
    /// Maps for an architecture, and its packed weights.
    pub fn new(a: &Architecture, params: &Params) -> Self {
        let mut packed = Self {
            first_map: first_map(a.channels[0]),
            last_map: last_map(a.channels[0]),
            first: vec![0.0; 4 * 27 * a.channels[0]],
            last: vec![0.0; 4 * 27 * a.channels[0]],
            last_reversed: Vec::new(),
            last_bias: vec![0.0; a.cells() * 27],
        };
        packed.update(a, params);
        packed
    }

    /// After the parameters have changed.
    pub fn update(&mut self, a: &Architecture, params: &Params) {
        let last = a.deconv(a.deconvs.len());
        gather(&self.first_map, params.get(Architecture::conv(0)), &mut self.first);
        gather(&self.last_map, params.get(last), &mut self.last);
        self.last_reversed = a.last.reverse(&self.last);
        let bias = params.get(last + 1);
        self.last_bias.iter_mut().enumerate().for_each(|(i, b)| *b = bias[i % 3]);
    }

    /// Adds the packed gradient of the first layer to its natural one.
    pub fn add_first(&self, packed: &[f32], natural: &mut [f32]) {
        add(&self.first_map, packed, natural);
    }

    /// Adds the packed gradient of the last layer to its natural one.
    pub fn add_last(&self, packed: &[f32], natural: &mut [f32]) {
        add(&self.last_map, packed, natural);
    }
}

fn gather(map: &Map, natural: &[f32], packed: &mut [f32]) {
    for (p, from) in packed.iter_mut().zip(map) {
        *p = from.map_or(0.0, |i| natural[i]);
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
