//! Point2d: a ball of radius 0.5 moves among walls in [-4,4]^2:  s' = clip(slide(s, s + c a)),
//! c = 1 without walls, 0.25 with walls.
//!
//! The Point2D family of `multiworld` (github.com/vitchyr/multiworld). The variants `u`, `big-u`, `easy-u` and `---`
//! have its fixed "hard" start (0,-2); the others start anywhere outside of their walls. `slide` stops the ball at
//! walls.

use rand::{Rng as _, SeedableRng};
use serde::{Deserialize, Serialize};

use super::SceneOptions;
use super::plane::{self, PlanePoint};
use super::walls::{self, BALL_RADIUS, Variant, Wall};
use crate::render::flat::{self, FlatShape, ViewBox};
use crate::{
    Action, CoverageGrid, Env, EnvFault, EnvSnapshot, EnvSpec, GoalPicture, Image, Metrics, Observation,
    ReachableCells, Rng, StateVec, TimeStep, Truth,
};

const NAME: &str = "point2d";
const SIDE: f64 = 4.0;
const REACHED: f64 = 0.6;
const GOAL_SEED: u64 = 2;

const VIEW: ViewBox = ViewBox::square(SIDE + BALL_RADIUS);
const GROUND: flat::Colour = [236, 236, 236];
const WALL: flat::Colour = [40, 40, 40];
const BALL: flat::Colour = [36, 84, 210];

/// The point2d scene; see the module.
#[derive(Debug)]
pub struct Point2d {
    spec: EnvSpec,
    samples: usize,
    grid: CoverageGrid,
    reachable: ReachableCells,
    goals: Vec<GoalPicture>,
    variant: &'static Variant,
    walls: Vec<Wall>,
    at: PlanePoint,
}

/// Content of a snapshot; the name of the walls detects a snapshot of another variant.
#[derive(Serialize, Deserialize)]
struct Frozen {
    walls: String,
    at: PlanePoint,
}

impl Point2d {
    /// Places the ball at the start of the first episode, drawn with seed 0 if the start is random.
    ///
    /// # Errors
    /// `BadOption` for unknown walls.
    pub fn new(options: &SceneOptions) -> Result<Self, EnvFault> {
        let variant = Variant::find(&options.walls)?;
        let walls = variant.walls();
        let mut rng = Rng::seed_from_u64(GOAL_SEED);
        let points = (0..options.evaluation_goals).map(|_| uniform(&walls, &mut rng)).collect::<Vec<_>>();
        Ok(Self {
            spec: plane::spec(NAME, options.image_size),
            samples: options.samples,
            grid: plane::grid(SIDE, 40),
            reachable: plane::reachable(SIDE, |centre| !walls::blocked(&walls, centre)),
            goals: plane::goals(NAME, &points, |p| picture(variant, p, options.image_size, options.samples)),
            at: start(variant, &walls, &mut Rng::seed_from_u64(0)),
            variant,
            walls,
        })
    }

    /// The allowed values of [`SceneOptions::walls`].
    pub fn wall_names() -> impl Iterator<Item = &'static str> {
        walls::names()
    }

    /// Runs one control period without drawing; returns the executed action.
    ///
    /// # Errors
    /// `BadAction`.
    pub fn advance(&mut self, action: &Action) -> Result<Action, EnvFault> {
        let executed = action.clipped(self.spec.action_dim)?;
        let scale = if self.walls.is_empty() { 1.0 } else { 0.25 };
        let to = std::array::from_fn(|axis| self.at[axis] + scale * f64::from(executed.0[axis]));
        self.at = walls::slide(&self.walls, self.at, to).map(|v| v.clamp(-SIDE, SIDE));
        Ok(executed)
    }

    fn is_free(&self, at: PlanePoint) -> bool {
        at.iter().all(|v| v.abs() <= SIDE) && !walls::blocked(&self.walls, at)
    }

    fn observe(&self) -> Observation {
        let image = picture(self.variant, self.at, self.spec.image_size, self.samples);
        Observation { image, proprio: Vec::new() }
    }
}

fn start(variant: &Variant, walls: &[Wall], rng: &mut Rng) -> PlanePoint {
    variant.start.unwrap_or_else(|| uniform(walls, rng))
}

/// Uniform over the box outside of the walls, by rejection.
fn uniform(walls: &[Wall], rng: &mut Rng) -> PlanePoint {
    loop {
        let p = [rng.random_range(-SIDE..SIDE), rng.random_range(-SIDE..SIDE)];
        if !walls::blocked(walls, p) {
            return p;
        }
    }
}

fn picture(variant: &Variant, at: PlanePoint, size: usize, samples: usize) -> Image {
    let wall = |w: Wall| FlatShape::Rectangle { low: w.low, high: w.high, colour: WALL };
    let mut shapes = variant.drawn().into_iter().map(wall).collect::<Vec<_>>();
    shapes.push(FlatShape::Disc { centre: at, radius: BALL_RADIUS, colour: BALL });
    flat::draw(&VIEW, GROUND, &shapes, size, samples)
}

impl Env for Point2d {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Observation, EnvFault> {
        self.at = start(self.variant, &self.walls, rng);
        Ok(self.observe())
    }

    fn step(&mut self, action: &Action) -> Result<TimeStep, EnvFault> {
        let executed = self.advance(action)?;
        Ok(TimeStep { observation: self.observe(), executed, ending: None })
    }

    fn true_state(&self) -> Option<StateVec> {
        Some(StateVec(self.at.to_vec()))
    }

    fn snapshot(&self) -> Result<EnvSnapshot, EnvFault> {
        EnvSnapshot::freeze(NAME, &Frozen { walls: self.variant.name.to_owned(), at: self.at })
    }

    fn restore(&mut self, snapshot: &EnvSnapshot) -> Result<(), EnvFault> {
        let bad = |why| Err(EnvFault::BadSnapshot { scene: NAME.into(), why });
        let Frozen { walls, at } = snapshot.thaw(NAME)?;
        if walls != self.variant.name {
            return bad(format!("it was taken among walls `{walls}`, these are `{}`", self.variant.name));
        }
        if !self.is_free(at) {
            return bad(format!("{at:?} is in a wall or outside of the box"));
        }
        self.at = at;
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

impl Truth for Point2d {
    fn evaluation_goals(&self) -> &[GoalPicture] {
        &self.goals
    }

    fn metrics(&self, state: &StateVec, goal: &StateVec) -> Metrics {
        plane::metrics(state, goal)
    }

    fn success(&self, state: &StateVec, goal: &StateVec) -> bool {
        plane::distance(state, goal) < REACHED
    }

    /// Those of 20 x 20 cells whose centre is outside of the walls.
    fn reachable(&self) -> Option<&ReachableCells> {
        Some(&self.reachable)
    }

    fn render(&mut self, size: usize, samples: usize) -> Image {
        picture(self.variant, self.at, size, samples)
    }

    /// Entries `x`, `y`; the ball must be outside of the walls.
    fn set_state(&mut self, values: &[(&str, f64)]) -> Result<(), EnvFault> {
        let at = plane::placed(&self.spec, self.at, values)?;
        if !self.is_free(at) {
            return Err(EnvFault::BadState { what: format!("{at:?} is in a wall or outside of the box") });
        }
        self.at = at;
        Ok(())
    }
}
