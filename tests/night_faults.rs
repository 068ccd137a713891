//! Unattended runs with disk errors and non-finite numbers: the run waits or leaves work out, and continues.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use common::{Learned, chaotic, json, night, record, refused, skewfit, stderr, trials, undisturbed, until};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use skewfit::keep::checkpoint;
use skewfit::keep::store::Store;

#[test]
fn g3_disk_errors_cost_time_and_nothing_else() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let one = undisturbed(dir.path());
    // From the first checkpoint on; a disk error at the beginning of a run is refused with a sentence instead.
    let first = 80;
    let (kinds, changes) = (["full", "eio", "short"], trials(5).min(100));
    for change in 0..changes {
        for kind in kinds {
            let step = (100 / changes).max(1);
            let fault = format!("{kind}@disk:{}+{}", first + change * step, 1 + change % 3);
            let run = dir.path().join("run");
            let output = chaotic(&run, &fault, &[]).output().unwrap();
            assert!(output.status.success() && !stderr(&output).contains("panicked"), "{fault}: {}", stderr(&output));
            Learned::of(&run, &json(&output)).same(&one, &fault);
            assert!(night(&run).contains(&"went-on".to_owned()), "{fault}: {:?}", night(&run));
            json(&skewfit("inspect", &run, &["--verify", "--json"]));
            fs::remove_dir_all(&run).unwrap();
        }
    }
    record(
        ("G3", 0),
        "no space, input/output error, short write at changes of the disk: it pauses, goes on, equal bytes",
        3 * changes,
        begun,
    );
}

#[test]
fn a_run_that_cannot_begin_says_so() {
    let dir = tempfile::tempdir().unwrap();
    for change in 1..20 {
        let run = dir.path().join(format!("{change}"));
        let output = chaotic(&run, &format!("full@disk:{change}+100000"), &[]).output().unwrap();
        if !run.join("run.json").exists() {
            refused(&output, 6, &["could not"]);
            continue;
        }
        panic!("it began on a disk that takes nothing");
    }
}

/// A run on its own file system of 40 MB, which is filled and emptied during the run.
#[test]
fn g3_a_run_waits_on_a_full_disk_until_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    let script = r#"
        set -e
        mount -t tmpfs -o size=40m none "$1"
        "$2" explore corridor-tiny --out "$1/run" --json --set run.threads=1 --set night.min_free_mb=0 \
            --set night.poll_s=0.05 --set run.steps=20000 > "$3/told" 2> "$3/said" &
        until [ -e "$1/run/checkpoints/last" ]; do kill -0 $! || exit 1; sleep 0.01; done
        head -c 100M /dev/zero > "$1/filler" 2> /dev/null || true
        for i in $(seq 600); do grep -q '"state": "paused"' "$1/run/STATUS.json" && break; sleep 0.05; done
        grep -c paused "$1/run/STATUS.json" > "$3/paused"
        rm "$1/filler"
        for i in $(seq 600); do grep -q '"state": "exploring"' "$1/run/STATUS.json" && break; sleep 0.05; done
        kill -TERM $!
        wait $!
        "$2" inspect "$1/run" --verify
    "#;
    let place = dir.path().join("disk");
    fs::create_dir(&place).unwrap();
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", script, "sh"]).arg(&place).arg(env!("CARGO_BIN_EXE_skewfit")).arg(dir.path());
    let allowed = Command::new("unshare").args(["-rm", "true"]).output().is_ok_and(|o| o.status.success());
    if !allowed {
        use std::io::Write;
        std::io::stderr()
            .write_all(b"g3_a_run_waits_on_a_full_disk SKIPPED: `unshare -rm` is not allowed here\n")
            .unwrap();
        return;
    }
    let output = command.output().unwrap();
    let said = fs::read_to_string(dir.path().join("said")).unwrap_or_default();
    assert!(output.status.success(), "{}\n{said}", stderr(&output));
    assert_eq!(fs::read_to_string(dir.path().join("paused")).unwrap().trim(), "1", "{said}");
    assert!(fs::read_to_string(dir.path().join("told")).unwrap().contains("params_blake3"), "{said}");
}

/// Asserts that every number in the files of a run is finite.
fn all_is_finite(run: &Path) {
    let snapshot = checkpoint::newest_sound(run).unwrap().unwrap().content;
    let tensors = snapshot.models.params.iter().chain(&snapshot.models.optimizer);
    assert!(tensors.flat_map(|t| &t.data).all(|x| x.is_finite()));
    let store = Store::read_only(run).unwrap();
    for line in store.lines() {
        let episode = store.episode(line.id).unwrap();
        assert!(episode.actions.iter().chain(&episode.goal.latent).all(|x| x.is_finite()));
        assert!(episode.states.iter().all(|x| x.is_finite()));
    }
}

#[test]
fn g14_non_finite_numbers_leave_no_trace() {
    let (dir, begun) = (tempfile::tempdir().unwrap(), Instant::now());
    let mut draws = ChaCha8Rng::seed_from_u64(14);
    let (runs, each) = (trials(40).div_ceil(20), 20);
    for number in 0..runs {
        let one = |_| {
            let update = draws.random_range(0..400);
            match draws.random_range(0..8) {
                0 => format!("nan-reward@update:{update}"),
                1 => format!("nan-latent@update:{update}"),
                2 => format!("nan-action@update:{update}"),
                3 => format!("nan-noise@vae:{}", update / 10),
                4 => format!("nan-density@refresh:{}", 1 + update / 50),
                5 => format!("nan-policy@update:{update}"),
                6 => format!("nan-critic@update:{update}"),
                _ => format!("nan-policy@episode:{}", update / 20),
            }
        };
        let faults = (0..each).map(one).collect::<Vec<_>>().join(",");
        let [run, twin] = ["run", "twin"].map(|name| dir.path().join(format!("{name}{number}")));
        let output = chaotic(&run, &faults, &[]).output().unwrap();
        let said = stderr(&output);
        assert!([Some(0), Some(70)].contains(&output.status.code()) && !said.contains("panicked"), "{faults}: {said}");
        all_is_finite(&run);
        json(&skewfit("inspect", &run, &["--verify", "--json"]));
        assert!(night(&run).iter().any(|event| event == "skipped"), "{faults}");
        // The same faults give the same run.
        let again = chaotic(&twin, &faults, &[]).output().unwrap();
        assert_eq!((output.status.code(), night(&run)), (again.status.code(), night(&twin)), "{faults}");
        if output.status.success() {
            Learned::of(&twin, &json(&again)).same(&Learned::of(&run, &json(&output)), &faults);
        }
    }
    record(
        ("G14", 14),
        "injections into reward, latent, action, gradient, density, policy, critic: all numbers in all files are finite, and a repetition gives the same run",
        runs * each,
        begun,
    );
}

#[test]
fn g14_the_rungs_are_reached_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let reached = |name: &str, faults: &str, code: i32| {
        let run = dir.path().join(name);
        let output = chaotic(&run, faults, &[]).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        (night(&run).join(" "), fs::read_to_string(run.join("night.jsonl")).unwrap())
    };
    assert_eq!(reached("skip", "nan-reward@update:120", 0).0, "began skipped done");
    let (events, account) = reached("back", "nan-policy@update:150", 0);
    assert_eq!(events, "began skipped skipped skipped skipped rolled-back done");
    assert!(account.contains("back to checkpoint 00000150, learning rate halved (1 times)"), "{account}");
    assert_eq!(reached("encoder", "nan-encoder@vae:20", 0).0, events);
    assert_eq!(reached("acting", "nan-policy@episode:9", 0).0, events);
    assert_eq!(reached("first", "nan-policy@episode:0", 0).0, events, "before there is anything in replay");
    let (events, account) = reached("previous", "nan-reward@update:60+20", 0);
    assert_eq!(events.matches("rolled-back").count(), 4);
    assert!(
        account.contains("checkpoint 00000050, learning rate halved (3")
            && account.contains("checkpoint 00000000, learning rate halved (4"),
        "{account}"
    );
    let (events, account) = reached("end", "nan-reward@update:60+1000", 70);
    assert!(events.ends_with("skipped failed") && account.contains("every checkpoint led back to it"), "{account}");
}

/// A run continues when nobody reads its stderr any more, for example after its terminal was closed.
#[test]
fn a_closed_stderr_does_not_end_a_run() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = chaotic(&dir.path().join("run"), "nan-reward@update:120,eio@disk:200", &[]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    json(&child.wait_with_output().unwrap());
    assert_eq!(night(&dir.path().join("run")).iter().filter(|e| *e == "skipped" || *e == "paused").count(), 2);
}

#[test]
fn invalid_faults_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    refused(
        &chaotic(&dir.path().join("run"), "sink@ship:1", &[]).output().unwrap(),
        2,
        &["SKEWFIT_CHAOS", "`sink@ship:1`"],
    );
}

/// `pause` makes a run wait; after `run` it ends in the same bytes as a run that never paused; `stop` ends it.
#[test]
fn a_run_obeys_pause_run_and_stop() {
    let dir = tempfile::tempdir().unwrap();
    let [run, whole] = ["run", "whole"].map(|name| dir.path().join(name));
    let one = json(&chaotic(&whole, "", &["run.steps=3000"]).output().unwrap());
    let mut command = chaotic(&run, "", &["run.steps=3000"]);
    let mut child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    let ask = |word: &str| fs::write(run.join("control"), word).unwrap();
    let status = || fs::read_to_string(run.join("STATUS.json")).unwrap_or_default();
    until("it runs", || run.join("checkpoints/last").exists());
    ask("pause");
    until("it pauses", || status().contains("\"paused\""));
    let before = common::lines(&run.join("episodes.jsonl"));
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(common::lines(&run.join("episodes.jsonl")), before);
    assert!(child.try_wait().unwrap().is_none());
    ask("run");
    let told = json(&child.wait_with_output().unwrap());
    Learned::of(&run, &told).same(&Learned::of(&whole, &one), "paused");
    let account = night(&run).join(" ");
    assert_eq!(account, "began paused went-on done");

    let stopped = dir.path().join("stopped");
    let child = chaotic(&stopped, "", &["run.steps=100000"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until("it runs", || stopped.join("checkpoints/last").exists());
    fs::write(stopped.join("control"), "stop\n").unwrap();
    let told = json(&child.wait_with_output().unwrap());
    assert!(told["env_steps"].as_u64() < Some(100_000) && stopped.join("REPORT.md").exists());
    assert_eq!(night(&stopped).join(" "), "began stopped");
    // A resumed run ignores the earlier request.
    let more = json(&skewfit(
        "resume",
        &stopped,
        &["--json", "--steps", &(told["env_steps"].as_u64().unwrap() + 200).to_string()],
    ));
    assert!(more["env_steps"].as_u64() > told["env_steps"].as_u64());
}
