//! A door with a handle; a hook on a robot's hand pulls it open. Reset-free: an episode begins where the last ended.
//!
//! State: hand_x, hand_y, hand_z (m), angle (rad, positive = open). Action: displacement of the hand's target in
//! units of 2 cm along x, y, z; the target stays in x [-.1, .05], y [.45, .65], z [.1, .25] m.
//! After the Sawyer door of Skew-Fit (Pong et al. 2020, arXiv 1903.03698).

mod goals;
mod picture;
mod world;

use std::sync::OnceLock;

use world::{CONTROL_PERIOD_S, Configuration, HAND_BOX, World};

use super::SceneOptions;
use crate::render::{self, Renderer};
use crate::truth::changed;
use crate::{
    Action, CoverageGrid, Env, EnvFault, EnvSnapshot, EnvSpec, GoalPicture, GridAxis, Image, Metrics, Observation,
    ReachableCells, Rng, StateVec, TimeStep, Truth,
};

const NAME: &str = "door";
/// Index of the angle in the state; the hand has the indices before it.
const ANGLE: usize = 3;
/// A state is held if it stays this close to the requested state, m and rad.
const HELD: f64 = 0.005;
/// An angle this close to the goal's counts as reached, rad.
const SUCCESS_RAD: f64 = 0.05;

/// The scene: bodies, camera, coverage grid and goals.
pub struct Door {
    options: SceneOptions,
    spec: EnvSpec,
    coverage: CoverageGrid,
    reachable: ReachableCells,
    world: World,
    renderer: Renderer,
    goals: OnceLock<Vec<GoalPicture>>,
}

impl Door {
    /// A closed door, and the hand at (-.05, .5, .2) m.
    ///
    /// # Errors
    /// `BadOption` for a picture size or sample count that the ray caster does not support.
    pub fn new(options: &SceneOptions) -> Result<Self, EnvFault> {
        render::check(options.image_size, options.samples)?;
        Ok(Self {
            options: options.clone(),
            spec: spec(options.image_size),
            coverage: coverage(),
            reachable: ReachableCells::new(coverage(), |_| true),
            world: World::new(),
            renderer: Renderer::default(),
            goals: OnceLock::new(),
        })
    }

    /// Runs one control period without drawing; returns the executed action.
    ///
    /// # Errors
    /// `BadAction`.
    pub fn advance(&mut self, action: &Action) -> Result<Action, EnvFault> {
        let executed = action.clipped(self.spec.action_dim)?;
        self.world.step([0, 1, 2].map(|axis| executed.0[axis]));
        Ok(executed)
    }

    fn observe(&mut self) -> Observation {
        Observation { image: self.render(self.options.image_size, self.options.samples), proprio: Vec::new() }
    }
}

impl Env for Door {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }

    /// Keeps door and hand where they are.
    fn reset(&mut self, _: &mut Rng) -> Result<Observation, EnvFault> {
        Ok(self.observe())
    }

    fn step(&mut self, action: &Action) -> Result<TimeStep, EnvFault> {
        let executed = self.advance(action)?;
        Ok(TimeStep { observation: self.observe(), executed, ending: None })
    }

    fn true_state(&self) -> Option<StateVec> {
        Some(self.world.configuration().state())
    }

    fn snapshot(&self) -> Result<EnvSnapshot, EnvFault> {
        EnvSnapshot::freeze(NAME, &self.world)
    }

    fn restore(&mut self, snapshot: &EnvSnapshot) -> Result<(), EnvFault> {
        let world: World = snapshot.thaw(NAME)?;
        if !world.is_sound() {
            return Err(EnvFault::BadSnapshot { scene: NAME.into(), why: "it has no hand or no door".to_owned() });
        }
        self.world = world;
        Ok(())
    }

    fn coverage(&self) -> Option<&CoverageGrid> {
        Some(&self.coverage)
    }

    fn truth(&self) -> Option<&dyn Truth> {
        Some(self)
    }

    fn truth_mut(&mut self) -> Option<&mut dyn Truth> {
        Some(self)
    }
}

impl Truth for Door {
    /// Computed at the first call (about half a second for the usual 50), because only evaluation needs them.
    fn evaluation_goals(&self) -> &[GoalPicture] {
        self.goals.get_or_init(|| {
            let SceneOptions { image_size, samples, episode_steps, evaluation_goals, .. } = self.options;
            let mut renderer = Renderer::default();
            let goals = goals::reached(evaluation_goals, episode_steps).into_iter().enumerate();
            let picture = |(k, goal): (usize, Configuration)| GoalPicture {
                name: format!("{NAME}-{k:02}"),
                image: renderer.render(&picture::camera(), &picture::primitives(&goal), image_size, samples),
                state: goal.state(),
            };
            goals.map(picture).collect()
        })
    }

    /// `angle_error_rad` and `hand_distance_m`.
    fn metrics(&self, state: &StateVec, goal: &StateVec) -> Metrics {
        let hand = state.0.iter().zip(&goal.0).take(ANGLE).map(|(s, g)| (s - g) * (s - g));
        vec![("angle_error_rad".into(), angle_error(state, goal)), ("hand_distance_m".into(), hand.sum::<f64>().sqrt())]
    }

    fn success(&self, state: &StateVec, goal: &StateVec) -> bool {
        angle_error(state, goal) < SUCCESS_RAD
    }

    /// All 720 coverage cells. The hook cannot be inside of the panel, which nearly fills a few cells: with up to 600 random
    /// states for each cell, 717 cells have one that is held at rest. Which of them the hand can get to is not known.
    fn reachable(&self) -> Option<&ReachableCells> {
        Some(&self.reachable)
    }

    fn render(&mut self, size: usize, samples: usize) -> Image {
        let scene = picture::primitives(&self.world.configuration());
        self.renderer.render(&picture::camera(), &scene, size, samples)
    }

    /// Sets hand and door, then simulates 3 s. A state that they do not keep is refused, for example a hook inside the
    /// door.
    fn set_state(&mut self, values: &[(&str, f64)]) -> Result<(), EnvFault> {
        let asked = changed(&self.spec.state_names, self.world.configuration().state(), values)?;
        let refuse = |what: String| Err(EnvFault::BadState { what });
        if !(0.0..=world::WIDEST).contains(&asked.0[ANGLE]) {
            return refuse(format!("{:?} is not held: the door opens from 0 to {:.3} rad", asked.0, world::WIDEST));
        }
        let world = World::settled(&asked);
        let held = world.configuration().state();
        if !held.0.iter().zip(&asked.0).all(|(is, want)| (is - want).abs() <= HELD) {
            return Err(EnvFault::BadState { what: format!("{:?} is not held: it becomes {:?}", asked.0, held.0) });
        }
        self.world = world;
        Ok(())
    }
}

fn angle_error(state: &StateVec, goal: &StateVec) -> f64 {
    (state.0[ANGLE] - goal.0[ANGLE]).abs()
}

fn spec(image_size: usize) -> EnvSpec {
    EnvSpec {
        name: NAME.to_owned(),
        image_size,
        proprio_dim: 0,
        action_dim: 3,
        control_period_s: CONTROL_PERIOD_S,
        state_names: ["hand_x", "hand_y", "hand_z", "angle"].map(str::to_owned).to_vec(),
        state_units: ["m", "m", "m", "rad"].map(Into::into).to_vec(),
        proprio_names: Vec::new(),
    }
}

/// Angle in 20 x hand in 3 x 4 x 3 cells; the heat map shows the angle against the hand's y.
fn coverage() -> CoverageGrid {
    let angle = |cells| GridAxis { state: ANGLE, low: 0.0, high: 1.05, cells };
    let hand = |axis: usize, cells| {
        let [low, high] = HAND_BOX.map(|corner| f64::from(corner[axis]));
        GridAxis { state: axis, low, high, cells }
    };
    CoverageGrid { axes: vec![angle(20), hand(0, 3), hand(1, 4), hand(2, 3)], heat_map: [angle(42), hand(1, 20)] }
}
