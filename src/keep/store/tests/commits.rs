//! Committed episodes are read back; one process writes, any number read.

use super::*;

#[test]
fn a_run_reads_back_what_was_committed() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("results/door/1");
    drop(run(&inner, 3));
    let store = Store::open(&inner).unwrap();
    assert_eq!((store.root(), store.damaged(), store.verify().unwrap()), (&root(), &[][..], vec![]));
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
fn only_the_next_episode_is_committed() {
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
    drop(run(dir.path(), 1)); // an interrupted create can be repeated
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
fn episodes_cut_back_are_compared_when_committed_again() {
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
    assert_eq!((store.episode(2).unwrap(), store.verify().unwrap()), (other, vec![]));
}

#[test]
fn the_last_episodes_are_read_from_the_tail_of_a_journal() {
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
    assert_eq!(journal::tail(&journal::format(&[elsewhere]).unwrap()), [], "a line may name only files in the run");
    assert!(Store::read_tail(&dir.path().join("episodes"), 9).is_err());
}
