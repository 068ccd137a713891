//! A run in an environment without true states and without snapshots: it is killed and resumed to the same bytes,
//! evaluated on a folder of pictures, reported and shown.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod again;
mod cart;
#[path = "../common/mod.rs"]
mod common;
mod process;
#[allow(dead_code, reason = "the page's tests use the rest")]
#[path = "../dashboard/served.rs"]
mod served;

use std::fs;
use std::path::{Path, PathBuf};

use skewfit::run::evaluate;
use skewfit::show::pictures::save_png;

use common::{json, metrics, refused, skewfit};
use process::{Asked, cart, told};

/// Writes pictures of the cart at reachable positions into a folder.
fn pictures(folder: &Path) -> String {
    fs::create_dir_all(folder).unwrap();
    for (i, at) in [[0.5, 0.5], [-0.6, 0.2], [0.0, -0.7], [0.9, -0.9], [-0.3, 0.8]].into_iter().enumerate() {
        save_png(&cart::picture(at, 48), &folder.join(format!("{}.png", ["e", "d", "c", "b", "a"][i]))).unwrap();
    }
    fs::write(folder.join("notes.txt"), "not a picture").unwrap();
    folder.display().to_string()
}

/// A short run with one checkpoint, after its warm-up, so that a resumed process must learn much again.
fn asked(folder: &str, joints: bool) -> Asked<'static> {
    let mut settings: Vec<String> =
        ["run.threads=1", "run.steps=700", "run.checkpoint_every_epochs=100", "skew.start_epoch=0"]
            .map(String::from)
            .into();
    settings.push(format!("evaluate.folder={folder:?}"));
    settings.extend(joints.then(|| "joints".to_owned()));
    Asked { settings, ..Asked::default() }
}

#[test]
fn coverage_comes_from_pictures_or_joints() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    for joints in [false, true] {
        let run = dir.path().join(joints.to_string());
        let told = asked(&folder, joints).told(&run);
        let columns = metrics(&run);
        assert_eq!(columns["env_steps"].len(), 5);
        let full = |name: &str| columns[name].iter().all(|cell| cell.parse::<f64>().is_ok());
        let empty = |name: &str| columns[name].iter().all(String::is_empty);
        assert!(full("eval/final_latent_distance") && empty("eval/success_rate"));
        assert!(!columns.keys().any(|name| name.contains("angle") || name == "eval/final_distance"));
        if joints {
            assert!(full("coverage/cells") && full("coverage/entropy_nats"));
            assert!(columns["skew/mean_left"].last().unwrap().parse::<f64>().is_ok());
            assert!(!columns.contains_key("coverage/knn_entropy"));
        } else {
            assert!(full("coverage/knn_entropy") && empty("coverage/cells") && empty("coverage/entropy_nats"));
        }
        assert!(told["summary"]["final"]["latent_distance"].as_f64().unwrap() > 0.0, "{told}");
        let kept: Vec<_> = common::files(&run.join("goals")).into_keys().collect();
        let names = kept.iter().map(|name| name.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(names, ["000-a.png", "001-b.png", "002-c.png", "003-d.png"], "the first evaluate.pictures by name");
        for picture in ["coverage", "coverage_over_time", "evaluation", "learning", "reached"] {
            assert!(run.join(format!("plots/{picture}.png")).exists(), "{picture}");
        }
        assert_eq!(run.join("plots/states.png").exists(), joints);
        let report = fs::read_to_string(run.join("REPORT.md")).unwrap();
        assert!(report.contains("atent distance"), "{report}");
    }
}

/// The binary can do everything with such a run that needs no cart.
#[test]
fn the_binary_reads_such_a_run_and_refuses_to_act() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    for joints in [true, false] {
        let run = dir.path().join(format!("run-{joints}"));
        asked(&folder, joints).told(&run);
        fs::remove_dir_all(run.join("plots")).unwrap();
        let told = json(&skewfit("inspect", &run, &["--json", "--verify"]));
        assert_eq!(told["coverage"]["cells_total"].as_u64(), joints.then_some(100));
        for (verb, more) in [("plot", &[][..]), ("diagnose", &[]), ("export", &["--hdf5", "all.h5"])] {
            let more: Vec<String> =
                more.iter().map(|m: &&str| m.replace("all.h5", &format!("{}.h5", run.display()))).collect();
            let more: Vec<&str> = more.iter().map(String::as_str).collect();
            let done = skewfit(verb, &run, &more);
            assert_eq!(done.status.code(), Some(0), "{verb}: {}", common::stderr(&done));
        }
        assert_eq!(run.join("plots/states.png").exists(), joints);
        refused(&skewfit("evaluate", &run, &[]), 2, &["cart"]);
        let served = served::Served::run(&run);
        let part = served::events(&served).find_map(|(part, told)| (part == "curves").then_some(told)).unwrap();
        let heading = if joints { "Coverage cells" } else { "Coverage entropy, from pictures" };
        assert!(part.to_string().contains(heading) && part.to_string().contains("latent distance"), "{part}");
        served.end();
    }
}

#[test]
fn a_run_is_evaluated_on_a_folder_and_on_its_own_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    let run = dir.path().join("run");
    asked(&folder, false).told(&run);
    let others = dir.path().join("others");
    fs::create_dir(&others).unwrap();
    save_png(&cart::picture([0.1, 0.1], 30), &others.join("near.png")).unwrap();
    let evaluate = |goals: Vec<PathBuf>| {
        let options = evaluate::Options { goals, ..Default::default() };
        evaluate::run_in(&run, &options, &cart(false), &mut |_| {}).unwrap().report
    };
    let told = evaluate(vec![others]);
    assert_eq!(told["goals"].as_array().unwrap().len(), 1);
    assert!(told["goals"][0]["goal"].as_str().unwrap().ends_with("others/near.png"));
    fs::remove_dir_all(dir.path().join("pictures")).unwrap();
    let told = evaluate(vec![]);
    let names: Vec<_> =
        told["goals"].as_array().unwrap().iter().map(|g| g["goal"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["000-a", "001-b", "002-c", "003-d"], "kept in the run");
    assert!(told["mean"]["latent_distance"].as_f64().unwrap() > 0.0 && told["success_rate"].is_null(), "{told}");
    assert!(run.join("eval/pictures/000001/sheet.png").exists());
}

#[test]
fn a_folder_without_pictures_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    for folder in [empty, dir.path().join("absent")] {
        let run = dir.path().join("run");
        let folder = format!("evaluate.folder={:?}", folder.display().to_string());
        let asked = Asked { settings: vec![folder], ..Asked::default() };
        let told = told(&asked.process(&run));
        assert_eq!(told["code"], 2, "{told}");
        assert!(told["why"].as_str().unwrap().contains("folder of pictures") && !run.exists(), "{told}");
    }
}
