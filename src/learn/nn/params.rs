//! A network's parameters: named tensors in a fixed order, in one contiguous slice.

use rand::Rng as _;

use crate::learn::rng::Rng;

/// Name and shape of one tensor; its values are row-major at `start..start + len`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Path, e.g. `policy.hidden0.weight`.
    pub name: String,
    /// Row-major shape.
    pub shape: Vec<usize>,
    /// Index of its first value.
    pub start: usize,
}

impl Tensor {
    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it has no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Its range in the flat memory.
    #[must_use]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.len()
    }
}

/// Named parameters in flat memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Params {
    /// In memory order.
    pub tensors: Vec<Tensor>,
    /// All values.
    pub values: Vec<f32>,
}

impl Params {
    /// Zeros with the given names and shapes, in this order.
    #[must_use]
    pub fn zeros(layout: impl IntoIterator<Item = (String, Vec<usize>)>) -> Self {
        let mut start = 0;
        let tensors: Vec<Tensor> = layout
            .into_iter()
            .map(|(name, shape)| {
                let tensor = Tensor { name, shape, start };
                start += tensor.len();
                tensor
            })
            .collect();
        Self { tensors, values: vec![0.0; start] }
    }

    /// The parameters of several networks in one memory, one after the other.
    #[must_use]
    pub fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self { tensors: Vec::new(), values: Vec::new() };
        for part in parts {
            let start = joined.values.len();
            joined.tensors.extend(part.tensors.into_iter().map(|t| Tensor { start: start + t.start, ..t }));
            joined.values.extend(part.values);
        }
        joined
    }

    /// Values of tensor `i`.
    #[must_use]
    pub fn get(&self, i: usize) -> &[f32] {
        &self.values[self.tensors[i].range()]
    }

    /// Values of tensor `i`, mutable.
    pub fn get_mut(&mut self, i: usize) -> &mut [f32] {
        let range = self.tensors[i].range();
        &mut self.values[range]
    }

    /// Fills tensor `i` with U(-bound, bound).
    pub fn uniform(&mut self, i: usize, bound: f64, rng: &mut Rng) {
        self.get_mut(i).fill_with(|| (bound * (2.0 * rng.random::<f64>() - 1.0)) as f32);
    }

    /// Fills tensor `i` with one value.
    pub fn constant(&mut self, i: usize, value: f64) {
        self.get_mut(i).fill(value as f32);
    }
}
