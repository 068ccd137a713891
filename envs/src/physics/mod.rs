//! Rigid bodies on Rapier, built for the same trajectory on every machine.

pub(crate) mod hand;
