//! A run that can be read but not written, such as a colleague's: no result is lost, and the advice can be followed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::Path;

use common::{Reader, explore, files, json, refused, stderr};
use serde_json::Value;

fn picture(dir: &Path) -> String {
    let path = dir.join("goal.png");
    image::RgbImage::from_pixel(24, 24, image::Rgb([90, 120, 30])).save(&path).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_evaluation_that_cannot_be_saved_is_printed() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &["run.steps=300"]);
    let before = files(&run);
    let goal = picture(dir.path());
    let reader = Reader::of(dir.path(), &run);
    let evaluations: [(&[&str], &str); 3] =
        [(&["--goal", &goal], "eval/pictures"), (&["--episodes", "2"], "eval/partial"), (&[], "eval/00000")];
    for (more, place) in evaluations {
        let output = reader.run("evaluate", &[more, &["--json"]].concat());
        let said = stderr(&output);
        let told = json(&output);
        assert!([place, "Permission denied", "--out DIR"].iter().all(|word| said.contains(word)), "{said}");
        assert_eq!((said.lines().count(), &told["folder"]), (1, &Value::Null), "{said}");
        let goals = told["goals"].as_array().unwrap();
        assert!(goals.iter().all(|goal| goal["clip"].is_null() && goal["latent_distance"].is_f64()), "{told}");

        let here = dir.path().join(place.replace('/', "-"));
        let out = here.to_str().unwrap();
        let args = [more, &["--json", "--out", out]].concat();
        let saved = json(&reader.run("evaluate", &args));
        assert_eq!((&saved["folder"], &saved["mean"]), (&out.into(), &told["mean"]));
        assert!(fs::read(saved["goals"][0]["clip"].as_str().unwrap()).unwrap().starts_with(b"GIF"));
        assert!(here.join("evaluation.json").exists() && here.join("sheet.png").exists());
        refused(&reader.run("evaluate", &args), 2, &[out, "not empty", "name a new directory"]);
    }
    let words = reader.run("evaluate", &["--goal", &goal]);
    assert!(String::from_utf8(words.stdout).unwrap().contains("latent distance"));
    let inside = run.join("mine");
    let refusal = reader.run("evaluate", &["--goal", &goal, "--out", inside.to_str().unwrap()]);
    refused(&refusal, 2, &["--out", "mine", "Permission denied", "give another directory"]);
    assert!(refusal.stdout.is_empty(), "before any attempt");
    assert!(files(&run) == before);
}

#[test]
fn a_read_only_run_is_diagnosed_drawn_and_exported_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &["run.steps=300"]);
    let before = files(&run);
    let reader = Reader::of(dir.path(), &run);
    let place = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();

    let output = reader.run("diagnose", &["--json"]);
    let (said, told) = (stderr(&output), json(&output));
    assert!(["diagnose", "Permission denied", "--out DIR"].iter().all(|word| said.contains(word)), "{said}");
    assert!(told["page"].is_null() && !told["verdicts"].as_array().unwrap().is_empty(), "{told}");
    let elsewhere = json(&reader.run("diagnose", &["--json", "--out", &place("diagnosis")]));
    assert_eq!(elsewhere["verdicts"], told["verdicts"]);
    assert!(Path::new(elsewhere["page"].as_str().unwrap()).exists());
    let inside = run.join("mine");
    let inside = inside.to_str().unwrap();
    refused(&reader.run("diagnose", &["--out", inside]), 2, &["--out", "mine", "give another directory"]);

    refused(&reader.run("plot", &[]), 2, &["Permission denied", "--out DIR"]);
    refused(&reader.run("plot", &["--out", inside]), 2, &["Permission denied", "mine", "--out DIR"]);
    assert!(reader.run("plot", &["--out", &place("plots")]).status.success());
    assert!(dir.path().join("plots/coverage.svg").exists());

    refused(&reader.run("export", &["--hdf5", inside]), 2, &["mine", "Permission denied", "name another file"]);
    refused(&reader.run("export", &["--minari", inside]), 2, &["mine", "Permission denied"]);
    assert_eq!(json(&reader.run("export", &["--json", "--hdf5", &place("all.h5")]))["episodes"], 6);
    assert!(files(&run) == before);
}
