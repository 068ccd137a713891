//! The `skewfit` binary.

fn main() -> std::process::ExitCode {
    skewfit::face::cli::main(std::env::args_os().collect())
}
