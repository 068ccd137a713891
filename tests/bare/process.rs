//! Runs of the cart in processes of their own, because a run may be killed and faults apply to a whole process.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::Ordering::SeqCst;

use serde_json::{Value, json};
use skewfit::config::{Config, EnvConfig, overrides};
use skewfit::error::Result;
use skewfit::run::explore::{resume_in, start_in};
use skewfit::run::progress::{Progress, Tick};
use skewfit_envs::{Env, EnvFault};

use crate::cart::{Cart, STEPS};
use crate::common::stderr;

/// The environment variable with the directory of the run.
const RUN: &str = "SKEWFIT_TEST_CART";
/// The environment variables with its settings and its fault.
const SETTINGS: &str = "SKEWFIT_TEST_CART_SETTINGS";
const FAULT: &str = "SKEWFIT_TEST_CART_FAULT";

pub struct Quiet;

impl Progress for Quiet {
    fn tick(&mut self, _: &Tick<'_>) {}
}

/// The settings and faults of a run.
#[derive(Clone, Default)]
pub struct Asked<'a> {
    /// Keys with values, or one of the words `joints`, `unrepeatable`, `pass over`.
    pub settings: Vec<String>,
    /// The value of `SKEWFIT_CHAOS`.
    pub chaos: &'a str,
    /// A fault (`raised`, `lost`, `hung`, `range` or `shape`) and the number of steps before it.
    pub fault: &'a str,
}

impl Asked<'_> {
    /// The same with one more setting.
    pub fn and(&self, setting: &str) -> Self {
        let mut more = self.clone();
        more.settings.push(setting.to_owned());
        more
    }

    /// Explores in a new `dir`, or resumes the run in `dir`.
    pub fn process(&self, dir: &Path) -> Output {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "process::a_run_of_the_cart", "--ignored", "--nocapture"]);
        command.env(RUN, dir).env(SETTINGS, self.settings.join("\n")).env(FAULT, self.fault);
        command.env("SKEWFIT_CHAOS", self.chaos).output().unwrap()
    }

    /// The object that the process printed at its end.
    pub fn told(&self, dir: &Path) -> Value {
        told(&self.process(dir))
    }
}

pub fn told(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("told: ").map(|(_, json)| json));
    serde_json::from_str(line.unwrap_or_else(|| panic!("{text}{}", stderr(output)))).unwrap()
}

/// Builds the cart with or without `joints`, at the requested picture size.
pub fn cart(joints: bool) -> impl Fn(&EnvConfig, usize) -> Result<Box<dyn Env>> {
    move |cfg, _| Ok(Box::new(Cart::new(cfg.image_size, joints)?))
}

/// The process of the other tests: explores or resumes, as its environment variables say.
#[test]
#[ignore = "is a process of its own for the other tests"]
fn a_run_of_the_cart() {
    let Some(dir) = std::env::var_os(RUN) else { return };
    let dir = Path::new(&dir);
    let settings = std::env::var(SETTINGS).unwrap();
    let fault = std::env::var(FAULT).unwrap();
    let has = |word: &str| settings.lines().any(|line| line == word);
    let pass_over = usize::from(has("pass over"));
    let build = |cfg: &EnvConfig, _: usize| -> Result<Box<dyn Env>> {
        let mut cart = Cart::new(cfg.image_size, has("joints"))?;
        cart.unrepeatable = has("unrepeatable");
        Ok(Box::new(match fault.split_once('@') {
            None => cart,
            Some((kind, at)) => cart.failing(at.parse().unwrap(), kind_of(kind)),
        }))
    };
    let outcome = if dir.join("run.json").exists() {
        resume_in(dir, None, pass_over, &mut Quiet, &build)
    } else {
        let settings = settings.lines().filter(|line| line.contains('='));
        let settings = settings.map(|text| overrides::parse(text).unwrap()).collect();
        start_in(Config::resolve("corridor-tiny", settings).unwrap(), dir, &["cart".into()], &mut Quiet, &build)
    };
    let steps = STEPS.load(SeqCst);
    let told = match outcome {
        Ok(summary) => json!({ "summary": summary, "params_blake3": summary.params_blake3, "steps": steps }),
        Err(e) => json!({ "code": e.exit_code(), "why": e.to_string(), "steps": steps }),
    };
    println!("told: {told}");
}

fn kind_of(kind: &str) -> fn() -> EnvFault {
    match kind {
        "raised" => || EnvFault::Raised { what: "ValueError: a joint is stuck".into(), trace: "arm.py, line 7".into() },
        "lost" => || EnvFault::Lost { how: "the port has closed".into() },
        "hung" => || EnvFault::Hung { seconds: 5.0 },
        "shape" => || EnvFault::OutOfRange { what: "shape".into() },
        _ => || EnvFault::OutOfRange { what: "joint 2 is at 9.9 rad, of [-1.5, 1.5]".into() },
    }
}
