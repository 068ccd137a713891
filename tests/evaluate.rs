//! `skewfit evaluate`: the scene's pictures, pictures of the user's, and what is no picture.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{command, explore, files, json, refused, skewfit};
use image::{DynamicImage, ImageBuffer, Luma, Rgb};
use serde_json::{Value, json};

const OF_A_GOAL: [&str; 8] =
    ["clip", "final", "final_state", "goal", "goal_state", "latent_distance", "source", "success"];

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

fn pictures(dir: &Path) -> Vec<PathBuf> {
    let colour = |w, h| DynamicImage::from(ImageBuffer::from_fn(w, h, |x, y| Rgb([(x * 3) as u8, (y * 5) as u8, 90])));
    let grey = DynamicImage::from(ImageBuffer::from_fn(100, 60, |x, _| Luma([x as u8])));
    let all = [
        ("same.png", colour(24, 24)),
        ("wide.png", colour(640, 48)),
        ("photo.jpg", colour(80, 120)),
        ("grey.png", grey),
    ];
    let save = |(name, picture): (&str, DynamicImage)| {
        picture.save(dir.join(name)).unwrap();
        dir.join(name)
    };
    all.into_iter().map(save).collect()
}

#[test]
fn the_scenes_own_pictures_and_the_users() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let told = explore(&run, &["run.steps=400", "evaluate.pictures=6"]);
    let before = files(&run);
    let evaluate = |more: &[&str]| json(&skewfit("evaluate", &run, &[&["--json"], more].concat()));

    let own = evaluate(&[]);
    for key in ["run", "checkpoint", "goals", "mean", "over_goals", "success_rate"] {
        assert!(own.get(key).is_some(), "{key}");
    }
    let goals = own["goals"].as_array().unwrap();
    assert_eq!((own["checkpoint"].clone(), goals.len()), (json!(100), 6));
    for goal in goals {
        assert_eq!(keys(goal), OF_A_GOAL);
        assert_eq!((&goal["source"], keys(&goal["goal_state"])), (&json!("scene"), vec!["x", "y"]));
        let [x, y] =
            ["x", "y"].map(|k| goal["final_state"][k].as_f64().unwrap() - goal["goal_state"][k].as_f64().unwrap());
        let distance = goal["final"]["distance"].as_f64().unwrap();
        assert!((x.hypot(y) - distance).abs() < 1e-9, "{goal}");
        assert_eq!(goal["success"].as_bool(), Some(distance < 0.1), "{goal}");
    }
    let mean = |of: &dyn Fn(&Value) -> f64| goals.iter().map(of).sum::<f64>() / 6.0;
    let close = |a: &Value, b: f64| assert!((a.as_f64().unwrap() - b).abs() < 1e-12, "{a} {b}");
    close(&own["mean"]["distance"], mean(&|g| g["final"]["distance"].as_f64().unwrap()));
    close(&own["success_rate"], mean(&|g| f64::from(u8::from(g["success"] == true))));
    let constant = |answer: &Value| {
        let to =
            |goal: &Value| ["x", "y"].map(|k| answer[k].as_f64().unwrap() - goal["goal_state"][k].as_f64().unwrap());
        mean(&|goal| to(goal)[0].hypot(to(goal)[1]))
    };
    let best = goals.iter().map(|g| constant(&g["goal_state"])).fold(f64::INFINITY, f64::min);
    close(&own["over_goals"]["best_constant_distance"], best);
    close(&told["final"]["best_constant_distance"], best);
    assert_eq!(told["final"]["rank_correlation_x"], own["over_goals"]["rank_correlation_x"]);
    // The run's own final evaluation was the same one.
    assert_eq!(own["mean"]["distance"], told["final"]["distance"]);
    assert_eq!(evaluate(&[]), own);
    assert!(files(&run) == before);
    for episodes in [7, 2] {
        let part = evaluate(&["--episodes", &episodes.to_string()]);
        for (tried, goal) in part["goals"].as_array().unwrap().iter().zip(goals).take(2) {
            let mut there = tried.clone();
            there["clip"] = goal["clip"].clone();
            assert_eq!(&there, goal);
            let [seen, own] = [tried, goal].map(|g| fs::read(run.join(g["clip"].as_str().unwrap())).unwrap());
            assert!(seen == own, "the same attempt is the same clip");
        }
        let mut after = files(&run);
        after.retain(|name, _| !name.starts_with("eval/partial"));
        assert!(after == before, "{episodes} attempts are not the run's evaluation");
        assert_eq!(files(&run.join("eval/partial")).len(), 3 + 3 * episodes, "the attempts before are gone");
    }
    assert_eq!(evaluate(&[]), own);

    let given = pictures(dir.path());
    let given: Vec<&str> = given.iter().map(|p| p.to_str().unwrap()).collect();
    let flags: Vec<&str> = given.iter().flat_map(|p| ["--goal", p]).collect();
    let yours = evaluate(&flags);
    assert_eq!(evaluate(&flags), yours);
    assert_eq!((&yours["mean"], yours["goals"].as_array().unwrap().len()), (&json!({}), 4));
    assert_eq!(yours["over_goals"], json!({}));
    for (goal, name) in yours["goals"].as_array().unwrap().iter().zip(&given) {
        assert_eq!(keys(goal), OF_A_GOAL);
        assert_eq!((&goal["goal"], &goal["source"]), (&json!(name), &json!("picture")));
        assert_eq!((&goal["goal_state"], &goal["final"]), (&Value::Null, &json!({})));
        assert!(goal["latent_distance"].as_f64().unwrap() >= 0.0);
    }
    assert_eq!(evaluate(&[&flags[..2], &["--episodes", "3"]].concat())["goals"].as_array().unwrap().len(), 3);
    let left = files(&run.join("eval/pictures"));
    for name in ["evaluation.json", "sheet.png", "00-goal.png", "00-reached.png", "00.gif", "clips.gif"] {
        assert!(left.contains_key(Path::new(name)), "{name}");
    }
    let seen = image::load_from_memory(&left[Path::new("00-goal.png")]).unwrap().into_rgb8();
    assert_eq!(seen, image::open(given[0]).unwrap().into_rgb8(), "a picture of the camera's size keeps its bytes");
    let (clip, last) = (&left[Path::new("00.gif")], &left[Path::new("00-reached.png")]);
    let decoder = image::codecs::gif::GifDecoder::new(std::io::Cursor::new(clip)).unwrap();
    let frames = image::AnimationDecoder::into_frames(decoder).collect_frames().unwrap();
    let (end, last) = (frames[50].buffer(), image::load_from_memory(last).unwrap().into_rgb8());
    assert_eq!((frames.len(), end.dimensions()), (51, (4 * 49, 4 * 24)));
    let near = |a: &[u8], b: &[u8]| a.iter().zip(b).all(|(a, b)| a.abs_diff(*b) < 32);
    for (x, y) in (0..24).flat_map(|y| (0..24).map(move |x| (x, y))) {
        assert!(near(&last[(x, y)].0, &end[(4 * x, 4 * y)].0), "the camera at the end, at ({x}, {y})");
        assert!(near(&seen[(x, y)].0, &end[(4 * (25 + x), 4 * y)].0), "the goal beside it, at ({x}, {y})");
    }
    let mut after = files(&run);
    after.retain(|name, _| !name.starts_with("eval/pictures") && !name.starts_with("eval/partial"));
    assert!(after == before, "an evaluation changes nothing but eval/");
}

/// A PNG header alone: 50,000 pixels wide.
fn giant() -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        let turn = |c: u32, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 };
        !bytes.iter().fold(!0u32, |c, b| (0..8).fold(c ^ u32::from(*b), turn))
    };
    let body = [&b"IHDR"[..], &50_000u32.to_be_bytes(), &50_000u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [&b"\x89PNG\r\n\x1a\n\0\0\0\x0d"[..], &body, &crc(&body).to_be_bytes()].concat()
}

#[test]
fn what_is_no_picture_is_refused_and_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &["run.steps=200"]);
    let good = pictures(dir.path());
    let whole = fs::read(&good[1]).unwrap();
    let bad: [(&str, &[u8], &str); 4] = [
        ("notes.png", b"buy milk", "PNG, JPEG or GIF"),
        ("cut.png", &whole[..whole.len() / 2], "cut short"),
        ("giant.png", &giant(), "larger than"),
        ("empty.jpg", b"", "PNG, JPEG or GIF"),
    ];
    let before = files(&run);
    let refuse = |name: &str, why: &str| {
        let path = dir.path().join(name);
        // A good picture beside it does not help.
        let args = ["--goal", good[0].to_str().unwrap(), "--goal", path.to_str().unwrap(), "--json"];
        let output = skewfit("evaluate", &run, &args);
        refused(&output, 2, &[name, why]);
        assert!(output.stdout.is_empty());
        assert!(files(&run) == before, "{name}");
    };
    for (name, bytes, why) in bad {
        fs::write(dir.path().join(name), bytes).unwrap();
        refuse(name, why);
    }
    refuse("missing.png", "is not there");
    fs::create_dir(dir.path().join("folder.png")).unwrap();
    refuse("folder.png", "holds no picture");
    refused(&skewfit("evaluate", dir.path(), &[]), 2, &["is not a run"]);
    for episodes in ["0", "1001"] {
        let args = ["evaluate", run.to_str().unwrap(), "--episodes", episodes];
        assert_eq!(command(&args).output().unwrap().status.code(), Some(2));
    }
}
