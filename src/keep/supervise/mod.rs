//! What lets a run be left alone: signs of life, what follows trouble, restarts, a log that ends, where it stands, what
//! happened, what is asked of it from outside.

pub mod control;
pub mod events;
pub mod ladder;
pub mod log;
mod notify_socket;
pub mod pulse;
pub mod starts;
pub mod status;
pub mod supervisor;

/// Set by a supervisor for a process that takes up what another one left.
pub const RESTARTED: &str = "SKEWFIT_RESTARTED";
