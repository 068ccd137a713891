use std::fs as disk;
use std::os::unix::fs::FileExt;

use hdf5::{AttrValue, FileBuilder};
use proptest::prelude::*;
use skewfit_envs::Ending;

use super::faulty::FaultyFs;
use super::fs::enough_disk;
use super::*;
use crate::learn::episode::GoalOrigin;

pub(super) fn root() -> ShardRoot {
    ShardRoot { run_id: "00112233aabbccdd".into(), seed: u64::MAX, env: "door".into() }
}

/// An episode with every array filled, different for each (id, salt).
fn episode(id: u64, salt: u8, [steps, side, proprio, action, latent, states]: [usize; 6]) -> Episode {
    let bytes = |n: usize| (0..n).map(|i| (i as u8).wrapping_mul(37) ^ salt ^ id as u8).collect::<Vec<_>>();
    let reals = |n: usize| (0..n).map(|i| (i as f32 - 1.5) / 7.0 + f32::from(salt)).collect::<Vec<_>>();
    Episode {
        id,
        image_size: side,
        frames: bytes((steps + 1) * side * side * 3),
        proprio: reals((steps + 1) * proprio),
        proprio_dim: proprio,
        actions: reals(steps * action),
        action_dim: action,
        goal_image: bytes(side * side * 3),
        goal_latent: reals(latent),
        goal_origin: [GoalOrigin::Prior, GoalOrigin::Replay, GoalOrigin::SkewedReplay][id as usize % 3],
        states: reals((steps + 1) * states).into_iter().map(|x| f64::from(x) / 3.0).collect(),
        state_names: (0..states).map(|i| format!("Gelenk_{i}_\u{b0}")).collect(),
        ending: if id.is_multiple_of(2) { Ending::Truncated } else { Ending::Terminated },
    }
}

pub(super) fn small(id: u64) -> Episode {
    episode(id, 0, [2, 2, 1, 2, 2, 2])
}

/// A run with `n` small episodes.
pub(crate) fn run(dir: &Path, n: u64) -> Store {
    let mut store = Store::create(dir, root()).unwrap();
    for id in 0..n {
        assert_eq!(store.commit(&small(id), 2 * (id + 1)).unwrap(), Committed { diverged: false });
    }
    store
}

fn files(dir: &Path) -> Vec<String> {
    let inside = |part: &str| names_in(&DiskFs, &dir.join(part)).unwrap();
    [inside(""), inside("episodes")].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_encoded_is_decoded(id: u64, salt: u8, seed: u64, shape in (1..4_usize, 1..4_usize, 0..3_usize, 1..3_usize, 1..4_usize, 0..3_usize)) {
        let episode = episode(id, salt, shape.into());
        let root = ShardRoot { seed, ..root() };
        let bytes = shard::encode(&episode, &root).unwrap();
        prop_assert_eq!(&shard::encode(&episode, &root).unwrap(), &bytes);
        prop_assert_eq!(shard::decode(&bytes).unwrap(), (episode, root));
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(matches!(shard::decode(&bytes), Err(Error::Damaged(_))));
        let _ = journal::parse(&bytes);
    }
}

#[test]
fn damaged_shards_are_parsed_without_a_panic() {
    let bytes = shard::encode(&small(0), &root()).unwrap();
    for cut in 0..bytes.len() {
        assert!(shard::decode(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    for i in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[i] ^= 1 << (i % 8);
        let _ = shard::decode(&flipped); // payload bits are the hash's business
    }
}

#[test]
fn arrays_that_do_not_fit_together_are_refused() {
    let check = |change: &dyn Fn(&mut Episode)| {
        let mut bad = small(0);
        change(&mut bad);
        assert!(matches!(shard::encode(&bad, &root()), Err(Error::Usage(_))), "{bad:?}");
    };
    check(&|e| e.frames.truncate(1));
    check(&|e| e.proprio.truncate(1));
    check(&|e| e.actions.truncate(1));
    check(&|e| e.goal_image.truncate(1));
    check(&|e| e.states.truncate(1));
    check(&|e| e.goal_latent.clear());
    check(&|e| e.actions.clear());
    check(&|e| e.action_dim = 0);
    check(&|e| e.image_size = usize::MAX);
}

#[test]
fn newer_formats_are_refused_with_a_sentence() {
    let mut file = FileBuilder::new();
    file.set_attr("format_version", AttrValue::U64(shard::FORMAT_VERSION + 1));
    let newer_shard = shard::decode(&file.finish().unwrap()).unwrap_err();

    let dir = tempfile::tempdir().unwrap();
    drop(run(dir.path(), 1));
    let newer = seal(&RunFile { format_version: FORMAT_VERSION + 1, root: root() }).unwrap();
    disk::write(dir.path().join(RUN_FILE), newer).unwrap();
    let newer_run = Store::open(dir.path()).err().unwrap();
    for refused in [newer_shard, newer_run] {
        assert!(matches!(&refused, Error::Usage(why) if why.contains("use the newer skewfit")), "{refused}");
    }
}

#[test]
fn a_run_reads_back_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("results/door/1");
    drop(run(&inner, 3));
    let store = Store::open(&inner).unwrap();
    assert_eq!((store.root(), store.damaged(), store.verify()), (&root(), &[][..], vec![]));
    assert_eq!(store.lines().iter().map(|l| (l.id, l.env_steps_end)).collect::<Vec<_>>(), [(0, 2), (1, 4), (2, 6)]);
    for id in 0..3 {
        assert_eq!(store.episode(id).unwrap(), small(id));
    }
    assert!(matches!(store.episode(3), Err(Error::Usage(_))));
    let journal = disk::read_to_string(inner.join(journal::FILE)).unwrap();
    let first: serde_json::Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    assert_eq!((&first["goal_source"], &first["ending"]), (&"prior".into(), &"truncated".into()));
}

#[test]
fn only_the_next_episode_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = run(dir.path(), 1);
    for id in [0, 2] {
        assert!(matches!(store.commit(&small(id), 9), Err(Error::Misuse(_))));
    }
}

#[test]
fn directories_that_are_not_runs_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let says = |refused: Option<Error>, word: &str| {
        let refused = refused.unwrap();
        assert!(matches!(&refused, Error::Usage(why) if why.contains(word)), "{refused}");
    };
    says(Store::open(dir.path()).err(), "run.json");
    says(Store::read_only(&dir.path().join("absent")).err(), "absent is not a run");
    assert_eq!(files(dir.path()), Vec::<String>::new());
    drop(run(dir.path(), 0));
    says(Store::create(dir.path(), root()).err(), "run.json");
    disk::remove_file(dir.path().join(RUN_FILE)).unwrap();
    drop(run(dir.path(), 1)); // a create cut short is begun anew
    disk::remove_file(dir.path().join(RUN_FILE)).unwrap();
    says(Store::create(dir.path(), root()).err(), "000000.h5");
}

#[test]
fn one_process_writes_and_any_number_read() {
    let dir = tempfile::tempdir().unwrap();
    let store = run(dir.path(), 1);
    assert!(matches!(Store::open(dir.path()), Err(Error::Busy(_))));
    let mut reader = Store::read_only(dir.path()).unwrap();
    assert_eq!(reader.episode(0).unwrap(), small(0));
    assert!(matches!(reader.commit(&small(1), 4), Err(Error::Misuse(_))));
    drop(store);
    assert!(Store::open(dir.path()).is_ok());
}

#[test]
fn cut_back_episodes_are_compared_when_they_come_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = run(dir.path(), 3);
    assert!(matches!(store.cut_back(4), Err(Error::Damaged(_))));
    store.cut_back(1).unwrap();
    drop(store);
    let mut store = Store::open(dir.path()).unwrap();
    assert_eq!(store.lines().len(), 1);
    assert_eq!(store.commit(&small(1), 4).unwrap(), Committed { diverged: false });
    let other = episode(2, 1, [2, 2, 1, 2, 2, 2]);
    assert_eq!(store.commit(&other, 6).unwrap(), Committed { diverged: true });
    assert_eq!((store.episode(2).unwrap(), store.verify()), (other, vec![]));
}

/// `found`, called with a bit of each byte of the file at `path` flipped in turn, must name that file.
fn flip_each_byte(path: &Path, found: impl Fn() -> String) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let file = File::options().write(true).open(path).unwrap();
    for (i, byte) in disk::read(path).unwrap().into_iter().enumerate() {
        file.write_all_at(&[byte ^ 1 << (i % 8)], i as u64).unwrap();
        let found = found();
        assert!(found.contains(name), "{name} byte {i}: `{found}`");
        file.write_all_at(&[byte], i as u64).unwrap();
    }
}

#[test]
fn a_flipped_bit_is_found_by_name() {
    let dir = tempfile::tempdir().unwrap();
    drop(run(dir.path(), 3));
    let opened = || Store::read_only(dir.path());
    let store = opened().unwrap();
    flip_each_byte(&dir.path().join("episodes/000001.h5"), || store.episode(1).unwrap_err().to_string());
    flip_each_byte(&dir.path().join(journal::FILE), || opened().unwrap().damaged()[0].to_string());
    flip_each_byte(&dir.path().join(RUN_FILE), || opened().err().unwrap().to_string());
    assert!(opened().unwrap().verify().is_empty());
    disk::write(dir.path().join("episodes/000000.h5"), "").unwrap();
    disk::remove_file(dir.path().join("episodes/000001.h5")).unwrap();
    let files = store.verify().into_iter().map(|damage| damage.file).collect::<Vec<_>>();
    assert_eq!(files, ["episodes/000000.h5", "episodes/000001.h5"]);
}

#[test]
fn a_shard_of_another_run_or_episode_is_found() {
    let dir = tempfile::tempdir().unwrap();
    drop(run(dir.path(), 2));
    let other = shard::encode(&small(1), &ShardRoot { seed: 1, ..root() }).unwrap();
    let mut lines = Store::read_only(dir.path()).unwrap().lines;
    lines[1].blake3 = blake3::hash(&other).to_string();
    disk::write(dir.path().join(&lines[1].file), other).unwrap();
    disk::write(dir.path().join(journal::FILE), journal::format(&lines).unwrap()).unwrap();
    let found = Store::read_only(dir.path()).unwrap().verify();
    assert_eq!(found.iter().map(|d| d.file.as_str()).collect::<Vec<_>>(), ["episodes/000001.h5"]);
}

#[test]
fn a_journal_cut_anywhere_loses_its_last_line_alone() {
    let dir = tempfile::tempdir().unwrap();
    drop(run(dir.path(), 3));
    let path = dir.path().join(journal::FILE);
    let whole = disk::read(&path).unwrap();
    let lines = journal::parse(&whole).lines;
    for cut in 0..=whole.len() {
        let sound = whole[..cut].iter().filter(|&&b| b == b'}').count();
        let zeros = [&whole[..cut], &[0; 9]].concat(); // a file grown by a write that never came
        for bytes in [&whole[..cut], &zeros] {
            let journal = journal::parse(bytes);
            assert_eq!((&journal.lines[..], journal.damage), (&lines[..sound], vec![]), "cut at {cut}");
        }
        if cut % 50 == 0 {
            disk::write(&path, &zeros).unwrap();
            let mut store = Store::open(dir.path()).unwrap();
            assert!(!store.commit(&small(sound as u64), 2 * (sound as u64 + 1)).unwrap().diverged || sound == 3);
            drop(store);
            assert_eq!(journal::parse(&disk::read(&path).unwrap()).damage, []);
        }
    }
}

#[test]
fn a_journal_is_made_anew_from_the_shards() {
    let dir = tempfile::tempdir().unwrap();
    drop(run(dir.path(), 4));
    let path = dir.path().join(journal::FILE);
    let whole = disk::read(&path).unwrap();
    for broken in [None, Some(&b"{}\n"[..]), Some(b""), Some(&whole[..whole.len() / 2])] {
        match broken {
            None => disk::remove_file(&path).unwrap(),
            Some(bytes) => disk::write(&path, bytes).unwrap(),
        }
        assert_eq!(Store::rebuild_journal(&DiskFs, dir.path()).unwrap(), 4);
        assert!(disk::read(&path).unwrap() == whole);
        let old = disk::read(dir.path().join("episodes.jsonl.old")).unwrap();
        assert!(old == broken.unwrap_or_default());
    }
    // Beyond a shard that is damaged, gone or another run's, nothing is known; a sound journal is not given up for less.
    let third = dir.path().join(journal::shard_file(2));
    let other = shard::encode(&small(2), &ShardRoot { seed: 1, ..root() }).unwrap();
    disk::write(&third, other).unwrap();
    assert!(matches!(Store::rebuild_journal(&DiskFs, dir.path()), Err(Error::Damaged(why)) if why.contains("holds 4")));
    assert!(disk::read(&path).unwrap() == whole);
    disk::remove_file(&path).unwrap();
    assert_eq!(Store::rebuild_journal(&DiskFs, dir.path()).unwrap(), 2);
    // A shard that is whole and not the one that was committed is contradicted by the journal that knows.
    disk::write(&path, &whole).unwrap();
    disk::write(&third, shard::encode(&episode(2, 1, [2, 2, 1, 2, 2, 2]), &root()).unwrap()).unwrap();
    assert!(Store::rebuild_journal(&DiskFs, dir.path()).is_err());
    let held = Store::open(dir.path()).unwrap();
    assert!(matches!(Store::rebuild_journal(&DiskFs, dir.path()), Err(Error::Busy(_))));
    drop(held);
}

#[test]
fn a_malformed_line_is_named_and_writing_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(run(dir.path(), 3));
    let path = dir.path().join(journal::FILE);
    let text = disk::read_to_string(&path).unwrap();
    disk::write(&path, text.replacen("\"steps\":2", "\"steps\":3", 2)).unwrap();
    let store = Store::read_only(dir.path()).unwrap();
    assert_eq!(store.lines().iter().map(|l| l.id).collect::<Vec<_>>(), [2]);
    assert!(store.damaged().iter().zip([1, 2]).all(|(d, line)| d.why.starts_with(&format!("line {line}: "))));
    assert_eq!((store.damaged().len(), store.episode(2).unwrap()), (2, small(2)));
    let refused = Store::open(dir.path()).err().unwrap();
    assert!(
        matches!(&refused, Error::Damaged(why) if why.contains("line 1") && why.contains("first 0 lines")),
        "{refused}"
    );
}

/// At every change a commit, a cut or a create makes, the disk fails, once or for good, and the program goes on or dies.
#[test]
fn a_failing_disk_loses_nothing_committed() {
    for (lasting, dies) in [(false, false), (true, false), (true, true)] {
        for n in 0.. {
            let dir = tempfile::tempdir().unwrap();
            let fs = Arc::new(FaultyFs::new(lasting));
            let mut store = Store::create_in(fs.clone(), dir.path(), root(), &[("config.toml", "x")]).unwrap();
            for id in 0..3 {
                store.commit(&small(id), 2 * (id + 1)).unwrap();
            }
            fs.arm(n);
            let outcome = store.cut_back(2).and_then(|()| store.commit(&small(2), 6));
            assert_eq!(outcome.is_err(), fs.heal());
            let done = outcome.is_ok();
            assert!(done || matches!(outcome, Err(Error::Disk(_))));
            let seen = Store::read_only(dir.path()).unwrap();
            assert!(seen.lines().len() >= 2 && seen.verify().is_empty(), "change {n}: {:?}", seen.verify());

            if dies {
                drop(store);
                store = Store::open(dir.path()).unwrap();
            }
            for id in store.lines().len() as u64..5 {
                assert!(!store.commit(&small(id), 2 * (id + 1)).unwrap().diverged);
            }
            drop(store);
            let store = Store::open(dir.path()).unwrap();
            assert_eq!((store.lines().len(), store.verify()), (5, vec![]), "change {n}");
            assert!((0..5).all(|id| store.episode(id).unwrap() == small(id)));
            assert!(!files(dir.path()).iter().any(|name| fs::is_temporary(name)));
            if done {
                assert_eq!(n, 14, "changes of a cut (6) and a commit (8)");
                break;
            }
        }
    }
}

#[test]
fn a_run_that_will_not_fit_is_refused_in_a_directory_to_be_made_too() {
    let dir = tempfile::tempdir().unwrap();
    for at in [dir.path(), &dir.path().join("a/b/c"), Path::new("absent/d"), Path::new("absent")] {
        let told = |free, needed| {
            let mut fs = FaultyFs::new(false);
            fs.free = free;
            enough_disk(&fs, at, needed)
        };
        assert!(told(1000, 1000).is_ok());
        let refused = told(1_400_000, 2_000_000_000).unwrap_err().to_string();
        assert!(refused.contains("1 MB are free") && refused.contains("needs about 2.0 GB"), "{refused}");
        assert!(matches!(told(999, 1000), Err(Error::Disk(_))) && matches!(told(-1, 0), Err(Error::Disk(_))));
    }
}

#[test]
fn a_run_begun_on_a_failing_disk_is_begun_anew() {
    for n in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let fs = Arc::new(FaultyFs::new(true));
        fs.arm(n);
        let made = Store::create_in(fs.clone(), dir.path(), root(), &[("config.toml", "x")]).map(drop);
        assert_eq!(made.is_err(), fs.heal());
        if made.is_ok() {
            break;
        }
        match Store::open(dir.path()) {
            Ok(store) => assert!(store.lines().is_empty()), // only the last sync had failed
            Err(_) => assert!(run(dir.path(), 1).verify().is_empty()),
        }
    }
}

#[test]
fn the_tail_of_a_journal_knows_the_last_episodes_and_reads_them() {
    let dir = tempfile::tempdir().unwrap();
    let store = run(dir.path(), 5);
    let whole = disk::metadata(dir.path().join(journal::FILE)).unwrap().len();
    let ids = |bytes: u64| {
        let tail = Store::read_tail(dir.path(), bytes).unwrap();
        tail.lines().iter().map(|line| line.id).collect::<Vec<_>>()
    };
    assert_eq!((ids(whole), ids(2 * whole)), (vec![0, 1, 2, 3, 4], vec![0, 1, 2, 3, 4]));
    assert_eq!((ids(whole - 1), ids(whole / 5 * 2), ids(0)), (vec![1, 2, 3, 4], vec![3, 4], vec![]));
    let tail = Store::read_tail(dir.path(), whole / 2).unwrap();
    assert_eq!(tail.episode(4).unwrap(), store.episode(4).unwrap());
    assert!(tail.episode(0).is_err());
    let mut elsewhere = tail.lines()[0].clone();
    elsewhere.file = "../4.h5".into();
    assert_eq!(journal::tail(&journal::format(&[elsewhere]).unwrap()), [], "a line leads into the run only");
    assert!(Store::read_tail(&dir.path().join("episodes"), 9).is_err());
}
