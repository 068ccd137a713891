//! `skewfit evaluate`: the scene's pictures, the user's pictures, and invalid pictures.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Live, command, explore, files, json, refused, skewfit};
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
fn a_run_is_evaluated_on_the_scenes_and_the_users_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let told = explore(&run, &["run.steps=400", "evaluate.pictures=6"]);
    let before = files(&run);
    let evaluate = |more: &[&str]| json(&skewfit("evaluate", &run, &[&["--json"], more].concat()));

    let own = evaluate(&[]);
    for key in ["run", "checkpoint", "goals", "mean", "over_goals", "success_rate", "folder"] {
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
    // The run's own final evaluation is the same.
    assert_eq!(own["mean"]["distance"], told["final"]["distance"]);
    assert_eq!(evaluate(&[]), own);
    assert!(files(&run) == before);
    for (episodes, folder) in [(7, "eval/partial/000001"), (2, "eval/partial/000002")] {
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
        assert_eq!(part["folder"].as_str().unwrap(), run.join(folder).to_str().unwrap());
        assert_eq!(files(&run.join(folder)).len(), 3 + 3 * episodes);
    }
    assert_eq!(fs::read_to_string(run.join("eval/partial/last")).unwrap(), "000002\n");
    assert_eq!(evaluate(&[]), own);

    let given = pictures(dir.path());
    let given: Vec<&str> = given.iter().map(|p| p.to_str().unwrap()).collect();
    let flags: Vec<&str> = given.iter().flat_map(|p| ["--goal", p]).collect();
    let yours = evaluate(&flags);
    let kept = files(&run.join("eval/pictures/000001"));
    let again = evaluate(&flags);
    assert!(files(&run.join("eval/pictures/000001")) == kept, "a call leaves the results of others alone");
    for (a, b) in again["goals"].as_array().unwrap().iter().zip(yours["goals"].as_array().unwrap()) {
        assert_eq!([&a["goal"], &a["latent_distance"]], [&b["goal"], &b["latent_distance"]]);
    }
    assert_eq!((&yours["mean"], yours["goals"].as_array().unwrap().len()), (&json!({}), 4));
    assert_eq!(yours["over_goals"], json!({}));
    for (goal, name) in yours["goals"].as_array().unwrap().iter().zip(&given) {
        assert_eq!(keys(goal), OF_A_GOAL);
        assert_eq!((&goal["goal"], &goal["source"]), (&json!(name), &json!("picture")));
        assert_eq!((&goal["goal_state"], &goal["final"]), (&Value::Null, &json!({})));
        assert!(goal["latent_distance"].as_f64().unwrap() >= 0.0);
    }
    assert_eq!(evaluate(&[&flags[..2], &["--episodes", "3"]].concat())["goals"].as_array().unwrap().len(), 3);
    assert_eq!(fs::read_to_string(run.join("eval/pictures/last")).unwrap(), "000003\n");
    let left = files(&run.join("eval/pictures/000001"));
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

/// Simultaneous evaluations of one run do not disturb each other, and results of an older program are kept.
#[test]
fn simultaneous_and_earlier_evaluations_are_all_kept() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &["run.steps=200", "evaluate.pictures=4"]);
    let of_the_run = files(&run);
    let older = run.join("eval/pictures/evaluation.json");
    fs::create_dir_all(older.parent().unwrap()).unwrap();
    fs::write(&older, "{}").unwrap();
    let given = pictures(dir.path());
    let goals: Vec<&str> = given.iter().map(|path| path.to_str().unwrap()).collect();
    for round in 0..2 {
        let mut calls: Vec<Vec<&str>> = goals.iter().map(|goal| vec!["--goal", goal]).collect();
        calls.extend([vec!["--episodes", "2"], vec!["--episodes", "2"], vec![], vec![]]);
        let start = |more: &Vec<&str>| {
            let args = [&["evaluate", run.to_str().unwrap(), "--json"], &more[..]].concat();
            Live::start(command(&args))
        };
        let live: Vec<Live> = calls.iter().map(start).collect();
        let told: Vec<Value> = live.into_iter().map(|call| json(&call.end())).collect();
        for (told, goal) in told.iter().zip(&goals) {
            let saved = fs::read(Path::new(told["folder"].as_str().unwrap()).join("evaluation.json")).unwrap();
            let saved: Value = serde_json::from_slice(&saved).unwrap();
            assert_eq!((&saved["goals"], &saved["goals"][0]["goal"]), (&told["goals"], &json!(goal)));
        }
        for (part, each) in [("pictures", goals.len()), ("partial", 2)] {
            let last = format!("{:06}", (round + 1) * each);
            assert_eq!(fs::read_to_string(run.join("eval").join(part).join("last")).unwrap().trim_end(), last);
        }
    }
    assert_eq!(fs::read_to_string(&older).unwrap(), "{}");
    let mut after = files(&run);
    assert!(!after.keys().any(|name| name.to_str().unwrap().contains(".tmp")));
    after.retain(|name, _| !name.starts_with("eval/pictures") && !name.starts_with("eval/partial"));
    assert!(after == of_the_run);
}

/// A photo of 24 megapixels, a strip, and a photo with an EXIF orientation.
#[test]
fn pictures_of_any_shape_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &["run.steps=200"]);
    let half =
        |(w, h): (u32, u32)| ImageBuffer::from_fn(w, h, |x, _| Rgb([if 2 * x < w { 250u8 } else { 10 }, 60, 90]));
    let (phone, strip) = (dir.path().join("phone.png"), dir.path().join("strip.png"));
    half((5712, 4284)).save(&phone).unwrap();
    half((5000, 2)).save(&strip).unwrap();
    let args = ["--json", "--goal", phone.to_str().unwrap(), "--goal", strip.to_str().unwrap()];
    let told = json(&skewfit("evaluate", &run, &args));
    let folder = Path::new(told["folder"].as_str().unwrap());
    for seen in ["00-goal.png", "01-goal.png"] {
        let seen = image::open(folder.join(seen)).unwrap().into_rgb8();
        let [left, right] = [seen[(2, 12)], seen[(21, 12)]].map(|pixel| pixel.0[0]);
        assert!(seen.dimensions() == (24, 24) && left > 245 && right < 15, "{left} {right}");
    }
}

/// A PNG whose header says 50,000 x 50,000 pixels, without pixel data.
fn giant() -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        let turn = |c: u32, _| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 };
        !bytes.iter().fold(!0u32, |c, b| (0..8).fold(c ^ u32::from(*b), turn))
    };
    let chunk = |name: &[u8; 4], data: &[u8]| {
        let body = [&name[..], data].concat();
        [&(data.len() as u32).to_be_bytes()[..], &body, &crc(&body).to_be_bytes()].concat()
    };
    let head = [&50_000u32.to_be_bytes()[..], &50_000u32.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    [&b"\x89PNG\r\n\x1a\n"[..], &chunk(b"IHDR", &head), &chunk(b"IDAT", &[0x78, 1]), &chunk(b"IEND", &[])].concat()
}

#[test]
fn invalid_pictures_are_refused_and_nothing_changes() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    explore(&run, &["run.steps=200"]);
    let good = pictures(dir.path());
    let whole = fs::read(&good[1]).unwrap();
    let bad: [(&str, &[u8], &str); 4] = [
        ("notes.png", b"buy milk", "PNG, JPEG or GIF"),
        ("cut.png", &whole[..whole.len() / 2], "cut short"),
        ("giant.png", &giant(), "larger than 200 megapixels"),
        ("empty.jpg", b"", "is empty (0 bytes)"),
    ];
    let before = files(&run);
    let refuse = |name: &str, why: &str| {
        let path = dir.path().join(name);
        // It is also refused beside a good picture.
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
