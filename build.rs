//! Notes which compiler builds the program, for a run's `provenance.json`.

use std::process::Command;

#[allow(clippy::print_stdout)] // this is how a build script speaks to cargo
fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok().and_then(|o| String::from_utf8(o.stdout).ok());
    println!("cargo:rustc-env=SKEWFIT_RUSTC={}", version.as_deref().unwrap_or("unknown").trim());
    println!("cargo:rerun-if-changed=build.rs");
}
