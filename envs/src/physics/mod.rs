//! Rigid bodies on Rapier, set up to give the same trajectory on every machine.

pub(crate) mod hand;
