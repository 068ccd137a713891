//! Passes the compiler version and the commit to the program, for `provenance.json` of a run.

use std::path::PathBuf;
use std::process::Command;

/// Files and folders that the program is built from.
const SOURCES: [&str; 8] = ["build.rs", "src", "envs", "hardware", "experiments", "assets", "Cargo.toml", "Cargo.lock"];

#[allow(clippy::print_stdout)] // a build script prints its results for cargo
fn main() {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let unknown = || "unknown".to_owned();
    println!("cargo:rustc-env=SKEWFIT_RUSTC={}", answer(&rustc, &["--version"]).unwrap_or_else(unknown));
    println!("cargo:rustc-env=SKEWFIT_COMMIT={}", answer("git", &["rev-parse", "HEAD"]).unwrap_or_else(unknown));
    let status = ["--no-optional-locks", "status", "--porcelain", "--"];
    let changes = answer("git", &[&status[..], &SOURCES].concat());
    let dirty = changes.map_or_else(unknown, |changes| (!changes.is_empty()).to_string());
    println!("cargo:rustc-env=SKEWFIT_DIRTY={dirty}");
    for path in SOURCES {
        println!("cargo:rerun-if-changed={path}");
    }
    let git = answer("git", &["rev-parse", "--git-dir"]).map(PathBuf::from);
    let moved = git.iter().flat_map(|git| ["HEAD", "logs/HEAD", "index"].map(|name| git.join(name)));
    for path in moved.filter(|path| path.exists()) {
        println!("cargo:rerun-if-changed={}", path.display());
    }
}

/// The trimmed output of a program; `None` if the program is missing or fails.
fn answer(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
