//! Invariants of the sources of the crates `hardware` and `envs`, read as text.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every manifest and source of a crate directory.
fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = vec![dir.join("Cargo.toml")];
    let mut folders = vec![dir.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn robots_and_scenes_never_name_the_learning_library() {
    let envs = Path::new(env!("CARGO_MANIFEST_DIR"));
    for dir in [envs.to_owned(), envs.join("../hardware")] {
        let files = sources(&dir);
        assert!(files.len() > 3, "no sources in {}", dir.display());
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains("candle"), "{} names candle", file.display());
        }
    }
}
