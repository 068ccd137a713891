//! True-state functions of a simulation: distances from a goal, goal pictures, setting a state. They serve measurement
//! only; nothing is learned from them.

use crate::{Env, EnvFault, Image, Name, ReachableCells, StateVec};

/// Named distances of a state from a goal, e.g. `angle_error_rad`.
pub type Metrics = Vec<(Name, f64)>;

/// A goal picture, with the true state that it shows.
#[derive(Clone, Debug, PartialEq)]
pub struct GoalPicture {
    /// Stable name, e.g. `door-07`.
    pub name: String,
    /// The picture.
    pub image: Image,
    /// The true state in the picture.
    pub state: StateVec,
}

/// Measures an environment by its true state; the learner never uses it.
pub trait Truth {
    /// Goal pictures for evaluation: deterministic, in a fixed shuffled order.
    fn evaluation_goals(&self) -> &[GoalPicture];

    /// Distances of `state` from `goal`, with the scene's metric names.
    fn metrics(&self, state: &StateVec, goal: &StateVec) -> Metrics;

    /// True if `state` is within the scene's threshold of `goal`.
    fn success(&self, state: &StateVec, goal: &StateVec) -> bool;

    /// Cells of the state that can be visited; `None`: visits are not compared with uniform ones.
    fn reachable(&self) -> Option<&ReachableCells> {
        None
    }

    /// Draws the present state at any size, with 1 or 4 samples a pixel.
    fn render(&mut self, size: usize, samples: usize) -> Image;

    /// Sets these entries of the state, and the scene is at rest; other entries keep their values.
    ///
    /// # Errors
    /// `BadState` for an unknown entry, and for a state that cannot be held; the scene is then unchanged.
    fn set_state(&mut self, values: &[(&str, f64)]) -> Result<(), EnvFault>;
}

/// A simulated scene: an environment with a known true state.
pub trait Scene: Env + Truth {}

impl<T: Env + Truth + ?Sized> Scene for T {}

/// `state` with the named entries replaced by `values`; `names` are the names of its entries.
///
/// # Errors
/// `BadState` for an unknown name, and for a value that is not finite.
pub(crate) fn changed(names: &[String], state: StateVec, values: &[(&str, f64)]) -> Result<StateVec, EnvFault> {
    let refuse = |what: String| Err(EnvFault::BadState { what });
    let StateVec(mut state) = state;
    for (name, value) in values {
        let Some(entry) = names.iter().position(|n| n == name).and_then(|i| state.get_mut(i)) else {
            return refuse(format!("has no entry `{name}`; it has {}", names.join(", ")));
        };
        if !value.is_finite() {
            return refuse(format!("entry `{name}` cannot be {value}; give a finite number"));
        }
        *entry = *value;
    }
    Ok(StateVec(state))
}
