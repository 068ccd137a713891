//! The `skewfit` binary: parse, run, exit code.

fn main() {}
