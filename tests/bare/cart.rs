//! An environment like a device: pictures and steps, no true state, no metrics, no snapshots, and only one instance at
//! a time.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

use rand::Rng as _;
use skewfit_envs::render::flat::{self, FlatShape, ViewBox};
use skewfit_envs::{Action, CoverageGrid, Env, EnvFault, EnvSpec, GridAxis, Image, Observation, Rng, TimeStep};

static TAKEN: AtomicBool = AtomicBool::new(false);
/// Steps of the cart in this process.
pub static STEPS: AtomicU64 = AtomicU64::new(0);

/// A cart on a plane: every step  s' = clip(s + 0.1 a + noise);  a reset puts it near the middle.
pub struct Cart {
    spec: EnvSpec,
    grid: Option<CoverageGrid>,
    at: [f64; 2],
    noise: Rng,
    /// True if its noise does not depend on the run's seed, like that of a device.
    pub unrepeatable: bool,
    /// Reports this fault after that many steps. A fault with the word `shape` instead gives a picture that is too
    /// small.
    fault: Option<(u64, fn() -> EnvFault)>,
}

impl Cart {
    /// With joint readings, over which coverage counts visits, or with pictures alone.
    pub fn new(image_size: usize, joints: bool) -> Result<Self, EnvFault> {
        if TAKEN.swap(true, SeqCst) {
            return Err(EnvFault::Lost { how: "somebody else has it".into() });
        }
        let axis = |state, cells| GridAxis { state, low: -1.0, high: 1.0, cells };
        let names = ["left", "right"].map(str::to_owned);
        let spec = EnvSpec {
            name: "cart".into(),
            image_size,
            proprio_dim: if joints { 2 } else { 0 },
            action_dim: 2,
            control_period_s: 0.1,
            state_names: Vec::new(),
            state_units: if joints { vec![format!("m{}", "").into(), "m".into()] } else { Vec::new() },
            proprio_names: if joints { names.into() } else { Vec::new() },
        };
        let grid = CoverageGrid { axes: vec![axis(0, 10), axis(1, 10)], heat_map: [axis(0, 20), axis(1, 20)] };
        let noise = rand::SeedableRng::seed_from_u64(0);
        Ok(Self { spec, grid: joints.then_some(grid), at: [0.0; 2], noise, unrepeatable: false, fault: None })
    }

    pub fn failing(mut self, steps: u64, fault: fn() -> EnvFault) -> Self {
        self.fault = Some((steps, fault));
        self
    }

    fn observe(&self) -> Observation {
        let proprio = self.at[..self.spec.proprio_dim].iter().map(|x| *x as f32).collect();
        Observation { image: picture(self.at, self.spec.image_size), proprio }
    }
}

impl Drop for Cart {
    fn drop(&mut self) {
        TAKEN.store(false, SeqCst);
    }
}

pub fn picture(at: [f64; 2], size: usize) -> Image {
    let cart = FlatShape::Disc { centre: at, radius: 0.25, colour: [240, 200, 60] };
    flat::draw(&ViewBox::square(1.3), [70, 80, 90], &[cart], size, 1)
}

impl Env for Cart {
    fn spec(&self) -> &EnvSpec {
        &self.spec
    }
    fn reset(&mut self, rng: &mut Rng) -> Result<Observation, EnvFault> {
        self.noise = rand::SeedableRng::from_rng(rng);
        if self.unrepeatable {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            self.noise = rand::SeedableRng::seed_from_u64(now.map_or(0, |now| now.as_nanos() as u64));
        }
        self.at = std::array::from_fn(|_| self.noise.random_range(-0.2..0.2));
        Ok(self.observe())
    }
    fn step(&mut self, action: &Action) -> Result<TimeStep, EnvFault> {
        let done = STEPS.fetch_add(1, SeqCst);
        if let Some((_, fault)) = self.fault.filter(|(steps, _)| done >= *steps) {
            let fault = fault();
            if fault.to_string().contains("shape") {
                let observation = Observation { image: picture(self.at, 12), proprio: Vec::new() };
                return Ok(TimeStep { observation, executed: action.clipped(2)?, ending: None });
            }
            return Err(fault);
        }
        let executed = action.clipped(2)?;
        for (x, a) in self.at.iter_mut().zip(&executed.0) {
            *x = (*x + 0.1 * f64::from(*a) + self.noise.random_range(-0.01..0.01)).clamp(-1.0, 1.0);
        }
        Ok(TimeStep { observation: self.observe(), executed, ending: None })
    }
    fn coverage(&self) -> Option<&CoverageGrid> {
        self.grid.as_ref()
    }
}
