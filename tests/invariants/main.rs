//! Invariants of the project (listed in `docs/ARCHITECTURE.md`): of the sources, read as text, and of whole runs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]

mod arrows;
mod sources;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use sources::{names_std, names_word, read, shipped, sources};

/// Maximum number of lines of a source file, unit tests included.
const LONGEST: usize = 250;
/// Files that may be longer, with the reason.
const LONG: [(&str, &str); 0] = [];

#[test]
fn files_are_short() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lines = |file: &Path| fs::read_to_string(root.join(file)).unwrap().lines().count();
    let files = ["src", "envs", "hardware", "tests", "benches", "examples"].into_iter().flat_map(sources);
    let long = files.map(|file| (lines(&file), file.display().to_string())).filter(|(lines, _)| *lines > LONGEST);
    let long: Vec<_> = long.filter(|(_, file)| LONG.iter().all(|(listed, _)| listed != file)).collect();
    assert!(long.is_empty(), "split these, or list them in LONG with a reason: {long:?}");
    for (file, _) in LONG {
        assert!(lines(Path::new(file)) > LONGEST, "{file} is short again: take it off LONG");
    }
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

#[test]
fn random_numbers_are_arguments_and_unsafe_is_in_one_file() {
    let crates = ["src", "envs/src", "hardware/src", "examples"];
    let files = crates.into_iter().flat_map(sources).collect::<Vec<_>>();
    assert!(files.len() > 20, "only {} sources found", files.len());
    for file in files {
        let code = read(&file).replace("'unsafe-inline'", ""); // a keyword of browsers
        for ambient in ["rand::rng(", "thread_rng"] {
            assert!(!code.contains(ambient), "{} names `{ambient}`", file.display());
        }
        let home = file == Path::new("src/learn/nn/gemm.rs");
        assert!(home || !names_word(&code, "unsafe"), "{} is unsafe", file.display());
    }
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
        let code = read(&file).replace(".stdin(Stdio::null())", ""); // this closes the input of a child
        for endless in ["stdin", ".recv()", ".join()", "thread::park()"] {
            assert!(!code.contains(endless), "{} waits without end: {endless}", file.display());
        }
    }
}

#[test]
fn scenes_have_no_reward() {
    for file in ["envs/src", "hardware/src"].into_iter().flat_map(sources) {
        assert!(!names_word(&read(&file), "reward"), "{} names a reward", file.display());
    }
}

fn skewfit(args: &[&str], dir: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skewfit"));
    let out = command.args(args).arg(dir).stdin(Stdio::null()).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// The results that do not depend on the clock: hash of the parameters and final metrics, hashes of the shards,
/// metrics without `time/`.
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

    // As if the power had failed before the second half was durable.
    fs::remove_file(second.join("summary.json")).unwrap();
    for update in ["00000300", "00000400"] {
        fs::remove_dir_all(second.join("checkpoints").join(update)).unwrap();
    }
    skewfit(&["resume"], &second);
    assert_eq!(leaves(&second), whole);
}
