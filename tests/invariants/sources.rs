//! Reads sources as text: code without comments and unit tests, and the names in it.

use std::fs;
use std::path::{Path, PathBuf};

/// Every Rust file below `dir`, relative to the workspace root.
pub fn sources(dir: &str) -> Vec<PathBuf> {
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
pub fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
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

/// True if the code names `std::<module>`, alone or in a braced `use`.
pub fn names_std(code: &str, module: &str) -> bool {
    let whole =
        |s: &str| s.strip_prefix(module).is_some_and(|r| !r.starts_with(|c: char| c.is_alphanumeric() || c == '_'));
    code.match_indices("std::").any(|(i, _)| {
        let rest = &code[i + 5..];
        whole(rest)
            || rest.strip_prefix('{').is_some_and(|list| list.split(';').next().unwrap().split([',', '{']).any(whole))
    })
}

/// True if the code contains `word` as a whole word.
pub fn names_word(code: &str, word: &str) -> bool {
    code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

pub fn read(file: &Path) -> String {
    code(&fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap())
}

/// Every source of the three crates, without files of tests.
pub fn shipped() -> Vec<PathBuf> {
    let of_tests = |file: &PathBuf| file.iter().any(|part| part == "tests" || part == "tests.rs");
    let mut files = ["src", "envs/src", "hardware/src"].into_iter().flat_map(sources).collect::<Vec<_>>();
    files.retain(|file| !of_tests(file));
    assert!(files.len() > 50, "only {} sources found", files.len());
    files
}

#[test]
fn reading_code_ignores_layout_and_stops_at_unit_tests() {
    for (text, fs) in [
        ("use std::fs;", true),
        ("use std::{\n    collections::BTreeMap,\n    fs::File,\n};", true),
        ("std :: fs::read(p)", true),
        ("use std::fsck; use std::{io, fmt};", false),
        ("// std::fs is not for us\nfn f() {}", false),
        ("fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }", false),
        ("#[cfg(test)]\nmod tests;\nuse std::fs;", true),
    ] {
        assert_eq!(names_std(&code(text), "fs"), fs, "{text}");
    }
    assert!(names_word(&code("let x = unsafe { f() };"), "unsafe"));
    assert!(!names_word(&code("#![deny(unsafe_code)] // unsafe"), "unsafe"));
}
