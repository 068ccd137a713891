//! Power cuts: acknowledged data survive a power cut at any operation.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/episodes.rs"]
mod episodes;
mod recorder;

use std::collections::BTreeMap;
use std::fs as disk;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::{record, trials};
use episodes::{root, small};
use rand::{Rng as _, SeedableRng};
use recorder::{Log, Op, Recorder, changes, crash};
use skewfit::keep::checkpoint::{self, CheckpointContent, Retention};
use skewfit::keep::store::fs::{Fs, parent_of};
use skewfit::keep::store::{RUN_FILE, Store};
use skewfit::learn::nn::{ModelState, NamedTensor};
use skewfit::show::metrics::{self, MetricsCsv, MetricsRow};
use skewfit_envs::Rng;

/// The content of the files at some moment: episodes (salts of their ids), the newest checkpoint, rows of metrics.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    episodes: usize,
    checkpoint: Option<u64>,
    rows: usize,
}

fn snapshot(update: u64) -> CheckpointContent {
    let data = (0..400).map(|i| update as f32 + i as f32).collect();
    let params = vec![NamedTensor { name: "a".into(), shape: vec![400], data }];
    let models = ModelState { params, optimizer: vec![] };
    CheckpointContent { update, models, state: serde_json::json!({ "update": update }), env: vec![7; 600] }
}

/// Reads a state as the program does; panics if anything differs from what was written.
fn read(dir: &Path) -> Told {
    let Ok(store) = Store::open(dir) else {
        assert!(!dir.join(RUN_FILE).exists(), "{}", Store::open(dir).err().unwrap());
        return Told::default();
    };
    assert_eq!(store.verify().unwrap(), []);
    let sound = (0..store.lines().len() as u64).all(|id| store.episode(id).unwrap() == small(id));
    assert!(sound, "an episode is another one");
    let loaded = checkpoint::newest_sound(dir).unwrap();
    let checkpoint = loaded.map(|loaded| {
        assert_eq!(loaded.passed_over, [], "a checkpoint is there and damaged");
        assert_eq!(loaded.content, snapshot(loaded.content.update));
        loaded.content.update
    });
    let table = metrics::read(&dir.join("metrics.csv")).unwrap();
    let steps: Vec<u64> = (1..=table.env_steps.len() as u64).collect();
    assert_eq!(table.env_steps, steps);
    Told { episodes: store.lines().len(), checkpoint, rows: steps.len() }
}

/// A short run on `fs`. After each action: the length of the log and the content that must exist from then on.
fn life(fs: &Arc<dyn Fs>, dir: &Path, log: &Mutex<Log>) -> Vec<(usize, Told)> {
    let mut acks = vec![(0, Told::default())];
    let mut told = Told::default();
    let mut ack = |told: &Told| acks.push((log.lock().unwrap().ops.len(), told.clone()));
    let header = MetricsCsv::header(&["a".into()]);
    let mut store = Store::create_in(Arc::clone(fs), dir, root(), &[("metrics.csv", &header)]).unwrap();
    ack(&told);
    let mut csv = MetricsCsv::cut_back(Arc::clone(fs), &dir.join("metrics.csv"), vec!["a".into()], 0).unwrap();
    for round in 0..4 {
        for id in store.lines().len() as u64..3 * (round + 1) {
            store.commit(&small(id), 2 * (id + 1)).unwrap();
            told.episodes += 1;
            ack(&told);
        }
        checkpoint::save(&**fs, dir, &snapshot(100 * round), Retention { newest: 2, every_s: 0.0, protected: &[] })
            .unwrap();
        told.checkpoint = Some(100 * round);
        ack(&told);
        csv.append(&MetricsRow { env_steps: round + 1, values: [("a".into(), 0.5)].into() }).unwrap();
        told.rows += 1;
        ack(&told);
        if round == 2 {
            store.cut_back(5).unwrap();
            told.episodes = 5;
            ack(&told);
        }
    }
    acks
}

/// In each part, a state between two actions equals the state before or the state after.
#[test]
fn g2_a_power_cut_anywhere_leaves_what_was_acknowledged() {
    let begun = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(Mutex::new(Log::default()));
    let fs: Arc<dyn Fs> = Arc::new(Recorder { base: dir.path().join("run"), log: Arc::clone(&log) });
    let run = dir.path().join("run");
    let acks = life(&fs, &run, &log);
    let ops = std::mem::take(&mut log.lock().unwrap().ops);

    // The log is complete: replayed without a crash, it gives the files on the disk.
    let at = dir.path().join("replayed");
    lay(&at, &crash(&[ops.clone(), every_dir(&ops)].concat(), &mut Rng::seed_from_u64(0)));
    assert_eq!(read(&at), acks.last().unwrap().1);

    let trials = trials(600) as usize;
    let mut draws = Rng::seed_from_u64(2);
    for trial in 0..trials {
        let cut = if trial <= ops.len() { trial } else { draws.random_range(0..=ops.len()) };
        let state = crash(&ops[..cut], &mut draws);
        let at = dir.path().join("crashed");
        lay(&at, &state);
        let found =
            std::panic::catch_unwind(|| read(&at)).unwrap_or_else(|_| panic!("cut after {cut}: {:?}", ops.get(cut)));
        let before = acks.iter().rfind(|(length, _)| *length <= cut).unwrap().1.clone();
        let after = acks.iter().find(|(length, _)| *length > cut).map_or(before.clone(), |(_, told)| told.clone());
        let between = [before.episodes, after.episodes].contains(&found.episodes)
            && [before.checkpoint, after.checkpoint].contains(&found.checkpoint)
            && [before.rows, after.rows].contains(&found.rows);
        assert!(between, "cut after {cut}: {found:?} is neither {before:?} nor {after:?}");
        disk::remove_dir_all(&at).unwrap();
    }
    let what = "power cuts from the recorded operations of commits, cuts, checkpoints, rows: what was acknowledged is \
                there, nothing is silently wrong";
    record(("G2", 2), what, trials as u64, begun);
}

fn every_dir(ops: &[Op]) -> Vec<Op> {
    ops.iter().filter_map(changes).map(|dir| Op::SyncDir(dir.to_owned())).collect()
}

fn lay(dir: &Path, files: &BTreeMap<PathBuf, Vec<u8>>) {
    disk::create_dir_all(dir).unwrap();
    for (name, bytes) in files {
        let path = dir.join(name);
        disk::create_dir_all(parent_of(&path)).unwrap();
        disk::write(path, bytes).unwrap();
    }
}
