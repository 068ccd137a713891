//! What a simulation knows besides its pictures: how far a state is from a goal, pictures of goals, and how to be put into
//! a state. It measures; nothing is learned from it.

use crate::{Env, EnvFault, Image, Name, StateVec};

/// Named figures of how far a state is from a goal, e.g. `angle_error_rad`.
pub type Metrics = Vec<(Name, f64)>;

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

/// What measures an environment from outside of what is learned.
pub trait Truth {
    /// Pictures to be tried, deterministic, in a fixed shuffled order.
    fn evaluation_goals(&self) -> &[GoalPicture];

    /// How far `state` is from `goal`, by the scene's names.
    fn metrics(&self, state: &StateVec, goal: &StateVec) -> Metrics;

    /// Whether `state` counts as having reached `goal` (the scene's threshold).
    fn success(&self, state: &StateVec, goal: &StateVec) -> bool;

    /// The present state, drawn at any size with 1 or 4 samples a pixel.
    fn render(&mut self, size: usize, samples: usize) -> Image;

    /// Puts the scene, at rest, into a state with these values; entries that are not named stay as they are.
    ///
    /// # Errors
    /// `BadState` for an entry that the scene has not, and for a state that cannot be held; the scene is unchanged then.
    fn set_state(&mut self, values: &[(&str, f64)]) -> Result<(), EnvFault>;
}

/// A simulated scene: an environment with a truth.
pub trait Scene: Env + Truth {}

impl<T: Env + Truth + ?Sized> Scene for T {}

/// `state` with the named `values` in place of its own; `names` are its entries'.
///
/// # Errors
/// `BadState` for a name that is none of them, and for a value that is not finite.
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
