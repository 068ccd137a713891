//! The learner's parameters and moments as named tensors, and back.

use std::collections::BTreeMap;

use super::checkpoint::{NamedTensor, Snapshot, pack_step, unpack_step};
use crate::error::{Error, Result};
use crate::learn::agent::Sac;
use crate::learn::latent::Vae;
use crate::learn::learner::Learner;
use crate::learn::nn::{Adam, Params};

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
    learner.overwrite(|vae, sac| {
        for (params, adam) in models_mut(vae, sac) {
            for tensor in &params.tensors {
                params.values[tensor.range()].copy_from_slice(find(&tensor.name, tensor.len())?);
            }
            let Some((name, adam)) = adam else { continue };
            for tensor in &params.tensors {
                adam.m[tensor.range()].copy_from_slice(find(&format!("{}.m", tensor.name), tensor.len())?);
                adam.v[tensor.range()].copy_from_slice(find(&format!("{}.v", tensor.name), tensor.len())?);
            }
            let step = find(&format!("{name}.step"), pack_step(0).len())?;
            adam.step =
                unpack_step(step).ok_or_else(|| Error::Damaged(format!("checkpoint: {name}.step is no count")))?;
        }
        Ok(())
    })
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

fn models_mut<'a>(vae: &'a mut Vae, sac: &'a mut Sac) -> [OptimisedMut<'a>; 5] {
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
