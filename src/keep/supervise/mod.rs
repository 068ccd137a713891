//! Unattended runs: heartbeats, the response to non-finite values, restarts, a log of bounded size, the run's status,
//! its events, and requests from outside.

pub mod control;
pub mod events;
pub mod ladder;
pub mod log;
mod notify_socket;
pub mod pulse;
pub mod starts;
pub mod status;
pub mod supervisor;

/// Environment variable that a supervisor sets for a process that resumes the run of an earlier process.
pub const RESTARTED: &str = "SKEWFIT_RESTARTED";
