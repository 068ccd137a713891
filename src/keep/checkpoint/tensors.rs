//! Named tensors as safetensors files, and their hash. `params_blake3` is BLAKE3 of all parameters, then all tensors of
//! the optimiser, both sorted by name. Of each tensor: len(name), name, rank, dims (numbers as u64, little-endian),
//! then the values (f32, little-endian).

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::error::{Error, Result};
use crate::learn::nn::{ModelState, NamedTensor};

/// Hash of a learner's parameters and moments, 64 hex digits; the order of the lists does not matter.
#[must_use]
pub fn params_blake3(models: &ModelState) -> String {
    let mut hasher = blake3::Hasher::new();
    for tensor in by_name(&models.params).into_iter().chain(by_name(&models.optimizer)) {
        hasher.update(&(tensor.name.len() as u64).to_le_bytes());
        hasher.update(tensor.name.as_bytes());
        hasher.update(&(tensor.shape.len() as u64).to_le_bytes());
        for &dim in &tensor.shape {
            hasher.update(&(dim as u64).to_le_bytes());
        }
        hasher.update(&le_bytes(&tensor.data));
    }
    hasher.finalize().to_string()
}

/// The tensors as a safetensors file.
///
/// # Errors
/// [`Error::NotFinite`], naming the tensor; [`Error::Usage`] for a name used twice, or a shape that does not fit the
/// data.
pub(super) fn encode(tensors: &[NamedTensor]) -> Result<Vec<u8>> {
    let sorted = by_name(tensors);
    let refuse = |name: &str, why: &str| Error::Usage(format!("tensor `{name}`: {why}; it cannot be saved"));
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].name == pair[1].name) {
        return Err(refuse(&pair[0].name, "its name is used twice"));
    }
    if let Some(bad) = sorted.iter().find(|tensor| tensor.data.iter().any(|x| !x.is_finite())) {
        let way = "resume from the last checkpoint";
        return Err(Error::NotFinite(format!("tensor `{}` is not finite and was not saved: {way}", bad.name)));
    }
    let bytes = sorted.iter().map(|tensor| le_bytes(&tensor.data)).collect::<Vec<_>>();
    let views = sorted.iter().zip(&bytes).map(|(tensor, bytes)| {
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
        Ok((tensor.name.as_str(), view.map_err(|e| refuse(&tensor.name, &e.to_string()))?))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    safetensors::serialize(views, None).map_err(|e| Error::Usage(format!("{e}; the tensors cannot be saved")))
}

/// The tensors in a safetensors file, sorted by name.
///
/// # Errors
/// Why it is not a safetensors file of f32 tensors.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<NamedTensor>, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| e.to_string())?;
    let read = |(name, view): (&str, TensorView<'_>)| match view.dtype() {
        Dtype::F32 => {
            let data = view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            Ok(NamedTensor { name: name.to_owned(), shape: view.shape().to_vec(), data })
        }
        other => Err(format!("tensor `{name}` is {other:?}, not F32")),
    };
    let mut tensors = file.iter().map(read).collect::<Result<Vec<_>, String>>()?;
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tensors)
}

fn by_name(tensors: &[NamedTensor]) -> Vec<&NamedTensor> {
    let mut sorted = tensors.iter().collect::<Vec<_>>();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    sorted
}

fn le_bytes(data: &[f32]) -> Vec<u8> {
    data.iter().flat_map(|x| x.to_le_bytes()).collect()
}
