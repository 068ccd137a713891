//! Notes which compiler and which commit the program is built from, for a run's `provenance.json`.

use std::process::Command;

#[allow(clippy::print_stdout)] // this is how a build script speaks to cargo
fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let unknown = || "unknown".to_owned();
    println!("cargo:rustc-env=SKEWFIT_RUSTC={}", answer(&rustc, &["--version"]).unwrap_or_else(unknown));
    println!("cargo:rustc-env=SKEWFIT_COMMIT={}", answer("git", &["rev-parse", "HEAD"]).unwrap_or_else(unknown));
    let changes = answer("git", &["status", "--porcelain", "--untracked-files=no"]);
    println!("cargo:rustc-env=SKEWFIT_DIRTY={}", changes.is_some_and(|c| !c.is_empty()));
    for path in ["build.rs", "src", "envs/src", "hardware/src", "experiments", "Cargo.lock", ".git/HEAD", ".git/index"]
    {
        println!("cargo:rerun-if-changed={path}");
    }
}

/// What a program says, trimmed; `None` where it is not there or fails.
fn answer(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
