//! Power cuts. A disk that keeps a record of every operation, and from it the states in which a crash may leave the files:
//! names whose directory was not synced may be there or not, each by itself; bytes that were not synced may be lost from
//! any sector on, or read as zeros.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // helpers of tests, outside of a #[test]

mod common;
#[path = "common/episodes.rs"]
mod episodes;

use std::collections::BTreeMap;
use std::fs::{self as disk, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::{record, trials};
use episodes::{root, small};
use rand::{Rng as _, SeedableRng};
use skewfit::keep::checkpoint::{self, Keep, NamedTensor, Snapshot};
use skewfit::keep::store::fs::{DiskFs, Durable, Fs, parent_of};
use skewfit::keep::store::{RUN_FILE, Store};
use skewfit::show::metrics::{self, MetricsCsv, Row};
use skewfit_envs::Rng;

/// Bytes that are written at once or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
enum Op {
    MakeDir(PathBuf),
    Create(PathBuf, usize),
    Write(usize, Vec<u8>),
    Sync(usize),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncDir(PathBuf),
}

#[derive(Default)]
struct Log {
    ops: Vec<Op>,
    files: usize,
    open: BTreeMap<PathBuf, usize>,
}

/// The real disk, with a record.
struct Recorder {
    base: PathBuf,
    log: Arc<Mutex<Log>>,
}

struct Recorded {
    file: File,
    number: usize,
    log: Arc<Mutex<Log>>,
}

impl Recorder {
    fn note(&self, op: Op) {
        self.log.lock().unwrap().ops.push(op);
    }

    fn below(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.base).unwrap_or(Path::new("")).to_owned()
    }
}

impl Durable for Recorded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.log.lock().unwrap().ops.push(Op::Write(self.number, bytes.to_vec()));
        self.file.write_all(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.log.lock().unwrap().ops.push(Op::Sync(self.number));
        Ok(())
    }
}

impl Fs for Recorder {
    fn make_dir(&self, dir: &Path) -> io::Result<()> {
        self.note(Op::MakeDir(self.below(dir)));
        DiskFs.make_dir(dir)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn Durable>> {
        let file = File::create_new(path)?;
        let mut log = self.log.lock().unwrap();
        let number = log.files;
        log.files += 1;
        log.open.insert(path.to_owned(), number);
        log.ops.push(Op::Create(self.below(path), number));
        Ok(Box::new(Recorded { file, number, log: Arc::clone(&self.log) }))
    }
    fn extend(&self, path: &Path) -> io::Result<Box<dyn Durable>> {
        let file = File::options().append(true).open(path)?;
        let number = self.log.lock().unwrap().open[path];
        Ok(Box::new(Recorded { file, number, log: Arc::clone(&self.log) }))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note(Op::Rename(self.below(from), self.below(to)));
        let mut log = self.log.lock().unwrap();
        let moved: Vec<_> = log.open.keys().filter(|p| p.starts_with(from)).cloned().collect();
        for path in moved {
            let number = log.open.remove(&path).unwrap();
            let rest = path.strip_prefix(from).unwrap();
            let now = if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) };
            log.open.insert(now, number);
        }
        DiskFs.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        if path.symlink_metadata().is_ok() {
            self.note(Op::Remove(self.below(path)));
        }
        DiskFs.remove(path)
    }
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.note(Op::SyncDir(self.below(dir)));
        Ok(())
    }
    fn reserve(&self, _: &Path, _: u64) -> io::Result<()> {
        Ok(())
    }
}

/// Directory that an operation on names changes.
fn changes(op: &Op) -> Option<&Path> {
    match op {
        Op::MakeDir(path) | Op::Create(path, _) | Op::Remove(path) => Some(path.parent().unwrap_or(Path::new(""))),
        Op::Rename(_, to) => Some(to.parent().unwrap_or(Path::new(""))),
        _ => None,
    }
}

/// One state that a crash after `ops` may leave: files below the run's directory with their bytes.
fn crash(ops: &[Op], draws: &mut Rng) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut names: BTreeMap<PathBuf, Option<usize>> = BTreeMap::new(); // None: a directory
    for (i, op) in ops.iter().enumerate() {
        let Some(dir) = changes(op) else { continue };
        let durable = ops[i..].iter().any(|later| matches!(later, Op::SyncDir(synced) if synced == dir));
        if !durable && draws.random_bool(0.5) {
            continue;
        }
        match op {
            Op::MakeDir(path) => drop(names.insert(path.clone(), None)),
            Op::Create(path, number) => drop(names.insert(path.clone(), Some(*number))),
            Op::Remove(path) => names.retain(|name, _| !name.starts_with(path)),
            Op::Rename(from, to) => {
                let moved: Vec<_> =
                    names.iter().filter(|(n, _)| n.starts_with(from)).map(|(n, k)| (n.clone(), *k)).collect();
                if !moved.is_empty() {
                    names.retain(|name, _| !name.starts_with(from) && !name.starts_with(to));
                }
                for (name, what) in moved {
                    let rest = name.strip_prefix(from).unwrap();
                    let now = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
                    names.insert(now, what);
                }
            }
            _ => {}
        }
    }
    let files = names.into_iter().filter_map(|(name, number)| Some((name, content(ops, number?, draws))));
    files.collect()
}

/// Bytes of file `number` after a crash.
fn content(ops: &[Op], number: usize, draws: &mut Rng) -> Vec<u8> {
    let (mut bytes, mut synced) = (Vec::new(), 0);
    for op in ops {
        match op {
            Op::Write(n, more) if *n == number => bytes.extend(more),
            Op::Sync(n) if *n == number => synced = bytes.len(),
            _ => {}
        }
    }
    if bytes.len() > synced {
        // Each sector of what was not synced may be there or not; the file may have its new length all the same.
        let sectors = (bytes.len() - synced).div_ceil(SECTOR) + 1;
        let kept = (synced / SECTOR * SECTOR + draws.random_range(0..=sectors) * SECTOR).clamp(synced, bytes.len());
        match draws.random_range(0..3) {
            0 => bytes.truncate(kept),
            1 => bytes[kept..].fill(0),
            _ => {
                let first = synced / SECTOR * SECTOR;
                for at in (first..bytes.len()).step_by(SECTOR) {
                    if draws.random_bool(0.5) {
                        let end = (at + SECTOR).min(bytes.len());
                        bytes[at.max(synced)..end].fill(0);
                    }
                }
            }
        }
    }
    bytes
}

/// What the files say at some moment: episodes (salts of their ids), the newest checkpoint, rows of metrics.
#[derive(Clone, Debug, Default, PartialEq)]
struct Told {
    episodes: usize,
    checkpoint: Option<u64>,
    rows: usize,
}

fn snapshot(update: u64) -> Snapshot {
    let data = (0..400).map(|i| update as f32 + i as f32).collect();
    let params = vec![NamedTensor { name: "a".into(), shape: vec![400], data }];
    Snapshot { update, params, optimizer: vec![], state: serde_json::json!({ "update": update }), env: vec![7; 600] }
}

/// Reads a state as the program does; panics where anything is not what was once written.
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
        assert_eq!(loaded.snapshot, snapshot(loaded.snapshot.update));
        loaded.snapshot.update
    });
    let table = metrics::read(&dir.join("metrics.csv")).unwrap();
    let steps: Vec<u64> = (1..=table.env_steps.len() as u64).collect();
    assert_eq!(table.env_steps, steps);
    Told { episodes: store.lines().len(), checkpoint, rows: steps.len() }
}

/// A short life of a run on `fs`; after each thing done, the length of the record and what must be there from then on.
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
        checkpoint::save(&**fs, dir, &snapshot(100 * round), Keep { newest: 2, every_s: 0.0, spared: &[] }).unwrap();
        told.checkpoint = Some(100 * round);
        ack(&told);
        csv.append(&Row { env_steps: round + 1, values: [("a".into(), 0.5)].into() }).unwrap();
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

/// Any state between two things done is the one before or the one after, in each part.
#[test]
fn g2_a_power_cut_anywhere_leaves_what_was_acknowledged() {
    let begun = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(Mutex::new(Log::default()));
    let fs: Arc<dyn Fs> = Arc::new(Recorder { base: dir.path().join("run"), log: Arc::clone(&log) });
    let run = dir.path().join("run");
    let acks = life(&fs, &run, &log);
    let ops = std::mem::take(&mut log.lock().unwrap().ops);

    // The record is whole: replayed without a crash it is what lies on the disk.
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
