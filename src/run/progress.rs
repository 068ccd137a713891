//! What a run tells while it goes on.

/// Where a run stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick<'a> {
    /// Exploration steps so far.
    pub env_steps: u64,
    /// Exploration steps in all.
    pub steps_total: u64,
    /// Coverage cells ever visited.
    pub coverage_cells: usize,
    /// Coverage cells in all; 0 where they are not counted.
    pub coverage_total: usize,
    /// Name and value of the latest evaluation's leading figure.
    pub evaluation: Option<(String, f64)>,
    /// What is being done: `warm-up`, `exploring`, `learning`, ...
    pub phase: &'a str,
    /// Whole epochs behind; `None` during the warm-up.
    pub epoch: Option<u64>,
    /// Epochs in all.
    pub epochs: u64,
    /// Since this process began, seconds.
    pub elapsed_s: f64,
}

/// Whoever wants to know.
pub trait Progress {
    /// Called often; must return at once.
    fn tick(&mut self, tick: &Tick<'_>);

    /// Called once, at the end.
    fn done(&mut self) {}
}
