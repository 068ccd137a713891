//! Disks that fail at any change, and files that cannot be read.

use std::io;

use super::*;

/// The disk fails at each change of a cut and a commit in turn, once or for good; then the program continues or ends.
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
            assert!(
                seen.lines().len() >= 2 && seen.verify().unwrap().is_empty(),
                "change {n}: {:?}",
                seen.verify().unwrap()
            );

            if dies {
                drop(store);
                store = Store::open(dir.path()).unwrap();
            }
            for id in store.lines().len() as u64..5 {
                assert!(!store.commit(&small(id), 2 * (id + 1)).unwrap().diverged);
            }
            drop(store);
            let store = Store::open(dir.path()).unwrap();
            assert_eq!((store.lines().len(), store.verify().unwrap()), (5, vec![]), "change {n}");
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
fn a_run_that_needs_too_much_disk_is_refused_even_before_its_directory_exists() {
    let dir = tempfile::tempdir().unwrap();
    for at in [dir.path(), &dir.path().join("a/b/c"), Path::new("absent/d"), Path::new("absent")] {
        let outcome = |free, needed| {
            let mut fs = FaultyFs::new(false);
            fs.free = free;
            enough_disk(&fs, at, needed)
        };
        assert!(outcome(1000, 1000).is_ok());
        let refused = outcome(1_400_000, 2_000_000_000).unwrap_err().to_string();
        assert!(refused.contains("1 MB are free") && refused.contains("needs about 2.0 GB"), "{refused}");
        assert!(matches!(outcome(999, 1000), Err(Error::Disk(_))) && matches!(outcome(-1, 0), Err(Error::Disk(_))));
    }
}

#[test]
fn a_run_whose_creation_failed_can_be_created_again() {
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
            Ok(store) => assert!(store.lines().is_empty()), // only the last sync failed
            Err(_) => assert!(run(dir.path(), 1).verify().unwrap().is_empty()),
        }
    }
}

/// A file system whose reads fail, by permission or for now.
struct UnreadableFs(io::ErrorKind);

impl Fs for UnreadableFs {
    fn read(&self, _: &Path) -> io::Result<Vec<u8>> {
        Err(self.0.into())
    }
    fn make_dir(&self, _: &Path) -> io::Result<()> {
        unreachable!()
    }
    fn create(&self, _: &Path) -> io::Result<Box<dyn fs::DurableFile>> {
        unreachable!()
    }
    fn open_append(&self, _: &Path) -> io::Result<Box<dyn fs::DurableFile>> {
        unreachable!()
    }
    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        unreachable!()
    }
    fn remove(&self, _: &Path) -> io::Result<()> {
        unreachable!()
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        unreachable!()
    }
    fn reserve(&self, _: &Path, _: u64) -> io::Result<()> {
        unreachable!()
    }
}

#[test]
fn what_is_not_read_is_not_damaged() {
    let dir = tempfile::tempdir().unwrap();
    drop(run(dir.path(), 2));
    for (kind, waits) in [(io::ErrorKind::PermissionDenied, false), (io::ErrorKind::TimedOut, true)] {
        let mut store = Store::read_only(dir.path()).unwrap();
        store.fs = Arc::new(UnreadableFs(kind));
        let line = store.lines()[0].clone();
        let refused = [
            store.episode(0).err(),
            store.sound(&line).err(),
            store.verify().err(),
            Store::open_in(Arc::new(UnreadableFs(kind)), dir.path()).err(),
            Store::rebuild_journal(&UnreadableFs(kind), dir.path()).err(),
        ];
        for error in refused.map(Option::unwrap) {
            assert_eq!((error.is_disk(), error.exit_code()), (waits, if waits { 6 } else { 2 }), "{error}");
            assert!(!error.to_string().contains("damage"), "{error}");
        }
    }
    let store = Store::read_only(dir.path()).unwrap();
    disk::remove_file(dir.path().join(&store.lines()[0].file)).unwrap();
    assert!(matches!(store.episode(0), Err(Error::Damaged(why)) if why.contains("is gone")));
}
