//! Corridor: a point walks a square ring,  s' = out(clip(s + 0.1 a + N(0, 0.01^2))),  in [-1,1]^2 without (-1/2,1/2)^2.
//!
//! The picture version of the square-corridor experiment of Pong et al. 2020 (arXiv 1903.03698), where the hard goals
//! are far from the start (-1,-1). `out` moves a point in the hole to the nearest edge, see `push_out`.

use rand::{Rng as _, SeedableRng};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::SceneOptions;
use super::plane::{self, PlanePoint};
use crate::render::flat::{self, FlatShape, ViewBox};
use crate::{
    Action, CoverageGrid, Env, EnvFault, EnvSnapshot, EnvSpec, GoalPicture, Image, Metrics, Observation,
    ReachableCells, Rng, StateVec, TimeStep, Truth,
};

const NAME: &str = "corridor";
const SIDE: f64 = 1.0;
const HOLE: f64 = 0.5;
const START: PlanePoint = [-1.0, -1.0];
const STEP: f64 = 0.1;
const NOISE: f64 = 0.01;
const REACHED: f64 = 0.1;
const GOAL_SEED: u64 = 1;

const VIEW: ViewBox = ViewBox::square(1.2);
const RADIUS: f64 = 0.12;
const GROUND: flat::Colour = [92, 98, 106];
const DARK: flat::Colour = [50, 52, 58];
const DISC: flat::Colour = [250, 214, 70];

/// The corridor scene; see the module.
#[derive(Debug)]
pub struct Corridor {
    spec: EnvSpec,
    samples: usize,
    grid: CoverageGrid,
    reachable: ReachableCells,
    goals: Vec<GoalPicture>,
    state: State,
}

/// Everything the next step depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct State {
    at: PlanePoint,
    noise: Rng,
}

impl Corridor {
    /// Places the point at its start. Until the first `reset` the noise comes from a generator of seed 0.
    #[must_use]
    pub fn new(options: &SceneOptions) -> Self {
        let mut rng = Rng::seed_from_u64(GOAL_SEED);
        let points = (0..options.evaluation_goals).map(|_| uniform(&mut rng)).collect::<Vec<_>>();
        Self {
            spec: plane::spec(NAME, options.image_size),
            samples: options.samples,
            grid: plane::grid(SIDE, 60),
            reachable: plane::reachable(SIDE, is_valid),
            goals: plane::goals(NAME, &points, |p| picture(p, options.image_size, options.samples)),
            state: State { at: START, noise: Rng::seed_from_u64(0) },
        }
    }

    /// Runs one control period without drawing; returns the executed action.
    ///
    /// # Errors
    /// `BadAction`.
    pub fn advance(&mut self, action: &Action) -> Result<Action, EnvFault> {
        let executed = action.clipped(self.spec.action_dim)?;
        for (at, a) in self.state.at.iter_mut().zip(&executed.0) {
            let noise = NOISE * self.state.noise.sample::<f64, _>(StandardNormal);
            *at = (*at + STEP * f64::from(*a) + noise).clamp(-SIDE, SIDE);
        }
        self.state.at = push_out(self.state.at);
        Ok(executed)
    }

    fn observe(&self) -> Observation {
        Observation { image: picture(self.state.at, self.spec.image_size, self.samples), proprio: Vec::new() }
    }
}

/// Moves a point in the open hole (-1/2, 1/2)^2 to the nearest edge; of equally near edges, to the first of
/// left, right, bottom, top. Other points do not move.
fn push_out([x, y]: PlanePoint) -> PlanePoint {
    let edge = |v: f64| if v > 0.0 { HOLE } else { -HOLE };
    match (x.abs(), y.abs()) {
        (ax, ay) if ax >= HOLE || ay >= HOLE => [x, y],
        (ax, ay) if ax >= ay => [edge(x), y],
        _ => [x, edge(y)],
    }
}

fn is_valid(p: PlanePoint) -> bool {
    p.iter().all(|v| v.abs() <= SIDE) && p.iter().any(|v| v.abs() >= HOLE)
}

/// Uniform over the valid area, by rejection.
fn uniform(rng: &mut Rng) -> PlanePoint {
    loop {
        let p = [rng.random_range(-SIDE..SIDE), rng.random_range(-SIDE..SIDE)];
        if is_valid(p) {
            return p;
        }
    }
}

fn picture(at: PlanePoint, size: usize, samples: usize) -> Image {
    let hole = FlatShape::Rectangle { low: [-HOLE; 2], high: [HOLE; 2], colour: DARK };
    let disc = FlatShape::Disc { centre: at, radius: RADIUS, colour: DISC };
    flat::draw(&VIEW, GROUND, &[hole, disc], size, samples)
}

impl Env for Corridor {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Observation, EnvFault> {
        self.state = State { at: START, noise: Rng::from_rng(rng) };
        Ok(self.observe())
    }

    fn step(&mut self, action: &Action) -> Result<TimeStep, EnvFault> {
        let executed = self.advance(action)?;
        Ok(TimeStep { observation: self.observe(), executed, ending: None })
    }

    fn true_state(&self) -> Option<StateVec> {
        Some(StateVec(self.state.at.to_vec()))
    }

    fn snapshot(&self) -> Result<EnvSnapshot, EnvFault> {
        EnvSnapshot::freeze(NAME, &self.state)
    }

    fn restore(&mut self, snapshot: &EnvSnapshot) -> Result<(), EnvFault> {
        let state: State = snapshot.thaw(NAME)?;
        if !is_valid(state.at) {
            return Err(EnvFault::BadSnapshot {
                scene: NAME.into(),
                why: format!("{:?} is not in the corridor", state.at),
            });
        }
        self.state = state;
        Ok(())
    }

    fn coverage(&self) -> Option<&CoverageGrid> {
        Some(&self.grid)
    }

    fn truth(&self) -> Option<&dyn Truth> {
        Some(self)
    }

    fn truth_mut(&mut self) -> Option<&mut dyn Truth> {
        Some(self)
    }
}

impl Truth for Corridor {
    fn evaluation_goals(&self) -> &[GoalPicture] {
        &self.goals
    }

    fn metrics(&self, state: &StateVec, goal: &StateVec) -> Metrics {
        plane::metrics(state, goal)
    }

    fn success(&self, state: &StateVec, goal: &StateVec) -> bool {
        plane::distance(state, goal) < REACHED
    }

    /// The 300 of 20 x 20 cells outside of the hole; a point on the hole's edge counts to the cell beside it.
    fn reachable(&self) -> Option<&ReachableCells> {
        Some(&self.reachable)
    }

    fn render(&mut self, size: usize, samples: usize) -> Image {
        picture(self.state.at, size, samples)
    }

    /// Entries `x`, `y`; the point must be outside of the hole.
    fn set_state(&mut self, values: &[(&str, f64)]) -> Result<(), EnvFault> {
        let at = plane::placed(&self.spec, self.state.at, values)?;
        if !is_valid(at) {
            return Err(EnvFault::BadState { what: format!("{at:?} is not in the corridor") });
        }
        self.state.at = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
