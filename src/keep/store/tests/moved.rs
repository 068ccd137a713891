//! Nothing more is written to a directory that was moved, removed or replaced.

use super::*;

/// Applies `what` to the directory of an open store, with a second path; returns the error of the next commit.
fn after(what: impl FnOnce(&Path, &Path)) -> (tempfile::TempDir, Store, Error) {
    let dir = tempfile::tempdir().unwrap();
    let [here, there] = ["here", "there"].map(|name| dir.path().join(name));
    let mut store = run(&here, 1);
    store.still_ours().unwrap();
    assert_eq!(store.current_dir(), Some(here.clone()));
    what(&here, &there);
    let before = files(&here);
    let refused = store.commit(&small(1), 4).unwrap_err();
    assert_eq!(files(&here), before, "nothing was written");
    assert_eq!(store.still_ours().unwrap_err().exit_code(), refused.exit_code());
    (dir, store, refused)
}

#[test]
fn a_moved_directory_is_followed_only_when_asked() {
    let (dir, mut store, refused) = after(|here, there| disk::rename(here, there).unwrap());
    let there = dir.path().join("there").canonicalize().unwrap();
    assert!(matches!(&refused, Error::Lost(why) if why.contains(there.to_str().unwrap())), "{refused}");
    assert!(store.current_dir() == Some(there.clone()) && store.follow() && store.dir() == there);
    store.commit(&small(1), 4).unwrap();
    assert!(matches!(Store::open(&there), Err(Error::Busy(_))), "its lock is still held");
    drop(store);
    assert_eq!(Store::open(&there).unwrap().lines().len(), 2);
}

#[test]
fn a_removed_directory_has_no_path() {
    let (_dir, mut store, refused) = after(|here, _| disk::remove_dir_all(here).unwrap());
    assert!(matches!(&refused, Error::Lost(why) if why.contains("is gone or was moved:")), "{refused}");
    assert!(store.current_dir().is_none() && !store.follow());
}

#[test]
fn another_run_and_another_lock_give_different_errors() {
    let (_dir, _store, refused) = after(|here, there| {
        disk::rename(here, there).unwrap();
        drop(run(here, 1));
    });
    assert!(matches!(&refused, Error::Busy(why) if why.contains("is another run's now")), "{refused}");
    let (_dir, mut store, refused) = after(|here, _| disk::remove_file(here.join(LOCK_FILE)).unwrap());
    assert!(matches!(&refused, Error::Lost(why) if why.contains("lock is gone")), "{refused}");
    assert!(store.follow(), "the last events can be written");
    store.still_ours().unwrap();
    store.commit(&small(1), 4).unwrap();
    disk::write(store.dir().join(LOCK_FILE), "").unwrap();
    assert!(matches!(store.still_ours(), Err(Error::Busy(_))), "unless another run has created a lock file");
    let (_dir, _store, refused) = after(|here, _| {
        disk::remove_file(here.join(LOCK_FILE)).unwrap();
        disk::write(here.join(LOCK_FILE), "").unwrap();
    });
    assert!(matches!(&refused, Error::Busy(_)), "{refused}");
    // A missing folder may be put back; the error does not speak of a full disk.
    let dir = tempfile::tempdir().unwrap();
    let mut store = run(dir.path(), 1);
    disk::remove_dir_all(dir.path().join("episodes")).unwrap();
    let refused = store.commit(&small(1), 4).unwrap_err();
    assert!(
        matches!(&refused, Error::Disk(why) if why.contains("000001.h5") && why.contains("put it back")),
        "{refused}"
    );
    drop(store);
    assert!(Store::open(dir.path()).unwrap().verify().unwrap()[0].why.contains("is gone"));
}
