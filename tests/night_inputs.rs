//! Bad configurations: each is refused with code 2 and one sentence that names file, line, key and what is allowed.
//! Every shipped one explores.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::time::Instant;

use common::{command, json, record, refused};
use skewfit::config::keys::{Allowed, KEYS};

/// TOML values that must be refused: of the kind of `allowed` but out of range, or of another kind.
fn bad(allowed: &Allowed) -> Vec<String> {
    let texts: &[&str] = match allowed {
        Allowed::Whole(low, high) => {
            let above = high.checked_add(1).map_or("1e30".into(), |n| n.to_string());
            return vec![(low - 1).to_string(), above, "2.5".into(), "\"many\"".into()];
        }
        Allowed::Number(low, high) => {
            return vec![format!("{:?}", low - 1.0), format!("{:?}", high * 2.0 + 1.0), "nan".into(), "inf".into()];
        }
        Allowed::Flag => &["1", "\"yes\""],
        Allowed::Word(..) => &["\"nonsense\"", "7"],
        Allowed::Folder => &["7", "[\"a\"]"],
        Allowed::Name => &["\"../up\"", "\"\""],
        Allowed::Size(_) => &["47", "\"large\""],
        Allowed::Wholes(..) => &["[]", "[-1, 2]"],
        Allowed::AutoOr(..) => &["\"never\"", "nan"],
        Allowed::Phases => &["[]", "[{ every = 0, updates = 1 }]", "[{ every = 1 }]"],
    };
    texts.iter().map(|t| (*t).to_owned()).collect()
}

#[test]
fn g18_bad_configurations_are_refused_by_file_line_and_key() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let file = dir.path().join("night.toml");
    let explore = || command(&["explore", file.to_str().unwrap(), "--dry-run"]).output().unwrap();
    let mut tried = 0;
    let mut check = |text: &str, words: &[&str]| {
        fs::write(&file, text).unwrap();
        refused(&explore(), 2, &[&["night.toml"], words].concat());
        tried += 1;
    };
    for key in KEYS {
        for value in bad(&key.allowed) {
            let text = match key.name.split_once('.') {
                Some((table, name)) => format!("name = \"n\"\n[{table}]\n{name} = {value}\n"),
                None if key.name == "name" => format!("\n\nname = {value}\n"),
                None => format!("name = \"n\"\n\n{} = {value}\n", key.name),
            };
            check(&text, &["line 3", key.name, "must be"]);
        }
        let misspelt = format!("{}x = 1\n", key.name);
        check(&misspelt, &["line 1", "unknown key", key.name]);
    }
    check(&format!("x = {}1{}\n", "[".repeat(10_000), "]".repeat(10_000)), &["line 1"]);
    check(&"# long\n".repeat(1 << 20), &["1 MiB"]);
    check("name = \"n\n", &["line 1", "not TOML"]);
    check("[run]\nsteps = 100\n", &["run.steps"]); // fewer steps than the warm-up
    check("name = \"n\"\nname = \"m\"\n", &["line 2"]);
    fs::write(&file, [0xff, 0xfe, 0x00]).unwrap();
    refused(&explore(), 2, &["night.toml", "UTF-8"]);
    assert!(tried > 120, "{tried}");
    record(("G18", 0), "bad configurations refused with code 2, file, line, key and what is allowed", tried + 1, begun);
}

#[test]
fn every_shipped_configuration_explores() {
    let dir = tempfile::tempdir().unwrap();
    let short = ["run.steps=200", "run.warmup_steps=100", "run.epoch_steps=100", "run.updates_per_epoch=2"];
    let little = ["latent.phases=[{ every = 1, updates = 1 }]", "evaluate.pictures=2", "evaluate.pictures_each_time=1"];
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/experiments")).unwrap() {
        let path = entry.unwrap().path();
        let out = dir.path().join(path.file_stem().unwrap());
        let mut args = vec!["explore", path.to_str().unwrap(), "--json", "--out", out.to_str().unwrap()];
        args.extend(short.iter().chain(&little).flat_map(|set| ["--set", set]));
        assert_eq!(json(&command(&args).output().unwrap())["env_steps"], 200, "{}", path.display());
    }
}
