//! The only random generator of the project: ChaCha with 8 rounds, counter-based; its specification fixes its output.

/// Every random number in `skewfit` comes from a generator of this type, passed as an argument.
pub type Rng = rand_chacha::ChaCha8Rng;
