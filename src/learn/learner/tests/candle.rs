//! The second implementation of the model traits: the candle references as f32 models, with their own Adam and state.

mod sac;
mod vae;

use candle_core::{Device, Tensor, Var};

use crate::error::{Error, Result};
use crate::learn::nn::{Adam, ModelState, Params};
pub use sac::CandleSac;
pub use vae::CandleVae;

impl From<candle_core::Error> for Error {
    fn from(e: candle_core::Error) -> Self {
        Self::Misuse(e.to_string())
    }
}

/// Parameters as candle variables, and their Adam moments.
pub struct Network {
    vars: Vec<Var>,
    /// Names, shapes, and the copy of the values on the host.
    host: Params,
    adam: Option<CandleAdam>,
}

/// Moments, one tensor per parameter, and the optimiser's name in a checkpoint.
struct CandleAdam {
    name: &'static str,
    m: Vec<Tensor>,
    v: Vec<Tensor>,
    step: u64,
}

impl Network {
    /// A network of `vars`, which have the layout of `host`.
    pub fn new(vars: &[Var], host: &Params, adam: Option<&'static str>) -> Result<Self> {
        let zeros = || vars.iter().map(|var| Ok(var.zeros_like()?)).collect::<Result<Vec<_>>>();
        let adam =
            adam.map(|name| Ok::<_, Error>(CandleAdam { name, m: zeros()?, v: zeros()?, step: 0 })).transpose()?;
        Ok(Self { vars: vars.to_vec(), host: host.clone(), adam })
    }

    /// d loss / d vars and its squared 2-norm.
    pub fn gradients(&self, loss: &Tensor) -> Result<(Vec<Tensor>, f64)> {
        let store = loss.backward()?;
        let of = |var: &Var| Ok(store.get(var).map_or_else(|| var.zeros_like(), |g| Ok(g.detach()))?);
        let gradients = self.vars.iter().map(of).collect::<Result<Vec<_>>>()?;
        let norm2 = flat(&gradients)?.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>();
        if norm2.is_finite() { Ok((gradients, norm2)) } else { Err(Error::NotFinite("a gradient".into())) }
    }

    /// One step of Adam.
    pub fn step(&mut self, gradients: &[Tensor], rate: f64) -> Result<()> {
        let Some(adam) = &mut self.adam else { return Err(Error::Misuse("a network without an optimiser".into())) };
        adam.step += 1;
        let (b1, b2, t) = (0.9f64, 0.999f64, adam.step as i32);
        let (size, root) = (rate / (1.0 - b1.powi(t)), 1.0 / (1.0 - b2.powi(t)).sqrt());
        for (((var, g), m), v) in self.vars.iter().zip(gradients).zip(&mut adam.m).zip(&mut adam.v) {
            *m = ((&*m * b1)? + (g * (1.0 - b1))?)?;
            *v = ((&*v * b2)? + (g.sqr()? * (1.0 - b2))?)?;
            let way = (&*m * size)?.div(&(v.sqrt()? * root)?.affine(1.0, 1e-8)?)?;
            var.set(&(var.as_tensor() - way)?)?;
        }
        self.download()
    }

    /// Updates the copy on the host.
    pub fn download(&mut self) -> Result<()> {
        self.host.values = flat(self.vars.iter().map(Var::as_tensor))?;
        Ok(())
    }

    /// Adds parameters and moments to `state`.
    pub fn push(&self, state: &mut ModelState) -> Result<()> {
        let of = |a: &CandleAdam| Ok::<_, Error>(Adam { m: flat(&a.m)?, v: flat(&a.v)?, step: a.step });
        let moments = self.adam.as_ref().map(|a| Ok::<_, Error>((a.name, of(a)?))).transpose()?;
        state.push(&self.host, moments.as_ref().map(|(name, moments)| (*name, moments)));
        Ok(())
    }

    /// Reads parameters and moments from `state`.
    pub fn read(&mut self, state: &ModelState) -> Result<()> {
        let mut moments = Adam::new(self.host.values.len());
        let named = self.adam.as_ref().map(|adam| (adam.name, &mut moments));
        state.read(&mut self.host, named)?;
        for (var, value) in self.vars.iter().zip(upload(&self.host, &self.host.values)?) {
            var.set(&value)?;
        }
        if let Some(adam) = &mut self.adam {
            (adam.m, adam.v) = (upload(&self.host, &moments.m)?, upload(&self.host, &moments.v)?);
            adam.step = moments.step;
        }
        Ok(())
    }
}

/// The values of all tensors, concatenated.
fn flat<'a>(tensors: impl IntoIterator<Item = &'a Tensor>) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    for tensor in tensors {
        values.extend(tensor.flatten_all()?.to_vec1::<f32>()?);
    }
    Ok(values)
}

/// `values` as tensors with the shapes of `layout`.
fn upload(layout: &Params, values: &[f32]) -> Result<Vec<Tensor>> {
    let tensor = |t: &crate::learn::nn::Tensor| Tensor::from_slice(&values[t.range()], t.shape.clone(), &Device::Cpu);
    layout.tensors.iter().map(|t| Ok(tensor(t)?)).collect()
}
