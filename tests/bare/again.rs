//! A run of the cart that is killed, damaged or failing is resumed and ends in the same bytes as an undisturbed run.

use std::fs;
use std::path::Path;
use std::time::Instant;

use rand::Rng as _;

use crate::common::{Learned, checkpoints, copy, files, killed_after, lines, record, trials};
use crate::process::{Asked, Quiet, cart};
use crate::{asked, cart as device, pictures};

/// Steps of the process that resumes a run with `committed` of its 14 episodes. It repeats the evaluations: four
/// attempts at the end of each of five epochs, and four at the end of the run.
fn steps_to_the_end(run: &Path, committed: usize) -> u64 {
    let at_its_end = checkpoints(run).last().is_some_and(|update| update == "00000250");
    50 * if at_its_end { 4 } else { 14 - committed as u64 + 24 }
}

#[test]
fn killed_anywhere_a_run_learns_the_same_and_repeats_no_episode() {
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
            continue; // the run had already ended, or had not begun
        }
        killed += 1;
        let steps = steps_to_the_end(&run, committed);
        let told = asked.told(&run);
        Learned::of(&run, &told).same(&one, chaos);
        assert_eq!(told["steps"], steps, "{chaos}: {committed} episodes were there");
        again += committed.saturating_sub(4) as u64; // the warm-up episodes come before its checkpoint
    }
    assert!(killed >= kills / 2 && again >= kills, "{killed} of {kills} killed, {again} episodes learned from again");
    record(("bare", 12), "kills of an environment that cannot be frozen: the bytes of a run not killed", kills, begun);
}

/// A device never repeats itself. Still, what was learned depends only on its episodes.
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
    killed_after("00000000", &whole, &from_shards);
    let told = asked.told(&from_shards);
    let other = Learned::of(&from_shards, &told);
    assert!(other.hash == one.hash && other.journal == one.journal && other.shards == one.shards);
    assert_eq!(told["steps"], 50 * 24, "evaluations alone");
}

/// Damage to what was written after the checkpoint: a shard, the newest checkpoint, the end of the journal.
#[test]
fn damage_is_reported_and_sound_episodes_are_learned_from() {
    let dir = tempfile::tempdir().unwrap();
    let folder = pictures(&dir.path().join("pictures"));
    let asked = asked(&folder, false);
    let whole = dir.path().join("whole");
    let one = Learned::of(&whole, &asked.told(&whole));

    let passed = dir.path().join("passed");
    copy(&whole, &passed);
    fs::remove_file(passed.join("summary.json")).unwrap();
    let told = asked.and("pass over").told(&passed);
    Learned::of(&passed, &told).same(&one, "the newest checkpoint passed over");
    assert_eq!(told["steps"], 50 * 24);

    let shard = dir.path().join("shard");
    killed_after("00000000", &whole, &shard);
    fs::write(shard.join("episodes/000007.h5"), "broken").unwrap();
    assert_eq!(asked.told(&shard)["summary"]["env_steps"], 700);
    let night = fs::read_to_string(shard.join("night.jsonl")).unwrap();
    assert!(night.contains("left out: episodes/000007.h5"), "{night}");

    let short = dir.path().join("short");
    copy(&whole, &short);
    fs::remove_file(short.join("summary.json")).unwrap();
    let kept: String = one.journal.split_inclusive('\n').take(9).collect();
    fs::write(short.join("episodes.jsonl"), &kept).unwrap();
    let before = files(&short);
    let told = asked.told(&short);
    assert_eq!((&told["code"], &told["steps"]), (&3.into(), &0.into()), "{told}");
    let mut after = files(&short);
    after.remove(Path::new("run.log"));
    assert!(after.iter().all(|(name, bytes)| before.get(name) == Some(bytes)), "refused, so unchanged");
}

#[test]
fn an_episode_that_was_left_out_is_left_out_again_after_a_kill() {
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
fn environment_faults_are_reported_and_lose_no_committed_episode() {
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
        ("shape@401", "12 x 12 pixels"),
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
    let taken = device::Cart::new(24, false).unwrap();
    let refused = skewfit::run::explore::start_in(
        skewfit::config::Config::resolve("corridor-tiny", Vec::new()).unwrap(),
        &dir.path().join("none"),
        &[],
        &mut Quiet,
        &cart(false),
    );
    let refused = refused.unwrap_err();
    assert_eq!(refused.exit_code(), 2, "before there is a run: {refused}");
    assert!(refused.to_string().contains("somebody else has it") && !dir.path().join("none").exists(), "{refused}");
    drop(taken);
}
