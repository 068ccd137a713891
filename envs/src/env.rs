//! What an environment is: pictures out, actions in, no reward. A simulated one adds a [`Truth`] for measuring.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{CoverageGrid, EnvFault, Rng, Truth};

/// A name or a unit: written in the program, or read from outside.
pub type Name = Cow<'static, str>;

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

/// A scene frozen to bytes: restored in a fresh instance, it continues byte for byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvSnapshot(pub Vec<u8>);

/// Shapes and names of an environment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnvSpec {
    /// Its name.
    pub name: String,
    /// Side of the square picture, pixels.
    pub image_size: usize,
    /// P.
    pub proprio_dim: usize,
    /// A.
    pub action_dim: usize,
    /// Seconds a step.
    pub control_period_s: f64,
    /// S names, e.g. `hand_x`, `angle`; empty where no true state is known.
    pub state_names: Vec<String>,
    /// Unit of each entry that is counted: `m`, `rad`, or empty. They are the state's, or proprioception's where there is
    /// no state.
    pub state_units: Vec<Name>,
    /// P names; may be empty.
    pub proprio_names: Vec<String>,
}

impl EnvSpec {
    /// Names of the entries that visits are counted by: those of the state, or of proprioception where there is no state.
    #[must_use]
    pub fn counted_names(&self) -> &[String] {
        if self.state_names.is_empty() { &self.proprio_names } else { &self.state_names }
    }
}

/// Something a policy can act in. Gymnasium's semantics, without a reward.
///
/// A device or another's program has to know no more than its spec, `reset` and `step`; the rest has an answer here.
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

    /// Where it knows one: for coverage and metrics, never for learning.
    fn true_state(&self) -> Option<StateVec> {
        None
    }

    /// How visits are counted, by the entries of [`EnvSpec::counted_names`]; `None`: by the pictures alone.
    fn coverage(&self) -> Option<&CoverageGrid> {
        None
    }

    /// Everything the next step depends on.
    ///
    /// # Errors
    /// `NoSnapshot` where it cannot be frozen: a run then keeps every committed episode, and a process that takes it up
    /// again learns from them what the one before had learned.
    fn snapshot(&self) -> Result<EnvSnapshot, EnvFault> {
        Err(EnvFault::NoSnapshot)
    }

    /// Continues from a snapshot, byte for byte.
    ///
    /// # Errors
    /// `BadSnapshot`; the environment is unchanged then.
    fn restore(&mut self, _snapshot: &EnvSnapshot) -> Result<(), EnvFault> {
        Err(EnvFault::NoSnapshot)
    }

    /// What measures it, where something does.
    fn truth(&self) -> Option<&dyn Truth> {
        None
    }

    /// The same, to draw with and to be put into a state.
    fn truth_mut(&mut self) -> Option<&mut dyn Truth> {
        None
    }
}
