//! Laws about the sources, read as text: what the learning rooms may not touch, where chance and `unsafe` may not hide.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below `dir`, relative to the workspace root.
fn sources(dir: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(dir)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(path.strip_prefix(root).unwrap().to_owned());
            }
        }
    }
    found
}

/// The code of a file: without comments, blanks next to punctuation, and the unit tests at its end.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
    let lines = text.lines().map(|l| l.split("//").next().unwrap().trim());
    let words = lines.collect::<Vec<_>>().join(" ");
    let mut tight = String::new();
    for word in words.split_whitespace() {
        let joint = |c: char| c.is_alphanumeric() || c == '_';
        if tight.ends_with(joint) && word.starts_with(joint) {
            tight.push(' ');
        }
        tight.push_str(word);
    }
    tight
}

/// Whether the code names `std::<module>`, alone or in a braced `use`.
fn names_std(code: &str, module: &str) -> bool {
    let whole =
        |s: &str| s.strip_prefix(module).is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
    code.match_indices("std::").any(|(i, _)| {
        let rest = &code[i + 5..];
        whole(rest)
            || rest.strip_prefix('{').is_some_and(|list| list.split(';').next().unwrap().split([',', '{']).any(whole))
    })
}

/// Whether `word` stands in the code as a word of its own.
fn names_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

fn read(file: &Path) -> String {
    code(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap())
}

#[test]
fn learning_touches_no_disk_no_clock_no_net_and_no_robot() {
    for room in ["src/nn", "src/latent", "src/goals", "src/agent"] {
        let files = sources(room);
        assert!(!files.is_empty(), "{room} is empty");
        for file in files {
            let code = read(&file);
            let named = ["fs", "time", "net"].into_iter().find(|m| names_std(&code, m));
            assert_eq!(named, None, "{} names a module of std that it may not", file.display());
            assert!(!names_word(&code, "skewfit_hardware"), "{} names the robot", file.display());
        }
    }
}

#[test]
fn chance_is_an_argument_and_unsafe_has_one_home() {
    let crates = ["src", "envs/src", "hardware/src", "examples"];
    let files = crates.into_iter().flat_map(sources).collect::<Vec<_>>();
    assert!(files.len() > 20, "only {} sources found", files.len());
    for file in files {
        let code = read(&file);
        for ambient in ["rand::rng(", "thread_rng"] {
            assert!(!code.contains(ambient), "{} names `{ambient}`", file.display());
        }
        let home = file == Path::new("src/nn/gemm.rs");
        assert!(home || !names_word(&code, "unsafe"), "{} is unsafe", file.display());
    }
}

#[test]
fn the_reader_sees_through_layout_and_stops_at_tests() {
    for (text, fs) in [
        ("use std::fs;", true),
        ("use std::{\n    collections::BTreeMap,\n    fs::File,\n};", true),
        ("std :: fs::read(p)", true),
        ("use std::fsck; use std::{io, fmt};", false),
        ("// std::fs is not for us\nfn f() {}", false),
        ("fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }", false),
    ] {
        assert_eq!(names_std(&code(text), "fs"), fs, "{text}");
    }
    assert!(names_word(&code("let x = unsafe { f() };"), "unsafe"));
    assert!(!names_word(&code("#![deny(unsafe_code)] // unsafe"), "unsafe"));
}
