//! The command line and the benchmarks.

pub mod bench;
pub mod cli;
