//! What an environment is: pictures out, actions in, no reward. Simulated ones add a true state for measuring.

use crate::Rng;

/// A square RGB picture, rows from the top, `pixels[(y * size + x) * 3 + channel]`, u8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Side, pixels.
    pub size: usize,
    /// `size * size * 3` bytes.
    pub pixels: Vec<u8>,
}

/// What the robot perceives at one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// What the camera sees.
    pub image: Image,
    /// Joint readings, (P); empty where the scene has none.
    pub proprio: Vec<f32>,
}

/// What the agent asks for, (A), each entry in [-1, 1].
#[derive(Clone, Debug, PartialEq)]
pub struct Action(pub Vec<f32>);

/// Why an episode ended. Only `Terminated` cuts the bootstrap; a time limit is `Truncated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The task itself is over.
    Terminated,
    /// Time is up, or something outside of the task stopped it.
    Truncated,
}

/// One step's outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeStep {
    /// After the step.
    pub observation: Observation,
    /// The action as executed (clipped), which is what replay stores.
    pub executed: Action,
    /// `None` while the episode goes on; time limits are the caller's.
    pub ending: Option<Ending>,
}

/// True state of a simulation, (S), in the order of [`EnvSpec::state_names`]; never shown to the learner.
#[derive(Clone, Debug, PartialEq)]
pub struct StateVec(pub Vec<f64>);

/// Named figures of how far a state is from a goal, e.g. `angle_error_rad`.
pub type Metrics = Vec<(&'static str, f64)>;

/// A scene frozen to bytes: restored in a fresh instance, it continues byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvSnapshot(pub Vec<u8>);

/// Shapes and names of an environment.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvSpec {
    /// Scene name.
    pub name: String,
    /// Side of the square picture, pixels.
    pub image_size: usize,
    /// P.
    pub proprio_dim: usize,
    /// A.
    pub action_dim: usize,
    /// Seconds a step.
    pub control_period_s: f64,
    /// S names with units, e.g. `hand_x`, `angle`; empty on hardware.
    pub state_names: Vec<String>,
    /// Unit of each state entry: `m`, `rad`, or empty.
    pub state_units: Vec<&'static str>,
}

/// A picture to reach, with the true state it was taken in.
#[derive(Clone, Debug, PartialEq)]
pub struct GoalPicture {
    /// Stable name, e.g. `door-07`.
    pub name: String,
    /// The picture.
    pub image: Image,
    /// Where it was taken.
    pub state: StateVec,
}

/// One axis of a coverage grid: `cells` equal bins over [low, high] of a state entry; outside values count to the border bins.
#[derive(Clone, Debug, PartialEq)]
pub struct GridAxis {
    /// Index into the state.
    pub state: usize,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Number of bins.
    pub cells: usize,
}

/// How visited states are counted, and which two axes a heat map shows.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageGrid {
    /// The grid is their product, first axis slowest.
    pub axes: Vec<GridAxis>,
    /// (horizontal, vertical) axes of the heat map, each with its own finer binning.
    pub heat_map: [GridAxis; 2],
}

impl GridAxis {
    /// Bin of `value`, in `0..cells`; a NaN counts to bin 0.
    #[must_use]
    pub fn bin(&self, value: f64) -> usize {
        let unit = (value - self.low) / (self.high - self.low);
        ((unit * self.cells as f64).max(0.0) as usize).min(self.cells - 1)
    }
}

impl CoverageGrid {
    /// Number of cells.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.axes.iter().map(|a| a.cells).product()
    }

    /// Cell of a state, in `0..cells()`.
    #[must_use]
    pub fn cell(&self, state: &[f64]) -> usize {
        self.axes.iter().fold(0, |cell, axis| cell * axis.cells + axis.bin(state[axis.state]))
    }
}

/// What can go wrong in an environment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvFault {
    /// No scene of that name.
    #[error("unknown scene `{name}`; known: {}", crate::scenes::NAMES.join(", "))]
    UnknownScene {
        /// As asked.
        name: String,
    },
    /// An option outside of what the scene can do.
    #[error("{what}")]
    BadOption {
        /// What, and what would be right.
        what: String,
    },
    /// An action of the wrong length or with a value that is not finite.
    #[error("action {got:?} is not {want} finite numbers")]
    BadAction {
        /// As given.
        got: Vec<f32>,
        /// Action dimensions.
        want: usize,
    },
    /// Bytes that are not a snapshot of this scene.
    #[error("snapshot does not belong to scene `{scene}`: {why}")]
    BadSnapshot {
        /// Scene that refused it.
        scene: &'static str,
        /// Why.
        why: String,
    },
}

/// Something a policy can act in. Gymnasium's semantics, without a reward.
pub trait Env: Send {
    /// Shapes and names.
    fn spec(&self) -> &EnvSpec;

    /// Begins an episode. Reset-free scenes keep their state and return what they see now.
    ///
    /// # Errors
    /// What the hardware or the simulation reports.
    fn reset(&mut self, rng: &mut Rng) -> Result<Observation, EnvFault>;

    /// One control period.
    ///
    /// # Errors
    /// `BadAction`, or what the hardware or the simulation reports.
    fn step(&mut self, action: &Action) -> Result<TimeStep, EnvFault>;

    /// Simulation only: for coverage and metrics, never for learning.
    fn true_state(&self) -> Option<StateVec>;

    /// Everything the next step depends on.
    ///
    /// # Errors
    /// Where the environment cannot be frozen (hardware).
    fn snapshot(&self) -> Result<EnvSnapshot, EnvFault>;

    /// Continues from a snapshot, byte for byte.
    ///
    /// # Errors
    /// `BadSnapshot`; the environment is unchanged then.
    fn restore(&mut self, snapshot: &EnvSnapshot) -> Result<(), EnvFault>;
}

/// A simulated environment: it knows its true state, so it can be measured.
pub trait Scene: Env {
    /// Pictures to be tried, deterministic, in a fixed shuffled order.
    fn evaluation_goals(&self) -> &[GoalPicture];

    /// How far `state` is from `goal`, by the scene's names.
    fn metrics(&self, state: &StateVec, goal: &StateVec) -> Metrics;

    /// Whether `state` counts as having reached `goal` (the scene's threshold).
    fn success(&self, state: &StateVec, goal: &StateVec) -> bool;

    /// How visited states are counted.
    fn coverage(&self) -> &CoverageGrid;

    /// The present state, drawn at any size with 1 or 4 samples a pixel.
    fn render(&mut self, size: usize, samples: usize) -> Image;
}
