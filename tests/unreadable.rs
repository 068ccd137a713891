//! Files that exist but cannot be read are not damaged: every verb that needs them ends with code 2, and the files are
//! not changed or moved.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use common::{checkpoints, copy, explore, files, refused, skewfit, stderr};

/// Files of a run, and the verbs that need each.
const NEEDED: [(&str, &[&[&str]]); 7] = [
    ("run.json", &[&["resume"], &["inspect"], &["evaluate"], &["plot"]]),
    ("episodes.jsonl", &[&["resume"], &["inspect"], &["evaluate"]]),
    ("config.toml", &[&["resume"], &["inspect"], &["evaluate"]]),
    ("metrics.csv", &[&["resume"], &["inspect"], &["plot"]]),
    ("episodes/000003.h5", &[&["resume"], &["inspect", "--verify"]]),
    ("checkpoints/00000300/params.safetensors", &[&["resume"], &["inspect"], &["evaluate"]]),
    ("checkpoints/00000300/MANIFEST.json", &[&["resume"], &["inspect"], &["evaluate"]]),
];

/// A directory in the place of a file cannot be read by any user.
#[test]
fn unreadable_files_are_not_called_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    explore(&whole, &["run.steps=800"]);
    fs::remove_file(whole.join("summary.json")).unwrap();
    assert_eq!(checkpoints(&whole).last().unwrap(), "00000300");
    for (name, verbs) in NEEDED {
        let run = dir.path().join("run");
        copy(&whole, &run);
        fs::remove_file(run.join(name)).unwrap();
        fs::create_dir(run.join(name)).unwrap();
        for verb in verbs {
            let output = skewfit(verb[0], &run, &verb[1..]);
            refused(&output, 2, &[name.rsplit('/').next().unwrap()]);
            let said = stderr(&output);
            assert!(!said.contains("damage"), "{name}, {verb:?}: {said}");
        }
        assert!(run.join(name).is_dir() && checkpoints(&run) == checkpoints(&whole), "{name}");
        fs::remove_dir_all(&run).unwrap();
    }
}

/// The newest checkpoint belongs to another user: it is neither skipped nor set aside.
#[test]
fn a_checkpoint_of_another_user_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let run = dir.path().join("run");
    explore(&run, &[]);
    let newest = run.join("checkpoints").join(checkpoints(&run).pop().unwrap());
    let Some(other) = other_user(&run, &newest) else {
        let said = b"a_checkpoint_of_another_user SKIPPED: it takes root and `setpriv` to be another user\n";
        std::io::stderr().write_all(said).unwrap(); // libtest captures the output of `eprintln!`
        return;
    };
    let before = files(&run);
    for verb in [&["resume"][..], &["inspect"], &["inspect", "--verify"], &["evaluate"]] {
        let more: &[&str] = if verb[0] == "resume" { &["--steps", "2000"] } else { &[] };
        let output = other(&[verb[0], run.to_str().unwrap()], &[&verb[1..], more].concat());
        refused(&output, 2, &["MANIFEST.json is not readable", "Permission denied"]);
    }
    assert!(files(&run) == before);
}

/// Runs the program as a user who owns the run except for the checkpoint, which belongs to root.
type AsAnother = Box<dyn Fn(&[&str], &[&str]) -> Output>;

fn other_user(run: &Path, newest: &Path) -> Option<AsAnother> {
    let nobody = |args: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(args);
        command.output()
    };
    // The program's folder may belong to root, so the program is copied to where everybody can run it.
    let program = run.parent()?.join("skewfit");
    fs::copy(env!("CARGO_BIN_EXE_skewfit"), &program).ok()?;
    nobody(&[program.to_str()?, "--version"]).ok().filter(|told| told.status.success())?;
    let owned = Command::new("chown").arg("-R").arg("65534").arg(run).status().ok()?;
    let of_root = Command::new("chown").arg("-R").arg("0").arg(newest).status().ok()?;
    for entry in fs::read_dir(newest).ok()?.flatten() {
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600)).ok()?;
    }
    let program = program.to_str()?.to_owned();
    let run = move |verb: &[&str], more: &[&str]| nobody(&[&[program.as_str()], verb, more].concat()).unwrap();
    (owned.success() && of_root.success()).then(|| Box::new(run) as AsAnother)
}
