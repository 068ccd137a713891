//! An environment without a truth and without snapshots: it is explored, killed, taken up again to the same bytes,
//! evaluated on a folder of pictures, reported and shown.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod cart;
#[path = "../common/mod.rs"]
mod common;
mod process;
#[allow(dead_code, reason = "the page's tests use the rest")]
#[path = "../dashboard/served.rs"]
mod served;

use std::fs;
use std::path::Path;
use std::time::Instant;

use rand::Rng as _;
use skewfit::run::evaluate;
use skewfit::show::pictures::save_png;

use common::{Learned, json, lines, metrics, record, refused, skewfit, trials};
use process::{Asked, cart, told};

/// Pictures of the cart at places that it can reach, in a folder.
fn pictures(folder: &Path) -> String {
    fs::create_dir_all(folder).unwrap();
    for (i, at) in [[0.5, 0.5], [-0.6, 0.2], [0.0, -0.7], [0.9, -0.9], [-0.3, 0.8]].into_iter().enumerate() {
        save_png(&cart::picture(at, 48), &folder.join(format!("{}.png", ["e", "d", "c", "b", "a"][i]))).unwrap();
    }
    fs::write(folder.join("notes.txt"), "not a picture").unwrap();
    folder.display().to_string()
}

/// A short run that is checkpointed once, after its warm-up, so that a process which takes it up has much to learn again.
fn asked(folder: &str, joints: bool) -> Asked<'static> {
    let mut settings: Vec<String> =
        ["run.threads=1", "run.steps=700", "run.checkpoint_every_epochs=100", "skew.start_epoch=0"]
            .map(String::from)
            .into();
    settings.push(format!("evaluate.folder={folder:?}"));
    settings.extend(joints.then(|| "joints".to_owned()));
    Asked { settings, ..Asked::default() }
}

/// Steps of the process that takes up a run of which so many of the 14 episodes were committed. Evaluations are made again:
/// four attempts at the end of each of five epochs, and four at the end of the run.
fn steps_to_the_end(run: &Path, committed: usize) -> u64 {
    let at_its_end = common::checkpoints(run).last().is_some_and(|update| update == "00000250");
    50 * if at_its_end { 4 } else { 14 - committed as u64 + 24 }
}

#[test]
fn killed_anywhere_it_learns_the_same_and_no_episode_is_acted_again() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    let asked = asked(&folder, false);
    let whole = dir.path().join("whole");
    let end = asked.told(&whole);
    let one = Learned::of(&whole, &end);
    assert_eq!(end["steps"], 50 * (14 + 24));
    let (kills, begun) = (trials(20), Instant::now());
    let mut draws = skewfit::learn::rng::stream(12, "kills", &[]);
    let (mut killed, mut again) = (0, 0_u64);
    for trial in 0..kills {
        let run = dir.path().join(format!("run-{trial}"));
        let disk = format!("kill@disk:{}", draws.random_range(1..340));
        let beat = format!("kill@beat:{}", draws.random_range(1..400));
        let chaos = if trial.is_multiple_of(2) { &disk } else { &beat };
        let died = Asked { chaos, ..asked.clone() }.process(&run);
        let committed = lines(&run.join("episodes.jsonl"));
        if died.status.success() || !run.join("run.json").exists() {
            continue; // the run was over before, or had not begun
        }
        killed += 1;
        let steps = steps_to_the_end(&run, committed);
        let told = asked.told(&run);
        Learned::of(&run, &told).same(&one, chaos);
        assert_eq!(told["steps"], steps, "{chaos}: {committed} episodes were there");
        again += committed.saturating_sub(4) as u64; // those of the warm-up are behind its checkpoint
    }
    assert!(killed >= kills / 2 && again >= kills, "{killed} of {kills} killed, {again} episodes learned from again");
    record(("bare", 12), "kills of an environment that cannot be frozen: the bytes of a run not killed", kills, begun);
}

/// A device does nothing twice alike. What was learned is that of its episodes all the same.
#[test]
fn what_is_learned_is_a_function_of_the_episodes() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    let asked = asked(&folder, false).and("unrepeatable");
    let whole = dir.path().join("whole");
    let died = Asked { chaos: "kill@disk:260", ..asked.clone() }.process(&whole);
    assert!(!died.status.success());
    let before = fs::read_to_string(whole.join("episodes.jsonl")).unwrap();
    let one = Learned::of(&whole, &asked.told(&whole));
    assert!(one.journal.starts_with(&before) && before.lines().count() > 5, "{before}");
    let from_shards = dir.path().join("from-shards");
    common::killed_after("00000000", &whole, &from_shards);
    let told = asked.told(&from_shards);
    let other = Learned::of(&from_shards, &told);
    assert!(other.hash == one.hash && other.journal == one.journal && other.shards == one.shards);
    assert_eq!(told["steps"], 50 * 24, "evaluations alone");
}

/// Damage after the checkpoint: a shard, the newest checkpoint, the end of the journal.
#[test]
fn damage_is_told_and_what_is_sound_is_learned_from() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    let asked = asked(&folder, false);
    let whole = dir.path().join("whole");
    let one = Learned::of(&whole, &asked.told(&whole));

    let passed = dir.path().join("passed");
    common::copy(&whole, &passed);
    fs::remove_file(passed.join("summary.json")).unwrap();
    let told = asked.and("pass over").told(&passed);
    Learned::of(&passed, &told).same(&one, "the newest checkpoint passed over");
    assert_eq!(told["steps"], 50 * 24);

    let shard = dir.path().join("shard");
    common::killed_after("00000000", &whole, &shard);
    fs::write(shard.join("episodes/000007.h5"), "broken").unwrap();
    assert_eq!(asked.told(&shard)["summary"]["env_steps"], 700);
    let night = fs::read_to_string(shard.join("night.jsonl")).unwrap();
    assert!(night.contains("left out: episodes/000007.h5"), "{night}");

    let short = dir.path().join("short");
    common::copy(&whole, &short);
    fs::remove_file(short.join("summary.json")).unwrap();
    let kept: String = one.journal.split_inclusive('\n').take(9).collect();
    fs::write(short.join("episodes.jsonl"), &kept).unwrap();
    let before = common::files(&short);
    let told = asked.told(&short);
    assert_eq!((&told["code"], &told["steps"]), (&3.into(), &0.into()), "{told}");
    let mut after = common::files(&short);
    after.remove(Path::new("run.log"));
    assert!(after.iter().all(|(name, bytes)| before.get(name) == Some(bytes)), "refused, so unchanged");
}

#[test]
fn an_episode_that_was_left_out_leads_where_it_led() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    let asked = Asked { chaos: "nan-policy@episode:7", ..asked(&folder, false) };
    let whole = dir.path().join("whole");
    let one = Learned::of(&whole, &asked.told(&whole));
    assert!(one.journal.contains("\"left_out\":5"), "{}", one.journal);
    for at in [250, 280, 310] {
        let run = dir.path().join(at.to_string());
        let chaos = format!("nan-policy@episode:7,kill@disk:{at}");
        let died = Asked { chaos: &chaos, ..asked.clone() }.process(&run);
        assert!(!died.status.success(), "not killed at {at}");
        Learned::of(&run, &asked.told(&run)).same(&one, &format!("killed at change {at} of the disk"));
    }
}

#[test]
fn it_is_measured_by_its_pictures_or_its_joints() {
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

/// What the binary does with such a run: all that needs no cart.
#[test]
fn the_binary_reads_it_and_refuses_to_act() {
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
        let heading = if joints { "Coverage cells" } else { "Coverage entropy, by the pictures" };
        assert!(part.to_string().contains(heading) && part.to_string().contains("latent distance"), "{part}");
        served.end();
    }
}

#[test]
fn it_is_evaluated_on_a_folder_and_on_its_own_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    let run = dir.path().join("run");
    asked(&folder, false).told(&run);
    let others = dir.path().join("others");
    fs::create_dir(&others).unwrap();
    save_png(&cart::picture([0.1, 0.1], 30), &others.join("near.png")).unwrap();
    let told = evaluate::run_in(&run, &[others], None, &cart(false)).unwrap();
    assert_eq!(told["goals"].as_array().unwrap().len(), 1);
    assert!(told["goals"][0]["goal"].as_str().unwrap().ends_with("others/near.png"));
    fs::remove_dir_all(dir.path().join("pictures")).unwrap();
    let told = evaluate::run_in(&run, &[], None, &cart(false)).unwrap();
    let names: Vec<_> =
        told["goals"].as_array().unwrap().iter().map(|g| g["goal"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["000-a", "001-b", "002-c", "003-d"], "kept in the run");
    assert!(told["mean"]["latent_distance"].as_f64().unwrap() > 0.0 && told["success_rate"].is_null(), "{told}");
    assert!(run.join("eval/pictures/sheet.png").exists());
}

#[test]
fn its_faults_are_told_and_cost_no_committed_episode() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    let asked = asked(&folder, false);
    let whole = dir.path().join("whole");
    let one = Learned::of(&whole, &asked.told(&whole));
    for (fault, words) in [
        ("raised@30", "a joint is stuck"),
        ("lost@320", "the port has closed"),
        ("hung@333", "5 s"),
        ("range@640", "9.9 rad"),
        ("shape@401", "12 pixels a side"),
    ] {
        let run = dir.path().join(fault);
        let told = Asked { fault, ..asked.clone() }.told(&run);
        assert_eq!(told["code"], 4, "{told}");
        assert!(told["why"].as_str().unwrap().contains(words), "{told}");
        assert!(fs::read_to_string(run.join("STATUS.json")).unwrap().contains("failed"));
        let steps = steps_to_the_end(&run, lines(&run.join("episodes.jsonl")));
        let again = asked.told(&run);
        Learned::of(&run, &again).same(&one, fault);
        assert_eq!(again["steps"], steps, "{fault}");
        let log = fs::read_to_string(run.join("run.log")).unwrap();
        assert_eq!(log.contains("arm.py, line 7"), fault.starts_with("raised"), "{log}");
    }
    let taken = cart::Cart::new(24, false).unwrap();
    let refused = skewfit::run::explore::start_in(
        skewfit::config::Config::resolve("corridor-tiny", Vec::new()).unwrap(),
        &dir.path().join("none"),
        &[],
        &mut process::Quiet,
        &cart(false),
    );
    let refused = refused.unwrap_err();
    assert_eq!(refused.exit_code(), 2, "before there is a run: {refused}");
    assert!(refused.to_string().contains("somebody else has it") && !dir.path().join("none").exists(), "{refused}");
    drop(taken);
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
