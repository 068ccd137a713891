//! What a checkpoint holds besides tensors: counters, and the sums of an epoch that is not over yet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::agent::SacInfo;
use crate::checkpoint::{NamedTensor, Snapshot, pack_step, unpack_step};
use crate::episode::GoalOrigin;
use crate::error::{Error, Result};
use crate::latent::VaeInfo;
use crate::learner::{Counts, Learner};
use crate::nn::{Adam, Params};
use crate::replay::SkewInfo;
use crate::supervise::ladder::Ladder;

/// Counters of the run; with the learner's, all that the next step depends on besides tensors and episodes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Exploration steps.
    pub env_steps: u64,
    /// Episodes committed.
    pub episodes: u64,
    /// Whole epochs behind.
    pub epoch: u64,
    /// The learner's.
    pub counts: Counts,
    /// Of the epoch under way.
    pub sums: Sums,
    /// Name and value of the latest evaluation's leading figure.
    pub evaluation: Option<(String, f64)>,
    /// Seconds, over all processes that worked on the run.
    pub wall_s: f64,
    /// Updates of the last checkpoints that were due by the schedule, oldest first: what trouble may lead back to. Those
    /// that a stop leaves are not among them, so a run that was stopped goes back as one that was not.
    #[serde(default)]
    pub due: Vec<u64>,
    /// [`Config::identity`](crate::config::Config::identity); empty in a checkpoint of an older program.
    #[serde(default)]
    pub config: String,
    /// What trouble with numbers has led to.
    #[serde(default)]
    pub ladder: Ladder,
    /// Updates, episodes and evaluations left out because something was not finite.
    #[serde(default)]
    pub skipped: u64,
}

/// Facts about the skewed distribution, as logged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Skew {
    alpha: f64,
    ess: f64,
    max_weight: f64,
}

impl From<SkewInfo> for Skew {
    fn from(info: SkewInfo) -> Self {
        Self { alpha: info.alpha, ess: info.ess, max_weight: info.max_weight }
    }
}

/// Sums over an epoch; times in seconds are this machine's and no part of what is learned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    updates: u64,
    /// critic loss, actor loss, temperature, entropy, Q, gradient norm, reward.
    agent: [f64; 7],
    vae_updates: u64,
    /// sse, kl, loss.
    vae: [f64; 3],
    active_dims: f64,
    /// Episodes with a goal from prior, replay, skewed replay.
    goals: [u64; 3],
    /// `None` while draws are uniform.
    pub skew: Option<Skew>,
    /// Column -> mean of a mapped state, over replay and over skewed draws; empty while draws are uniform.
    #[serde(default)]
    pub mapped_states: Vec<(String, f64)>,
    /// Metric -> mean over the pictures tried.
    pub evaluation: Vec<(String, f64)>,
    /// Of the pictures tried.
    pub success_rate: Option<f64>,
    /// Acting in the scene.
    pub env_s: f64,
    /// SAC updates, batches included.
    pub sac_s: f64,
    /// VAE updates, batches included.
    pub vae_s: f64,
    /// Encoding, densities, weights.
    pub refresh_s: f64,
    /// Seconds on the run's clock when the epoch began.
    pub began_s: f64,
    /// Processor's seconds when it began, of the process that counts now.
    #[serde(skip)]
    pub began_cpu_s: f64,
    /// Processor's seconds spent on what makes the run outlive a crash: commits, checkpoints, rows, events, status.
    #[serde(default)]
    pub safety_cpu_s: f64,
    /// Seconds it waited for the disk to do so.
    #[serde(default)]
    pub safety_wait_s: f64,
}

impl Sums {
    /// Nothing yet; the run's clock stands at `began_s`.
    #[must_use]
    pub fn since(began_s: f64) -> Self {
        Self { began_s, ..Self::default() }
    }

    /// Nothing yet but what the warm-up, which has no row, has cost for safety.
    #[must_use]
    pub fn after_warm_up(&self, began_s: f64) -> Self {
        let Self { safety_cpu_s, safety_wait_s, .. } = *self;
        Self { safety_cpu_s, safety_wait_s, ..Self::since(began_s) }
    }

    /// One SAC update.
    pub fn add_update(&mut self, i: &SacInfo, reward: f64) {
        self.updates += 1;
        let facts = [i.critic_loss, i.actor_loss, i.temperature, i.entropy, i.q_mean, i.grad_norm, reward];
        self.agent.iter_mut().zip(facts).for_each(|(sum, fact)| *sum += fact);
    }

    /// One VAE update; active dimensions are the last one's.
    pub fn add_vae(&mut self, i: &VaeInfo) {
        self.vae_updates += 1;
        self.vae.iter_mut().zip([i.sse, i.kl, i.loss]).for_each(|(sum, fact)| *sum += fact);
        self.active_dims = i.active_dims as f64;
    }

    /// One episode's goal.
    pub fn count_goal(&mut self, origin: GoalOrigin) {
        self.goals[origin as usize] += 1;
    }

    /// The epoch's row but for coverage and the times that only the loop knows.
    #[must_use]
    pub fn values(&self) -> BTreeMap<String, f64> {
        let mut values: BTreeMap<String, f64> = BTreeMap::new();
        let mut put = |name: &str, value: f64| {
            values.insert(name.to_owned(), value);
        };
        if self.updates > 0 {
            let names = ["critic_loss", "actor_loss", "temperature", "entropy", "q_mean", "grad_norm"];
            let mean = |k: usize| self.agent[k] / self.updates as f64;
            names.iter().enumerate().for_each(|(k, name)| put(&format!("train/{name}"), mean(k)));
            put("reward/mean", mean(6));
        }
        if self.vae_updates > 0 {
            for (k, name) in ["sse", "kl", "loss"].iter().enumerate() {
                put(&format!("vae/{name}"), self.vae[k] / self.vae_updates as f64);
            }
            put("vae/active_dims", self.active_dims);
        }
        if let Some(skew) = self.skew {
            put("skew/alpha", skew.alpha);
            put("skew/ess", skew.ess);
            put("skew/max_weight", skew.max_weight);
        }
        for (name, mean) in &self.mapped_states {
            put(name, *mean);
        }
        for (name, count) in ["prior", "replay", "skewed"].iter().zip(self.goals) {
            put(&format!("goals/from_{name}"), count as f64);
        }
        for (name, value) in &self.evaluation {
            put(&format!("eval/final_{name}"), *value);
        }
        if let Some(rate) = self.success_rate {
            put("eval/success_rate", rate);
        }
        for (name, seconds) in [
            ("env_s", self.env_s),
            ("sac_s", self.sac_s),
            ("vae_s", self.vae_s),
            ("refresh_s", self.refresh_s),
            ("safety_cpu_s", self.safety_cpu_s),
            ("safety_wait_s", self.safety_wait_s),
        ] {
            put(&format!("time/{name}"), seconds);
        }
        values
    }

    /// Seconds that are accounted for.
    #[must_use]
    pub fn accounted_s(&self) -> f64 {
        self.env_s + self.sac_s + self.vae_s + self.refresh_s
    }
}

impl RunState {
    /// Drops figures that are not finite, which a checkpoint could not hold; nothing is learned from them.
    pub fn keep_finite(&mut self) {
        let sums = &mut self.sums;
        sums.evaluation.retain(|(_, value)| value.is_finite());
        sums.mapped_states.retain(|(_, value)| value.is_finite());
        sums.success_rate = sums.success_rate.filter(|rate| rate.is_finite());
        self.evaluation = self.evaluation.take().filter(|(_, value)| value.is_finite());
    }

    /// The counters of a checkpoint.
    ///
    /// # Errors
    /// `Damaged` for a state of another shape.
    pub fn of(snapshot: &Snapshot) -> Result<Self> {
        serde_json::from_value(snapshot.state.clone())
            .map_err(|e| Error::Damaged(format!("checkpoint {:08}: state.json: {e}", snapshot.update)))
    }
}

/// Parameters and moments by name.
#[must_use]
pub fn model_tensors(learner: &Learner) -> (Vec<NamedTensor>, Vec<NamedTensor>) {
    let (mut params, mut optimizer) = (Vec::new(), Vec::new());
    for (values, adam) in models(learner) {
        params.extend(named(values, &values.values, ""));
        if let Some((name, adam)) = adam {
            optimizer.extend(named(values, &adam.m, ".m"));
            optimizer.extend(named(values, &adam.v, ".v"));
            let step = pack_step(adam.step).to_vec();
            optimizer.push(NamedTensor { name: format!("{name}.step"), shape: vec![step.len()], data: step });
        }
    }
    (params, optimizer)
}

/// The inverse of [`model_tensors`]; counters are not touched.
///
/// # Errors
/// `Damaged` where a tensor is missing or has another shape.
pub fn restore_models(learner: &mut Learner, snapshot: &Snapshot) -> Result<()> {
    let by_name: BTreeMap<&str, &NamedTensor> =
        snapshot.params.iter().chain(&snapshot.optimizer).map(|t| (t.name.as_str(), t)).collect();
    let find = |name: &str, len: usize| -> Result<&[f32]> {
        let tensor = by_name.get(name).filter(|t| t.data.len() == len);
        let missing = || Error::Damaged(format!("checkpoint {:08}: no tensor `{name}` of {len}", snapshot.update));
        tensor.map(|t| t.data.as_slice()).ok_or_else(missing)
    };
    for (params, adam) in models_mut(learner) {
        for tensor in &params.tensors {
            params.values[tensor.range()].copy_from_slice(find(&tensor.name, tensor.len())?);
        }
        let Some((name, adam)) = adam else { continue };
        for tensor in &params.tensors {
            adam.m[tensor.range()].copy_from_slice(find(&format!("{}.m", tensor.name), tensor.len())?);
            adam.v[tensor.range()].copy_from_slice(find(&format!("{}.v", tensor.name), tensor.len())?);
        }
        let step = find(&format!("{name}.step"), pack_step(0).len())?;
        adam.step = unpack_step(step).ok_or_else(|| Error::Damaged(format!("checkpoint: {name}.step is no count")))?;
    }
    learner.models_changed();
    Ok(())
}

type Optimised<'a> = (&'a Params, Option<(&'static str, &'a Adam)>);
type OptimisedMut<'a> = (&'a mut Params, Option<(&'static str, &'a mut Adam)>);

fn models(learner: &Learner) -> [Optimised<'_>; 5] {
    let (vae, sac) = (&learner.vae, &learner.sac);
    let [policy, critics, temperature] = &sac.adams;
    [
        (&vae.params, Some(("vae", &vae.adam))),
        (&sac.policy, Some(("policy", policy))),
        (&sac.critics, Some(("critics", critics))),
        (&sac.targets, None),
        (&sac.log_temperature, Some(("log_temperature", temperature))),
    ]
}

fn models_mut(learner: &mut Learner) -> [OptimisedMut<'_>; 5] {
    let (vae, sac) = (&mut learner.vae, &mut learner.sac);
    let [policy, critics, temperature] = &mut sac.adams;
    [
        (&mut vae.params, Some(("vae", &mut vae.adam))),
        (&mut sac.policy, Some(("policy", policy))),
        (&mut sac.critics, Some(("critics", critics))),
        (&mut sac.targets, None),
        (&mut sac.log_temperature, Some(("log_temperature", temperature))),
    ]
}

fn named<'a>(params: &'a Params, values: &'a [f32], suffix: &'a str) -> impl Iterator<Item = NamedTensor> + 'a {
    params.tensors.iter().map(move |t| NamedTensor {
        name: format!("{}{suffix}", t.name),
        shape: t.shape.clone(),
        data: values[t.range()].to_vec(),
    })
}
