//! A layer's weights, packed in the order in which [`direct`](super::direct) reads them.

/// Width of a panel: output channels whose weights lie side by side.
const WIDE: usize = 32;
/// Width of the panel of a layer with at most this many outputs.
const NARROW: usize = 16;

/// Weights (rows, run, outputs) cut into panels of `width` outputs, padded with zeros: (panels, rows, run, width).
pub struct Panels {
    pub(super) panels: usize,
    /// Kernel rows.
    pub(super) rows: usize,
    /// Inputs of each kernel row.
    pub(super) run: usize,
    /// Outputs of a panel.
    pub(super) width: usize,
    /// For each entry, the index of the layer's weight; `None` for padding.
    pub(super) map: Vec<Option<u32>>,
    pub(super) data: Vec<f32>,
    /// Index of the first entry, which is aligned to a cache line.
    pub(super) start: usize,
}

impl Panels {
    /// Panels whose entry (row, k, output) is the layer's weight `index(row, k, output)`.
    pub fn new(rows: usize, run: usize, outputs: usize, index: impl Fn(usize, usize, usize) -> usize) -> Self {
        let width = if outputs > NARROW { WIDE } else { NARROW };
        let panels = outputs.div_ceil(width);
        let entry = |i: usize| {
            let (column, k, row, panel) = (i % width, i / width % run, i / width / run % rows, i / width / run / rows);
            let output = panel * width + column;
            (output < outputs).then(|| index(row, k, output) as u32)
        };
        let map: Vec<_> = (0..panels * rows * run * width).map(entry).collect();
        let data = vec![0.0; map.len() + 15];
        let start = data.as_ptr().align_offset(64).min(15);
        Self { panels, rows, run, width, map, data, start }
    }

    /// Copies the layer's weights; needed whenever they have changed.
    pub fn update(&mut self, weights: &[f32]) {
        for (entry, from) in self.data[self.start..].iter_mut().zip(&self.map) {
            *entry = from.map_or(0.0, |i| weights[i as usize]);
        }
    }
}
