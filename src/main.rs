//! The `skewfit` binary: parse, run, exit code.

fn main() -> std::process::ExitCode {
    skewfit::face::cli::main(std::env::args_os().collect())
}
