//! Laws of the project (`docs/ARCHITECTURE.md` lists them): about the sources, read as text, and about whole runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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
    let files = sources("src/learn");
    assert!(files.len() > 40, "only {} sources found", files.len());
    for file in files {
        let code = read(&file);
        let named = ["fs", "time", "net", "process", "env"].into_iter().find(|m| names_std(&code, m));
        assert_eq!(named, None, "{} names a module of std that it may not", file.display());
        assert!(!names_word(&code, "skewfit_hardware"), "{} names the robot", file.display());
    }
}

/// The rooms of `src/` in order, a line a wing: each may use the ones before it.
const ORDER: [&str; 8] = [
    "error format statistics",
    "learn: words settings rng nn latent episode skew replay goals agent rollout learner",
    "config",
    "keep: store faults checkpoint models provenance summary supervise",
    "task: scene coverage attempt scores opened",
    "show: pictures metrics tensorboard clip report evaluation redraw export diagnose dashboard",
    "run: progress estimate explore evaluate",
    "face: bench cli",
];

/// `wing::room` of every room, in order.
fn rooms() -> Vec<String> {
    let of = |line: &&str| match line.split_once(": ") {
        Some((wing, rooms)) => rooms.split(' ').map(|room| format!("{wing}::{room}")).collect::<Vec<_>>(),
        None => line.split(' ').map(str::to_owned).collect(),
    };
    ORDER.iter().flat_map(of).collect()
}

/// Every `crate::a::b` that the code names, one by one where a `use` lists several.
fn paths(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + 7..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && !"_:".contains(c)).unwrap_or(rest.len());
        let head = rest[..end].trim_end_matches(':').to_owned();
        match rest[end..].strip_prefix('{') {
            Some(list) => {
                let list = list.split(';').next().unwrap();
                let item = |item: &str| format!("{head}::{item}").trim_matches(':').to_owned();
                found.extend(list.split([',', '{', '}']).filter(|i| !i.is_empty()).map(item));
            }
            None => found.push(head),
        }
    }
    found
}

#[test]
fn wings_and_rooms_depend_one_way() {
    let rooms = rooms();
    let place = |path: &str| rooms.iter().position(|room| path == room || path.starts_with(&format!("{room}::")));
    let mut arrows = 0;
    for file in shipped().into_iter().filter(|file| file.starts_with("src")) {
        let module = file.strip_prefix("src").unwrap().with_extension("").display().to_string().replace('/', "::");
        let uses = paths(&read(&file));
        let Some(from) = place(module.trim_end_matches("::mod")) else {
            let lists_rooms = ["lib", "main", "fuzz", "trials"].contains(&module.as_str()) || module.ends_with("::mod");
            assert!(lists_rooms && (uses.is_empty() || module == "fuzz"), "{} is in no room of ORDER", file.display());
            continue;
        };
        for path in uses {
            let to = place(&path).unwrap_or_else(|| panic!("{}: `crate::{path}` is no room of ORDER", file.display()));
            assert!(to <= from, "{} uses crate::{path}, which comes after it", file.display());
            arrows += usize::from(to < from);
        }
    }
    assert!(arrows > 300, "only {arrows} arrows found");
}

#[test]
fn the_reader_of_arrows_sees_lists() {
    let code = code(
        "use crate::{error::Error, keep::{store, faults}};\nuse crate::learn::nn::{Adam, gemm::View};\nx(crate::format::bytes)",
    );
    let found = paths(&code);
    for path in ["error::Error", "keep", "learn::nn::Adam", "learn::nn::gemm::View", "format::bytes"] {
        assert!(found.iter().any(|p| p == path), "{path} in {found:?}");
    }
}

#[test]
fn chance_is_an_argument_and_unsafe_has_one_home() {
    let crates = ["src", "envs/src", "hardware/src", "examples"];
    let files = crates.into_iter().flat_map(sources).collect::<Vec<_>>();
    assert!(files.len() > 20, "only {} sources found", files.len());
    for file in files {
        let code = read(&file).replace("'unsafe-inline'", ""); // a browser's word
        for ambient in ["rand::rng(", "thread_rng"] {
            assert!(!code.contains(ambient), "{} names `{ambient}`", file.display());
        }
        let home = file == Path::new("src/learn/nn/gemm.rs");
        assert!(home || !names_word(&code, "unsafe"), "{} is unsafe", file.display());
    }
}

/// Every source of the three crates, without files of tests.
fn shipped() -> Vec<PathBuf> {
    let of_tests = |file: &PathBuf| file.iter().any(|part| part == "tests" || part == "tests.rs");
    let mut files = ["src", "envs/src", "hardware/src"].into_iter().flat_map(sources).collect::<Vec<_>>();
    files.retain(|file| !of_tests(file));
    assert!(files.len() > 50, "only {} sources found", files.len());
    files
}

#[test]
fn crates_depend_one_way_and_candle_is_for_tests() {
    for (member, forbidden) in
        [("hardware", &["skewfit", "rapier", "candle"][..]), ("envs", &["skewfit", "candle"]), (".", &["candle"])]
    {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(member).join("Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(manifest).unwrap().parse().unwrap();
        for name in manifest["dependencies"].as_table().unwrap().keys() {
            let below = member == "envs" && name == "skewfit-hardware";
            assert!(below || !forbidden.iter().any(|word| name.starts_with(word)), "{member} depends on {name}");
        }
    }
}

#[test]
fn no_hash_map_orders_what_is_learned() {
    for file in shipped() {
        let looked_up_by_name_alone = file == Path::new("src/keep/store/shard.rs");
        let code = read(&file);
        let named = ["HashMap", "HashSet"].into_iter().find(|word| names_word(&code, word));
        assert!(looked_up_by_name_alone || named.is_none(), "{} uses {named:?}; take a BTreeMap", file.display());
    }
}

#[test]
fn nothing_waits_for_a_person() {
    for file in shipped() {
        let code = read(&file).replace(".stdin(Stdio::null())", ""); // a child's is closed
        for endless in ["stdin", ".recv()", ".join()", "thread::park()"] {
            assert!(!code.contains(endless), "{} waits without end: {endless}", file.display());
        }
    }
}

#[test]
fn scenes_know_no_reward() {
    for file in ["envs/src", "hardware/src"].into_iter().flat_map(sources) {
        assert!(!names_word(&read(&file), "reward"), "{} names a reward", file.display());
    }
}

fn skewfit(args: &[&str], dir: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skewfit"));
    let out = command.args(args).arg(dir).stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// What the clock has no part in: the parameters' hash and the final figures, the shards' hashes, metrics without `time/`.
fn leaves(run: &Path) -> [Vec<String>; 3] {
    let read = |name: &str| fs::read_to_string(run.join(name)).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&read("summary.json")).unwrap();
    let shard = |id| blake3::hash(&fs::read(run.join(format!("episodes/{id:06}.h5"))).unwrap()).to_string();
    let metrics = read("metrics.csv");
    let names: Vec<&str> = metrics.lines().next().unwrap().split(',').collect();
    let timeless = |row: &str| {
        let cells = names.iter().zip(row.split(',')).filter(|(name, _)| !name.starts_with("time/"));
        cells.map(|(name, cell)| format!("{name}={cell}")).collect::<Vec<_>>().join(" ")
    };
    let identity = ["params_blake3", "final"].map(|key| summary[key].to_string()).to_vec();
    [identity, (0..20).map(shard).collect(), metrics.lines().skip(1).map(timeless).collect()]
}

#[test]
fn the_same_seed_and_a_resumed_run_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| dir.path().join(name));
    for run in [&first, &second] {
        skewfit(&["explore", "corridor-tiny", "--set", "run.threads=2", "--out"], run);
    }
    let whole = leaves(&first);
    assert_eq!(leaves(&second), whole);
    let half = &whole[2][3];
    assert!(half.starts_with("env_steps=600 ") && half.contains("skew/alpha=-0.5"), "no skewing by half time: {half}");

    // As if the power had gone before the second half was safe.
    fs::remove_file(second.join("summary.json")).unwrap();
    for update in ["00000300", "00000400"] {
        fs::remove_dir_all(second.join("checkpoints").join(update)).unwrap();
    }
    skewfit(&["resume"], &second);
    assert_eq!(leaves(&second), whole);
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
        ("#[cfg(test)]\nmod tests;\nuse std::fs;", true),
    ] {
        assert_eq!(names_std(&code(text), "fs"), fs, "{text}");
    }
    assert!(names_word(&code("let x = unsafe { f() };"), "unsafe"));
    assert!(!names_word(&code("#![deny(unsafe_code)] // unsafe"), "unsafe"));
}
