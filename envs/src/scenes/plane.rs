//! Shared code of the scenes with one point in the plane: state (x, y), distances, a square coverage grid.

use crate::truth::changed;
use crate::{CoverageGrid, EnvFault, EnvSpec, GoalPicture, GridAxis, Image, Metrics, ReachableCells, StateVec};

/// A position (x, y).
pub(super) type PlanePoint = [f64; 2];

/// The spec of a scene with state (x, y), two actions that move the point, and no joints.
pub(super) fn spec(name: &str, image_size: usize) -> EnvSpec {
    EnvSpec {
        name: name.to_owned(),
        image_size,
        proprio_dim: 0,
        action_dim: 2,
        control_period_s: 0.1,
        state_names: vec!["x".to_owned(), "y".to_owned()],
        state_units: vec!["".into(), "".into()],
        proprio_names: Vec::new(),
    }
}

/// A grid of `cells` x `cells` over `[-half, half]^2`; the heat map covers the same square.
pub(super) fn grid(half: f64, cells: usize) -> CoverageGrid {
    let axis = |state| GridAxis { state, low: -half, high: half, cells };
    CoverageGrid { axes: vec![axis(0), axis(1)], heat_map: [axis(0), axis(1)] }
}

/// Those of 20 x 20 cells over `[-half, half]^2` whose centre is `free`.
pub(super) fn reachable(half: f64, free: impl Fn(PlanePoint) -> bool) -> ReachableCells {
    ReachableCells::new(grid(half, 20), |centre| free([centre[0], centre[1]]))
}

/// Euclidean distance of two states (x, y); NaN if one of them is not such a state.
pub(super) fn distance(a: &StateVec, b: &StateVec) -> f64 {
    match (a.0.as_slice(), b.0.as_slice()) {
        ([ax, ay], [bx, by]) => ((ax - bx) * (ax - bx) + (ay - by) * (ay - by)).sqrt(),
        _ => f64::NAN,
    }
}

/// The only metric of these scenes: the distance.
pub(super) fn metrics(a: &StateVec, b: &StateVec) -> Metrics {
    vec![("distance".into(), distance(a, b))]
}

/// `at` with the named entries replaced by `values`.
///
/// # Errors
/// `BadState` for an unknown name, and for a value that is not finite.
pub(super) fn placed(spec: &EnvSpec, at: PlanePoint, values: &[(&str, f64)]) -> Result<PlanePoint, EnvFault> {
    let state = changed(&spec.state_names, StateVec(at.to_vec()), values)?;
    Ok([state.0[0], state.0[1]])
}

/// A picture of each point, named `scene-00`, `scene-01`, ...
pub(super) fn goals(scene: &str, points: &[PlanePoint], draw: impl Fn(PlanePoint) -> Image) -> Vec<GoalPicture> {
    let name = |i| format!("{scene}-{i:02}");
    let goal =
        |(i, &p): (usize, &PlanePoint)| GoalPicture { name: name(i), image: draw(p), state: StateVec(p.to_vec()) };
    points.iter().enumerate().map(goal).collect()
}
