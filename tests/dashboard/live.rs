//! A page beside a live run: what it shows, that it does not change the run, and its port.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;
use skewfit::keep::store::Store;

use crate::common::{json, refused, skewfit, stderr, until};
use crate::served::{FINISHED, Served, events};

#[test]
fn a_live_run_shows_pictures_and_curves() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let served = Served::explore(&run, &["run.steps=1000000"]);
    let mut seen = std::collections::BTreeMap::new();
    for (part, told) in events(&served) {
        seen.insert(part, told);
        let drawn = |figure: &Value| figure["line"].as_array().unwrap().len() > 1;
        let curves = seen.get("curves").is_some_and(|c| c["figures"].as_array().unwrap().iter().all(drawn));
        let health = seen.get("health").is_some_and(|health| health["memory_mb"].is_number()); // known after an epoch
        if curves && health && seen.get("episodes").is_some_and(|e| e.as_array().unwrap().len() == 7) && seen.len() == 4
        {
            break;
        }
    }
    let told = &seen["run"];
    assert_eq!(
        (&told["state"], &told["asked"], &told["steps_total"]),
        (&"exploring".into(), &"run".into(), &1_000_000.into())
    );
    assert!(
        seen["health"]["disk_free_bytes"].as_u64().unwrap() > 0 && seen["health"]["memory_mb"].as_f64().unwrap() > 1.0
    );
    let headings: Vec<_> =
        seen["curves"]["figures"].as_array().unwrap().iter().map(|f| f["heading"].as_str().unwrap()).collect();
    let coverage = ["Reachable cells reached", "Gap to uniform coverage"];
    let want = [&coverage[..], &["Final distance", "Success rate", "Critic loss", "VAE loss"]].concat();
    assert_eq!(headings, want);

    // The newest values now, because the run continues.
    let fresh = || events(&served).find_map(|(part, told)| (part == "episodes").then_some(told));
    until("a picture that is the shard's", || {
        let Some(told) = fresh() else { return false }; // a slow machine
        let newest = told.as_array().unwrap().last().unwrap().clone();
        let picture = |which: &str| {
            let path = format!("GET /pictures/{}/{which}", newest["name"].as_str().unwrap());
            let answer = served.ask(&path, &served.ours());
            fs::write(dir.path().join(which), &answer.body).unwrap();
            (answer.status == 200)
                .then(|| skewfit::show::pictures::load_goal(&dir.path().join(which), 24).unwrap().pixels)
        };
        let Some(pictures) = picture("goal").zip(picture("reached")) else { return false }; // seven later pictures have replaced these
        let episode = Store::read_only(&run).unwrap().episode(newest["id"].as_u64().unwrap()).unwrap();
        assert!(pictures.0 == episode.goal.picture && pictures.1 == episode.frame(episode.steps()));
        assert_eq!(newest["goal_source"], episode.goal.origin.name());
        true
    });
    assert_eq!(served.ask("POST /control/pause", &served.ours()).status, 200);
    let log = fs::read_to_string(run.join("run.log")).unwrap();
    assert!(!log.contains(&served.key) && !served.said.contains(&served.key));
}

#[test]
fn a_page_does_not_change_what_is_learned() {
    let dir = tempfile::tempdir().unwrap();
    let run = dir.path().join("run");
    let served = Served::explore(&run, &["run.steps=500"]);
    let watched = events(&served).count();
    let Served { live, mut stderr, mut said, key, .. } = served;
    stderr.read_to_string(&mut said).unwrap();
    let told = json(&live.end());
    let alone: Value = serde_json::from_slice(&fs::read(FINISHED.path().join("run/summary.json")).unwrap()).unwrap();
    assert!(watched > 0 && told["params_blake3"] == alone["params_blake3"], "{watched} events");
    assert!(!said.contains(&key));
    // The run has ended; the page can still be read, until the process is stopped.
    let served = Served::run(&run);
    let told = events(&served).find_map(|(part, told)| (part == "run").then_some(told)).unwrap();
    assert_eq!((&told["state"], &told["env_steps"]), (&"done".into(), &500.into()));
    served.end();
}

#[test]
fn a_port_that_is_taken_is_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let finished = FINISHED.path().join("run");
    refused(&skewfit("serve", &finished, &["--port", &port]), 2, &[&port, "127.0.0.1", "another port"]);
    refused(&skewfit("resume", &finished, &["--serve", &port]), 2, &[&port, "another port"]);
    let new = dir.path().join("new");
    let args = ["corridor-tiny", "--out", new.to_str().unwrap(), "--serve", &port];
    refused(&skewfit("explore", Path::new(args[0]), &args[1..]), 2, &[&port, "another port"]);
    assert!(!new.exists() && !finished.join("serve.token").exists());
    refused(&skewfit("serve", dir.path(), &["--port", "0"]), 2, &["is not a run"]);
    assert!(stderr(&skewfit("serve", dir.path(), &["--help"])).is_empty());
}
