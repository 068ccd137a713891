//! Explores a scene of your own: a slider on a rail, moved by one action. `cargo run --example my_scene [DIRECTORY]`.

use skewfit::config::Config;
use skewfit::error::Result;
use skewfit::run::explore;
use skewfit::run::progress::{Progress, Tick};
use skewfit_envs::render::flat::{self, FlatShape, ViewBox};
use skewfit_envs::{
    Action, CoverageGrid, Env, EnvFault, EnvSnapshot, EnvSpec, GoalPicture, GridAxis, Image, Metrics, Observation, Rng,
    StateVec, TimeStep, Truth,
};

/// Settings that differ from the door's; `env.scene` comes from [`EnvSpec`].
const CONFIG: &str = r#"
    name = "my-scene"
    env = { image_size = 24, samples = 1, episode_steps = 50 }
    run = { steps = 3000, warmup_steps = 500, epoch_steps = 250, updates_per_epoch = 100 }
    latent = { dim = 2, channels = [8, 16], batch = 32, phases = [{ every = 1, updates = 50 }] }
    skew = { power = -1, start_epoch = 0 }
    agent = { hidden = [32, 32], batch = 64 }
    evaluate = { pictures = 4, pictures_each_time = 4 }
"#;

/// x in [-1, 1]; every step  x' = clip(x + 0.05 a).
struct Slider {
    spec: EnvSpec,
    grid: CoverageGrid,
    goals: Vec<GoalPicture>,
    x: f64,
}

impl Slider {
    fn new(image_size: usize) -> Self {
        let spec = EnvSpec {
            name: "slider".to_owned(),
            image_size,
            proprio_dim: 0,
            action_dim: 1,
            control_period_s: 0.1,
            state_names: vec!["x".to_owned()],
            state_units: vec!["".into()],
            proprio_names: Vec::new(),
        };
        let axis = GridAxis { state: 0, low: -1.0, high: 1.0, cells: 40 };
        let grid = CoverageGrid { axes: vec![axis.clone()], heat_map: [axis.clone(), axis] };
        let goal = |x| GoalPicture { name: format!("{x}"), image: picture(x, image_size, 4), state: StateVec(vec![x]) };
        Self { spec, grid, goals: [0.6, -0.9, 0.2, 0.9].map(goal).into(), x: 0.0 }
    }

    fn observe(&self) -> Observation {
        Observation { image: picture(self.x, self.spec.image_size, 4), proprio: Vec::new() }
    }
}

fn picture(x: f64, size: usize, samples: usize) -> Image {
    let rail = FlatShape::Rectangle { low: [-1.0, -0.05], high: [1.0, 0.05], colour: [60, 60, 60] };
    let knob = FlatShape::Disc { centre: [x, 0.0], radius: 0.2, colour: [30, 140, 90] };
    flat::draw(&ViewBox::square(1.25), [235, 235, 235], &[rail, knob], size, samples)
}

impl Env for Slider {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }
    fn reset(&mut self, _: &mut Rng) -> Result<Observation, EnvFault> {
        self.x = 0.0;
        Ok(self.observe())
    }
    fn step(&mut self, action: &Action) -> Result<TimeStep, EnvFault> {
        let executed = action.clipped(1)?;
        self.x = (self.x + 0.05 * f64::from(executed.0[0])).clamp(-1.0, 1.0);
        Ok(TimeStep { observation: self.observe(), executed, ending: None })
    }
    fn true_state(&self) -> Option<StateVec> {
        Some(StateVec(vec![self.x]))
    }
    fn snapshot(&self) -> Result<EnvSnapshot, EnvFault> {
        EnvSnapshot::freeze("slider", &self.x)
    }
    fn restore(&mut self, snapshot: &EnvSnapshot) -> Result<(), EnvFault> {
        snapshot.thaw("slider").map(|x| self.x = x)
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

impl Truth for Slider {
    fn evaluation_goals(&self) -> &[GoalPicture] {
        &self.goals
    }
    fn metrics(&self, state: &StateVec, goal: &StateVec) -> Metrics {
        vec![("distance".into(), (state.0[0] - goal.0[0]).abs())]
    }
    fn success(&self, state: &StateVec, goal: &StateVec) -> bool {
        (state.0[0] - goal.0[0]).abs() < 0.05
    }
    fn render(&mut self, size: usize, samples: usize) -> Image {
        picture(self.x, size, samples)
    }
    fn set_state(&mut self, values: &[(&str, f64)]) -> Result<(), EnvFault> {
        for (name, x) in values {
            if *name != "x" || !(-1.0..=1.0).contains(x) {
                return Err(EnvFault::BadState { what: format!("{name} = {x} is off the rail") });
            }
            self.x = *x;
        }
        Ok(())
    }
}

/// Coverage at the latest tick: cells visited, cells in all.
struct LatestCoverage {
    cells: usize,
    total: usize,
}

impl Progress for LatestCoverage {
    fn tick(&mut self, tick: &Tick<'_>) {
        *self = Self { cells: tick.coverage_cells, total: tick.coverage_total };
    }
}

#[expect(clippy::print_stdout, reason = "an example shows its result")]
fn main() -> Result<()> {
    let dir = std::env::args().nth(1).unwrap_or_else(|| "results/my-scene".to_owned());
    let (config, mut coverage) =
        (Config::parse(CONFIG, "my_scene", Vec::new())?, LatestCoverage { cells: 0, total: 0 });
    let build: skewfit::task::scene::Build<'_> = &|env, _| Ok(Box::new(Slider::new(env.image_size)));
    let summary = explore::start_in(config, dir.as_ref(), &["my_scene".to_owned()], &mut coverage, build)?;
    println!("saw {} of {} cells in {} steps; see {dir}/REPORT.md", coverage.cells, coverage.total, summary.env_steps);
    Ok(())
}
