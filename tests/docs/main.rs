//! Documents against the code: links and names exist, commands parse, the reading path is short.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

#[path = "../common/mod.rs"]
mod common;
mod contract;
mod named;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// The text under a heading, up to the next of its level.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("{heading}\n")).unwrap_or_else(|| panic!("no `{heading}`"));
    let level = heading.split(' ').next().unwrap();
    rest.split(&format!("\n{level} ")).next().unwrap()
}

/// Files that a document links to or shows, without those on the web.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let here = targets.filter(|target| !target.contains("://")).filter_map(|target| target.split('#').next());
    here.filter(|target| !target.is_empty()).collect()
}

/// Every document of the project, with its folder.
fn documents() -> Vec<(String, &'static str)> {
    let folders = ["", "docs", "results", "results/reliability", "assets"];
    let named = |folder: &'static str| {
        let names = entries(&Path::new(ROOT).join(folder)).into_iter().filter(|name| name.ends_with(".md"));
        names.map(move |name| (Path::new(folder).join(name).display().to_string(), folder))
    };
    folders.into_iter().flat_map(named).collect()
}

/// The texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Lines of the fenced code blocks of a language.
fn fenced<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.flat_map(|rest| rest.split("\n```").next().unwrap().lines()).collect()
}

fn skewfit(args: &[&str]) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_skewfit")).args(args).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn links_lead_somewhere() {
    for (document, folder) in documents() {
        let text = read(&document);
        for target in links(&text) {
            assert!(Path::new(ROOT).join(folder).join(target).exists(), "{document} links to {target}");
        }
    }
}

#[test]
fn the_reading_path_is_short() {
    let readme = read("README.md");
    let path = links(section(&readme, "## Reading path").split("Under").next().unwrap());
    assert_eq!(path.len(), 9, "{path:?}");
    let to_read = |file: &str| read(file).lines().take_while(|line| *line != "#[cfg(test)]").count();
    let lengths: Vec<_> = path.iter().map(|file| (file, to_read(file))).collect();
    let total: usize = lengths.iter().map(|(_, n)| n).sum();
    assert!(total < 1200, "{total} lines: {lengths:?}");
}

#[test]
fn every_command_of_readme_and_results_parses() {
    let (readme, results) = (read("README.md"), read("docs/RESULTS.md"));
    let mut seen = 0;
    for line in [fenced(&readme, "sh"), fenced(&results, "sh")].concat() {
        let command = line.split('#').next().unwrap().trim();
        let Some(args) = command.strip_prefix("skewfit ").or(command.strip_prefix("cargo run --release -- ")) else {
            assert_eq!(command, "cargo test");
            continue;
        };
        let args: Vec<&str> = args.split(' ').chain(["--no-such-flag"]).collect();
        let said = String::from_utf8(skewfit(&args).stderr).unwrap();
        assert!(said.contains("unexpected argument '--no-such-flag'"), "{command}: {said}");
        seen += 1;
    }
    assert!(seen > 8, "{seen} commands");
}

/// Names of the files and folders in a folder of the sources, folders with a slash at the end.
fn entries(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        let slash = if entry.path().is_dir() { "/" } else { "" };
        format!("{}{slash}", entry.file_name().into_string().unwrap())
    };
    fs::read_dir(folder).unwrap().map(name).collect()
}

#[test]
fn the_map_names_every_wing_and_every_room() {
    let architecture = read("docs/ARCHITECTURE.md");
    let map = section(&architecture, "## Wings and rooms of `src/`");
    let src = Path::new(ROOT).join("src");
    for entry in entries(&src) {
        assert!(quoted(map).any(|name| name == entry), "docs/ARCHITECTURE.md does not name src/{entry}");
        let heading = map.split("\n### ").skip(1).find(|wing| wing.starts_with(&format!("`{entry}`")));
        let Some(wing) = heading.filter(|_| entry != "config/" && entry.ends_with('/')) else { continue };
        let mut told: Vec<&str> = wing.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        let mut there = entries(&src.join(&entry));
        there.retain(|name| name != "mod.rs");
        told.sort_unstable();
        there.sort_unstable();
        assert_eq!(told, there, "rooms of src/{entry}: told and there");
    }
}

/// Every Rust source of the project, as one text.
fn all_code(dir: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &all_code(&path);
        } else if path.extension().is_some_and(|e| e == "rs") {
            text += &fs::read_to_string(&path).unwrap();
        }
    }
    text
}

#[test]
fn every_invariant_is_held_by_a_test() {
    let folders = ["src", "tests", "envs/src", "envs/tests", "hardware/src"];
    let code: String = folders.iter().map(|folder| all_code(&Path::new(ROOT).join(folder))).collect();
    let is_test = |name: &str| {
        let head = code.split(&format!("fn {name}(")).next().unwrap();
        head.len() < code.len() && head.trim_end().ends_with("#[test]")
    };
    let architecture = read("docs/ARCHITECTURE.md");
    let rows: Vec<_> = section(&architecture, "## Invariants").lines().filter(|l| l.starts_with('|')).skip(2).collect();
    assert!(rows.len() > 10, "{} invariants", rows.len());
    for row in rows {
        let holders: Vec<&str> = quoted(row.split('|').nth(2).unwrap()).collect();
        assert!(!holders.is_empty(), "nothing holds: {row}");
        for name in holders {
            assert!(is_test(name) || Path::new(ROOT).join(name).is_file(), "no test `{name}`: {row}");
        }
    }
}

#[test]
fn design_entries_are_complete_and_short() {
    let design = read("docs/DESIGN.md");
    let entries: Vec<&str> = design.split("\n## ").skip(1).collect();
    assert!(entries.len() > 20, "{} entries", entries.len());
    for entry in entries {
        let (title, body) = entry.split_once('\n').unwrap();
        for part in ["Question", "Decision", "Why", "Gave up", "Evidence", "Revisit when"] {
            assert!(entry.contains(&format!("\n- {part}: ")), "`{title}` has no {part}");
        }
        assert!(body.trim().lines().count() <= 12, "`{title}` is too long");
    }
}

#[test]
fn documents_name_files_that_exist() {
    let folders =
        ["src/", "tests/", "envs/", "hardware/", "dev/", "fuzz/", "experiments/", "examples/", "benches/", ".ci/"];
    // The table of mutants has the names of its commits.
    for (document, _) in documents().into_iter().filter(|(document, _)| document != "results/reliability/mutants.md") {
        let text = read(&document);
        let names = quoted(&text).filter(|name| folders.iter().any(|folder| name.starts_with(folder)));
        for name in names.filter(|name| !name.contains([' ', '*', '{', '<'])).filter_map(|name| name.split("::").next())
        {
            assert!(Path::new(ROOT).join(name).exists(), "{document} names {name}");
        }
    }
}

/// "On each of three seeds ... with skewing off one seed of three does."
#[test]
fn the_readme_agrees_with_the_table_of_the_door() {
    let reached = |name: &str| {
        let start = format!("| {name} | ");
        let table = read("results/door/table.md");
        let rows: Vec<Vec<f64>> = table
            .lines()
            .filter(|line| line.starts_with(&start))
            .map(|line| line.split('|').filter_map(|cell| cell.trim().replace(',', "").parse().ok()).collect())
            .collect();
        // Seed, steps, angle error, the best constant answer's, rank correlation.
        assert!(rows.iter().all(|row| row[1] == 30_000.0), "{rows:?}");
        (rows.len(), rows.iter().filter(|row| row[2] <= 0.1 && row[4] >= 0.8).count())
    };
    assert_eq!([reached("door"), reached("door-rig")], [(3, 3), (3, 1)]);
}

/// `results/make.sh` copies them.
#[test]
fn the_documents_hold_the_result_tables_and_their_means() {
    let (readme, results) = (read("README.md"), read("docs/RESULTS.md"));
    for scene in ["door", "corridor"] {
        let table = read(&format!("results/{scene}/table.md"));
        assert!(results.contains(table.trim()), "docs/RESULTS.md has not the table of {scene}: run results/make.sh");
        for row in table.lines().filter_map(|line| line.strip_prefix("| **")) {
            let (name, figures) = row.split_once(", mean** | | | ").unwrap();
            let start = format!("| {name} | ");
            let mean = readme.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no {start}"));
            let error = figures.split(' ').next().unwrap();
            assert!(
                mean.contains(&format!("| {error}")),
                "README.md: {name} has an error of {error}: run results/make.sh"
            );
        }
    }
}
