//! A model's state as named tensors. Names, shapes and layout are the same in all implementations and in checkpoints.

use super::{Adam, Params};
use crate::error::{Error, Result};

/// An f32 tensor with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// Unique in its list, e.g. `policy.hidden0.weight`.
    pub name: String,
    /// Row-major; `[]` is a single number.
    pub shape: Vec<usize>,
    /// The values, as many as the product of `shape`.
    pub data: Vec<f32>,
}

/// Everything that a model's next update depends on, except its settings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelState {
    /// All parameters, target networks and log-temperature included.
    pub params: Vec<NamedTensor>,
    /// Adam's moments, and step counts as [`pack_step`] gives them.
    pub optimizer: Vec<NamedTensor>,
}

impl ModelState {
    /// Adds `params` and, if they have an optimiser, its moments and step count under its name.
    pub fn push(&mut self, params: &Params, adam: Option<(&str, &Adam)>) {
        self.params.extend(named(params, &params.values, ""));
        if let Some((name, adam)) = adam {
            self.optimizer.extend(named(params, &adam.m, ".m"));
            self.optimizer.extend(named(params, &adam.v, ".v"));
            let step = pack_step(adam.step).to_vec();
            self.optimizer.push(NamedTensor { name: format!("{name}.step"), shape: vec![step.len()], data: step });
        }
    }

    /// The inverse of [`push`](Self::push), by name.
    ///
    /// # Errors
    /// `Damaged` if a tensor is missing or has another shape; some tensors may have been read then.
    pub fn read(&self, params: &mut Params, adam: Option<(&str, &mut Adam)>) -> Result<()> {
        for tensor in &params.tensors {
            params.values[tensor.range()].copy_from_slice(find(&self.params, &tensor.name, &tensor.shape)?);
        }
        let Some((name, adam)) = adam else { return Ok(()) };
        for tensor in &params.tensors {
            let moment = |suffix| find(&self.optimizer, &format!("{}.{suffix}", tensor.name), &tensor.shape);
            adam.m[tensor.range()].copy_from_slice(moment("m")?);
            adam.v[tensor.range()].copy_from_slice(moment("v")?);
        }
        let step = find(&self.optimizer, &format!("{name}.step"), &[pack_step(0).len()])?;
        adam.step = unpack_step(step).ok_or_else(|| Error::Damaged(format!("{name}.step is not a step count")))?;
        Ok(())
    }
}

fn named<'a>(params: &'a Params, values: &'a [f32], suffix: &'a str) -> impl Iterator<Item = NamedTensor> + 'a {
    params.tensors.iter().map(move |t| NamedTensor {
        name: format!("{}{suffix}", t.name),
        shape: t.shape.clone(),
        data: values[t.range()].to_vec(),
    })
}

fn find<'a>(tensors: &'a [NamedTensor], name: &str, shape: &[usize]) -> Result<&'a [f32]> {
    let len = shape.iter().product::<usize>();
    let tensor = tensors.iter().find(|t| t.name == name && t.shape == shape && t.data.len() == len);
    tensor.map(|t| &t.data[..]).ok_or_else(|| Error::Damaged(format!("no tensor `{name}` of shape {shape:?}")))
}

/// A step count as an optimiser tensor of shape `[3]`: digits in base 2^24, lowest first, each exact in f32.
#[must_use]
pub fn pack_step(step: u64) -> [f32; 3] {
    [0, 24, 48].map(|shift| ((step >> shift) & 0xff_ffff) as f32)
}

/// The inverse of [`pack_step`]; `None` for numbers that it never returns.
#[must_use]
pub fn unpack_step(limbs: &[f32]) -> Option<u64> {
    let step = [0, 24, 48].iter().zip(limbs).fold(0, |step, (shift, &limb)| step | ((limb as u64) << shift));
    (pack_step(step) == limbs).then_some(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_read_and_what_is_missing_is_named() {
        let layout = || [("a".to_owned(), vec![2]), ("b".to_owned(), vec![])];
        let (mut params, mut adam) = (Params::zeros(layout()), Adam::new(3));
        params.values = vec![1.0, 2.0, 3.0];
        adam.m = vec![-1.0, -2.0, -3.0];
        adam.step = (1 << 24) + 1;
        let mut state = ModelState::default();
        state.push(&params, Some(("both", &adam)));
        let names: Vec<&str> = state.params.iter().chain(&state.optimizer).map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "a.m", "b.m", "a.v", "b.v", "both.step"]);
        let (mut read, mut moments) = (Params::zeros(layout()), Adam::new(3));
        state.read(&mut read, Some(("both", &mut moments))).unwrap();
        assert_eq!((read, moments), (params, adam.clone()));
        let refused = |state: &ModelState| {
            state.read(&mut Params::zeros(layout()), Some(("both", &mut Adam::new(3)))).unwrap_err().to_string()
        };
        for (broken, why) in [
            (ModelState { params: state.params[..1].to_vec(), ..state.clone() }, "no tensor `b` of shape []"),
            (ModelState { optimizer: state.optimizer[1..].to_vec(), ..state.clone() }, "no tensor `a.m` of shape [2]"),
        ] {
            assert_eq!(refused(&broken), why);
        }
        state.optimizer[2].data.push(0.0);
        assert_eq!(refused(&state), "no tensor `a.v` of shape [2]");
    }

    #[test]
    fn steps_are_packed_exactly() {
        for step in [0, 1, 0xff_ffff, 0x100_0000, 123_456_789_012, u64::MAX] {
            assert_eq!(unpack_step(&pack_step(step)), Some(step));
        }
        for bad in [&[0.5, 0.0, 0.0][..], &[-1.0, 0.0, 0.0], &[f32::NAN, 0.0, 0.0], &[16_777_216.0, 0.0, 0.0], &[1.0]] {
            assert_eq!(unpack_step(bad), None, "{bad:?}");
        }
    }
}
