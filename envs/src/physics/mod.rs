//! Rigid bodies on Rapier, built for the same trajectory on every machine, and frozen whole to bytes.

pub(crate) mod hand;
pub(crate) mod snapshot;
