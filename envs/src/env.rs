//! The trait of an environment: actions in, pictures out, no reward. A simulation adds a [`Truth`] for measuring.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{CoverageGrid, EnvFault, Rng, Truth};

/// A name or a unit: a constant of the program, or read at run time.
pub type Name = Cow<'static, str>;

/// A square RGB picture, rows from the top, `pixels[(y * size + x) * 3 + channel]`, u8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Side, pixels.
    pub size: usize,
    /// `size * size * 3` bytes.
    pub pixels: Vec<u8>,
}

/// An observation: the picture and the joint readings of one instant.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Camera picture.
    pub image: Image,
    /// Joint readings, (P); empty where the scene has none.
    pub proprio: Vec<f32>,
}

/// An action, (A), each entry in [-1, 1].
#[derive(Clone, Debug, PartialEq)]
pub struct Action(pub Vec<f32>);

/// Why an episode ended. Only `Terminated` cuts the bootstrap; a time limit is `Truncated`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The task itself is over.
    Terminated,
    /// The time limit was reached, or something outside of the task stopped the episode.
    Truncated,
}

/// The result of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeStep {
    /// The observation after the step.
    pub observation: Observation,
    /// The executed (clipped) action; replay stores this one.
    pub executed: Action,
    /// `None` while the episode continues; the caller applies time limits.
    pub ending: Option<Ending>,
}

/// True state of a simulation, (S), in the order of [`EnvSpec::state_names`]; never shown to the learner.
#[derive(Clone, Debug, PartialEq)]
pub struct StateVec(pub Vec<f64>);

/// The state of a scene as bytes. A new instance that restores it continues byte for byte.
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
    /// S names, e.g. `hand_x`, `angle`; empty if there is no true state.
    pub state_names: Vec<String>,
    /// Unit of each entry of [`EnvSpec::counted_names`]: `m`, `rad`, or empty.
    pub state_units: Vec<Name>,
    /// P names; may be empty.
    pub proprio_names: Vec<String>,
}

impl EnvSpec {
    /// Names of the entries that coverage counts: those of the state, or of proprioception where there is no state.
    #[must_use]
    pub fn counted_names(&self) -> &[String] {
        if self.state_names.is_empty() { &self.proprio_names } else { &self.state_names }
    }
}

/// An environment with Gymnasium's semantics, without a reward.
///
/// A device or a child process must implement `spec`, `reset` and `step`; the other methods have defaults.
pub trait Env: Send {
    /// Shapes and names.
    fn spec(&self) -> &EnvSpec;

    /// Begins an episode. Reset-free scenes keep their state and return the present observation.
    ///
    /// # Errors
    /// The fault that the hardware or the simulation reports.
    fn reset(&mut self, rng: &mut Rng) -> Result<Observation, EnvFault>;

    /// One control period.
    ///
    /// # Errors
    /// `BadAction`, or the fault that the hardware or the simulation reports.
    fn step(&mut self, action: &Action) -> Result<TimeStep, EnvFault>;

    /// The true state, if there is one: for coverage and metrics, never for learning.
    fn true_state(&self) -> Option<StateVec> {
        None
    }

    /// The grid over [`EnvSpec::counted_names`] that counts visits; `None`: coverage comes from the pictures alone.
    fn coverage(&self) -> Option<&CoverageGrid> {
        None
    }

    /// Everything the next step depends on.
    ///
    /// # Errors
    /// `NoSnapshot` if the environment gives no snapshot. A run then keeps every committed episode. When it is resumed,
    /// episodes committed after the checkpoint are read from their files, and the updates since then are made again.
    fn snapshot(&self) -> Result<EnvSnapshot, EnvFault> {
        Err(EnvFault::NoSnapshot)
    }

    /// Continues from a snapshot, byte for byte.
    ///
    /// # Errors
    /// `BadSnapshot`; the environment is then unchanged.
    fn restore(&mut self, _snapshot: &EnvSnapshot) -> Result<(), EnvFault> {
        Err(EnvFault::NoSnapshot)
    }

    /// The environment's [`Truth`], which measures attempts; `None` if it has none.
    fn truth(&self) -> Option<&dyn Truth> {
        None
    }

    /// [`truth`](Self::truth), mutable: needed to render a picture and to set the state.
    fn truth_mut(&mut self) -> Option<&mut dyn Truth> {
        None
    }
}
