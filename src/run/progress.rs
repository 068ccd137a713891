//! Progress reports of a live run.

/// Progress at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick<'a> {
    /// Exploration steps so far.
    pub env_steps: u64,
    /// Exploration steps of the whole run.
    pub steps_total: u64,
    /// Coverage cells visited so far.
    pub coverage_cells: usize,
    /// Coverage cells in total; 0 if coverage is not counted in cells.
    pub coverage_total: usize,
    /// Name and mean of the first metric of the latest evaluation.
    pub evaluation: Option<(String, f64)>,
    /// Current activity: `warm-up`, `exploring`, `updating the agent`, ...
    pub phase: &'a str,
    /// Completed epochs; `None` during the warm-up.
    pub epoch: Option<u64>,
    /// Epochs of the whole run.
    pub epochs: u64,
    /// Seconds since this process began.
    pub elapsed_s: f64,
}

/// Receives progress reports.
pub trait Progress {
    /// Called often; must return at once.
    fn tick(&mut self, tick: &Tick<'_>);

    /// Called once, at the end.
    fn done(&mut self) {}
}
