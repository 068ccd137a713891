//! A layer in candle in f64, to compare layers of random shape with: values, gradients, and a central difference.

use std::sync::Mutex;

use candle_core::{DType, Device, Result, Tensor, Var};
use proptest::test_runner::{Config, RngSeed};

use super::{values, wide};
use crate::learn::nn::Params;
use crate::learn::rng::stream;

/// A configuration of `cases` random shapes, the same in every run; `PROPTEST_RNG_SEED` gives others.
pub fn shapes(cases: u32) -> Config {
    let rng_seed = match Config::default().rng_seed {
        RngSeed::Random => RngSeed::Fixed(7),
        given => given,
    };
    Config { cases, rng_seed, failure_persistence: None, max_global_rejects: 10 * cases, ..Config::default() }
}

/// A layer without its activation, as a function of f64 tensors (input, weights, biases).
pub type LayerFn<'a> = &'a dyn Fn(&[Tensor]) -> Result<Tensor>;

/// y, dL/d(input, weights, biases) for L = sum r y, and L's central difference along a random direction.
pub struct LayerReference {
    pub y: Vec<f64>,
    pub gradients: Vec<Vec<f64>>,
    /// A direction in the space of all inputs, entries in [-1, 1].
    pub direction: Vec<Vec<f32>>,
    /// The central difference along it.
    pub slope: f64,
    /// Smallest |y| before the ReLU; infinite without one.
    pub margin: f64,
    /// |r|.
    weight: f64,
}

/// A perceptron whose hidden layers have (W, b), or (W, b, gain, shift) with `norm`; the last layer has (W, b). `note` is
/// called with the argument of each ReLU.
pub fn perceptron(t: &[Tensor], x: &Tensor, norm: bool, note: &dyn Fn(&Tensor) -> Result<()>) -> Result<Tensor> {
    let linear = |x: &Tensor, t: &[Tensor]| x.matmul(&t[0])?.broadcast_add(&t[1]);
    let (hidden, last) = t.split_at(t.len() - 2);
    let mut h = x.clone();
    for layer in hidden.chunks(if norm { 4 } else { 2 }) {
        h = linear(&h, layer)?;
        if norm {
            h = layer_norm(&h, &layer[2], &layer[3])?;
        }
        note(&h)?;
        h = (&h * h.gt(0.0)?.to_dtype(h.dtype())?.detach())?;
    }
    linear(&h, last)
}

/// (x - mean x) / sqrt(mean (x - mean x)^2 + 1e-5) * gain + shift, over each row.
pub fn layer_norm(x: &Tensor, gain: &Tensor, shift: &Tensor) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(1)?)?;
    let deviation = (centred.sqr()?.mean_keepdim(1)? + 1e-5)?.sqrt()?;
    centred.broadcast_div(&deviation)?.broadcast_mul(gain)?.broadcast_add(shift)
}

/// Step of the central differences in f64.
const STEP: f64 = 1e-7;

/// Differentiates `layer`, followed by a ReLU if `relu`, at `inputs` of the given shapes.
pub fn differentiate(inputs: &[(&[f32], Vec<usize>)], r: &[f32], relu: bool, layer: LayerFn) -> Result<LayerReference> {
    let tensor = |v: Vec<f64>, shape: &[usize]| Tensor::from_vec(v, shape, &Device::Cpu);
    let activated = |at: &[Tensor]| -> Result<(Tensor, f64)> {
        let y = layer(at)?;
        if !relu {
            return Ok((y, f64::INFINITY));
        }
        let margin = y.abs()?.flatten_all()?.to_vec1::<f64>()?.into_iter().fold(f64::INFINITY, f64::min);
        let open = y.gt(0.0)?.to_dtype(DType::F64)?.detach();
        Ok(((y * open)?, margin))
    };
    let objective = |y: &Tensor| y.flatten_all()?.mul(&tensor(wide(r), &[r.len()])?)?.sum_all();
    let vars =
        inputs.iter().map(|(v, shape)| Var::from_tensor(&tensor(wide(v), shape)?)).collect::<Result<Vec<_>>>()?;
    let at: Vec<Tensor> = vars.iter().map(|v| v.as_tensor().clone()).collect();
    let (y, margin) = activated(&at)?;
    let store = objective(&y)?.backward()?;
    let flat = |t: &Tensor| t.flatten_all()?.to_vec1::<f64>();
    let gradient = |var: &Var| store.get(var).map_or_else(|| Ok(vec![0.0; var.elem_count()]), flat);
    let gradients = vars.iter().map(gradient).collect::<Result<Vec<_>>>()?;

    let mut rng = stream(5, "direction", &[r.len() as u64]);
    let direction: Vec<Vec<f32>> = inputs.iter().map(|(v, _)| values(v.len(), &mut rng)).collect();
    let moved = |step: f64| -> Result<f64> {
        let along = |((v, shape), d): (&(&[f32], Vec<usize>), &Vec<f32>)| {
            tensor(v.iter().zip(d).map(|(v, d)| f64::from(*v) + step * f64::from(*d)).collect(), shape)
        };
        let at = inputs.iter().zip(&direction).map(along).collect::<Result<Vec<_>>>()?;
        objective(&activated(&at)?.0)?.to_scalar()
    };
    let slope = (moved(STEP)? - moved(-STEP)?) / (2.0 * STEP);
    let weight = wide(r).iter().map(|r| r * r).sum::<f64>().sqrt();
    Ok(LayerReference { y: flat(&y)?, gradients, direction, slope, margin, weight })
}

impl LayerReference {
    /// Whether all arguments are so far from the ReLU's kink that neither f32 rounding nor the central difference crosses it.
    pub fn smooth(&self) -> bool {
        self.margin > 1e-5
    }

    /// The largest error of hand-written values and gradients: against candle, relative to a tensor's largest entry, and
    /// against the central difference, relative to the sum of its terms' sizes.
    pub fn error(&self, y: &[f32], gradients: &[&[f32]]) -> f64 {
        let mut worst = apart(y, &self.y, 1.0);
        let (mut slope, mut size) = (0.0, 1.0);
        for ((got, want), direction) in gradients.iter().zip(&self.gradients).zip(&self.direction) {
            // Sums may cancel but their rounding errors do not, so entries count as at least |r| / sqrt(entries).
            worst = larger(worst, apart(got, want, self.weight / (want.len() as f64).sqrt()));
            for (g, d) in got.iter().zip(direction) {
                slope += f64::from(*g) * f64::from(*d);
                size += (f64::from(*g) * f64::from(*d)).abs();
            }
        }
        larger(worst, (slope - self.slope).abs() / size)
    }
}

/// Largest difference, relative to the largest of: the entries of `want`, `least`, and 1, the size of the inputs.
fn apart(got: &[f32], want: &[f64], least: f64) -> f64 {
    assert_eq!(got.len(), want.len());
    let top = want.iter().fold(least.max(1.0), |top, w| top.max(w.abs()));
    got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).abs()).fold(0.0, larger) / top
}

/// The larger of two numbers; NaN counts as the largest.
fn larger(a: f64, b: f64) -> f64 {
    if b <= a { a } else { b }
}

/// A smallest distance, which can be changed through a shared reference.
pub struct Margin(Mutex<f64>);

impl Margin {
    pub fn new(margin: f64) -> Self {
        Self(Mutex::new(margin))
    }

    pub fn get(&self) -> f64 {
        *self.0.lock().unwrap()
    }

    pub fn set(&self, margin: f64) {
        *self.0.lock().unwrap() = margin;
    }
}

/// `params` as candle variables, in order.
pub fn vars(params: &Params, dtype: DType) -> Result<Vec<Var>> {
    let var = |i: usize| {
        let values = Tensor::from_slice(params.get(i), params.tensors[i].shape.clone(), &Device::Cpu)?;
        Var::from_tensor(&values.to_dtype(dtype)?)
    };
    (0..params.tensors.len()).map(var).collect()
}
