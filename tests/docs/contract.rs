//! `docs/CONTRACT.md` against the program: verbs and options, JSON fields, files of a run, metric names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use skewfit::keep::store::Store;
use skewfit::show::metrics::COLUMNS;

use super::common::python_with_h5py;
use super::{fenced, quoted, read, section, skewfit};

fn contract() -> String {
    read("docs/CONTRACT.md")
}

/// The words of a text that begin with `--`.
fn options(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '-')).filter(|word| word.starts_with("--"));
    words.filter(|word| word.len() > 2 && *word != "--help").collect()
}

#[test]
fn the_contract_lists_the_verbs_and_options() {
    let contract = contract();
    let rows = section(&contract, "## Verbs").lines().filter_map(|line| line.strip_prefix("| `skewfit "));
    let rows: Vec<(&str, &str)> = rows.filter_map(|row| row.split_once('`')).collect();
    let text = |args: &[&str]| String::from_utf8(skewfit(args).stdout).unwrap();
    let help = text(&["--help"]);
    let verbs = section(&help, "Commands:").lines().map_while(|line| line.strip_prefix("  ")?.split(' ').next());
    let verbs: BTreeSet<&str> = verbs.filter(|verb| *verb != "help").collect();
    assert_eq!(rows.iter().map(|(verb, _)| *verb).collect::<BTreeSet<_>>(), verbs);
    for (verb, row) in rows {
        let help = text(&[verb, "--help"]);
        let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
        let heads: Vec<&str> = lines.filter_map(|line| line.split("  ").next()).collect();
        assert_eq!(options(row), options(&heads.join(" ")), "options of {verb}");
    }
}

#[test]
fn a_run_has_the_documented_files_and_fields() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run").display().to_string();
    let contract = contract();
    let fields = section(&contract, "## JSON");
    let named = |of: &str| -> BTreeSet<String> {
        let start = format!("| {of} |");
        let row = fields.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row {start}"));
        let cell = row.split('|').nth(2).unwrap();
        let outside = cell.split('(').map(|part| part.rsplit(')').next().unwrap()).collect::<String>();
        quoted(&outside).map(str::to_owned).collect()
    };
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>();
    let json = |args: &[&str]| -> Value {
        let output = skewfit(args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(String::from_utf8(output.stdout).unwrap().lines().last().unwrap()).unwrap()
    };
    let steps = ["corridor-tiny", "--steps", "200", "--json"];
    let begun = json(&[&["explore"], &steps[..], &["--out", &run]].concat());
    assert_eq!(keys(&begun), named("`explore`, `resume`"));
    assert_eq!(keys(&json(&["resume", &run, "--json"])), named("`explore`, `resume`"));
    assert_eq!(keys(&json(&[&["explore"], &steps[..], &["--dry-run"]].concat())), named("`explore --dry-run`"));
    let evaluated = json(&["evaluate", &run, "--json"]);
    assert_eq!(keys(&evaluated), named("`evaluate`"));
    assert_eq!(keys(&evaluated["goals"][0]), named("each of `goals`"));
    assert_eq!(keys(&json(&["inspect", &run, "--json"])), named("`inspect`"));
    let out = dir.path().join("all.h5").display().to_string();
    assert_eq!(keys(&json(&["export", &run, "--hdf5", &out, "--json"])), named("`export`"));
    let diagnosis = json(&["diagnose", &run, "--json"]);
    assert_eq!(keys(&diagnosis), named("`diagnose`"));
    assert_eq!(keys(&diagnosis["verdicts"][0]), named("each of `verdicts`"));

    let files = section(&contract, "## Files of a run");
    let there: Vec<&str> = quoted(files).filter_map(|name| name.split('/').next()).collect();
    for entry in fs::read_dir(&run).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(there.contains(&name.as_str()), "docs/CONTRACT.md does not list {name}");
    }
    python_reads(&run);
}

/// Runs the Python example of the page on the last episode of a run.
fn python_reads(run: &str) {
    let Some(python) = python_with_h5py() else { return };
    let store = Store::read_only(Path::new(run)).unwrap();
    let last = store.lines().last().unwrap();
    let episode = store.episode(last.id).unwrap();
    let example = fenced(&contract(), "python").join("\n");
    let file = Path::new(run).join(&last.file);
    let shown = Command::new(&python).args(["-c", &example]).arg(file).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    let shown = String::from_utf8(shown.stdout).unwrap();
    let (facts, state) = shown.trim_end().split_once('\n').unwrap();
    assert_eq!(facts, format!("corridor {} (51, 24, 24, 3) (50, 2) (24, 24, 3)", episode.goal.origin.name()));
    let state: Value = serde_json::from_str(&state.replace('\'', "\"")).unwrap();
    assert_eq!(state, serde_json::json!({"x": episode.state(50)[0], "y": episode.state(50)[1]}));
}

#[test]
fn the_contract_lists_the_metric_columns() {
    let contract = contract();
    let names = quoted(section(&contract, "## Metric names")).filter(|name| name.contains('/') && !name.ends_with('/'));
    let names: BTreeSet<&str> = names.filter(|name| !name.contains('<')).collect();
    assert_eq!(names, COLUMNS.iter().map(|column| column.name).collect());
}
