//! The face: the command line and the benchmarks.

pub mod bench;
pub mod cli;
