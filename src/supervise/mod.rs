//! What lets a run be left alone: what happened to it, what is asked of it from outside.

pub mod control;
pub mod events;
