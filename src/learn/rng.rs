//! Random streams derived from `(seed, name, index)`: a checkpoint stores these numbers, never a generator's state.

use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
pub use skewfit_envs::Rng;

/// The stream `name`, `index` of a run with `seed`: a ChaCha generator keyed with BLAKE3(seed, name, index).
///
/// Different triples give independent streams; the same triple always gives the same stream.
///
/// ```
/// use skewfit::learn::rng::{normals, stream};
///
/// let draws = |index| normals(3, &mut stream(7, "batch", &[index]));
/// assert_eq!(draws(3), draws(3));
/// assert_ne!(draws(3), draws(4));
/// ```
#[must_use]
pub fn stream(seed: u64, name: &str, index: &[u64]) -> Rng {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&(name.len() as u64).to_le_bytes());
    hasher.update(name.as_bytes());
    for i in index {
        hasher.update(&i.to_le_bytes());
    }
    Rng::from_seed(*hasher.finalize().as_bytes())
}

/// `n` standard normal draws.
#[must_use]
pub fn normals(n: usize, rng: &mut Rng) -> Vec<f32> {
    (0..n).map(|_| StandardNormal.sample(rng)).collect()
}
