//! The one random generator of the project: ChaCha with 8 rounds, counter-based, its output fixed by specification.

/// Every random number in `skewfit` comes from a value of this type that was handed in as an argument.
pub type Rng = rand_chacha::ChaCha8Rng;
