//! A scene that a small VAE learns in seconds.

use skewfit_envs::{
    Action, CoverageGrid, Env, EnvFault, EnvSnapshot, EnvSpec, GoalPicture, Image, Metrics, Observation, Rng, StateVec,
    TimeStep, Truth,
};

/// The corridor, drawn with a blurred light instead of the disc.
pub struct Blurred(pub Box<dyn Env>);

impl Blurred {
    fn seen(&self) -> Image {
        const SPREAD: f64 = 0.3;
        let (size, state) = (self.0.spec().image_size, self.0.true_state().unwrap().0);
        let place = |k: usize| (k as f64 + 0.5) / size as f64 * 2.0 - 1.0;
        let light = |i: usize| {
            let (dx, dy) = (place(i % size) - state[0], place(i / size) + state[1]);
            (160.0 * (-(dx * dx + dy * dy) / (2.0 * SPREAD * SPREAD)).exp()) as u8
        };
        Image { size, pixels: (0..size * size).flat_map(|i| [light(i); 3]).collect() }
    }
}

impl Env for Blurred {
    fn spec(&self) -> &EnvSpec {
        self.0.spec()
    }
    fn reset(&mut self, rng: &mut Rng) -> Result<Observation, EnvFault> {
        self.0.reset(rng)?;
        Ok(Observation { image: self.seen(), proprio: Vec::new() })
    }
    fn step(&mut self, action: &Action) -> Result<TimeStep, EnvFault> {
        let step = self.0.step(action)?;
        Ok(TimeStep { observation: Observation { image: self.seen(), proprio: Vec::new() }, ..step })
    }
    fn true_state(&self) -> Option<StateVec> {
        self.0.true_state()
    }
    fn snapshot(&self) -> Result<EnvSnapshot, EnvFault> {
        self.0.snapshot()
    }
    fn restore(&mut self, snapshot: &EnvSnapshot) -> Result<(), EnvFault> {
        self.0.restore(snapshot)
    }
    fn coverage(&self) -> Option<&CoverageGrid> {
        self.0.coverage()
    }
    fn truth(&self) -> Option<&dyn Truth> {
        Some(self)
    }
    fn truth_mut(&mut self) -> Option<&mut dyn Truth> {
        Some(self)
    }
}

impl Truth for Blurred {
    fn evaluation_goals(&self) -> &[GoalPicture] {
        &[]
    }
    fn metrics(&self, state: &StateVec, goal: &StateVec) -> Metrics {
        self.0.truth().unwrap().metrics(state, goal)
    }
    fn success(&self, state: &StateVec, goal: &StateVec) -> bool {
        self.0.truth().unwrap().success(state, goal)
    }
    fn render(&mut self, _: usize, _: usize) -> Image {
        self.seen()
    }
    fn set_state(&mut self, values: &[(&str, f64)]) -> Result<(), EnvFault> {
        self.0.truth_mut().unwrap().set_state(values)
    }
}
