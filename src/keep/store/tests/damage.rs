//! Damaged shards, journals and run files are named.

use std::os::unix::fs::FileExt;

use super::*;

/// Flips a bit of each byte of the file at `path` in turn; `found` must then return a message that names the file.
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
    assert!(opened().unwrap().verify().unwrap().is_empty());
    disk::write(dir.path().join("episodes/000000.h5"), "").unwrap();
    disk::remove_file(dir.path().join("episodes/000001.h5")).unwrap();
    let files = store.verify().unwrap().into_iter().map(|damage| damage.file).collect::<Vec<_>>();
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
    let found = Store::read_only(dir.path()).unwrap().verify().unwrap();
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
        let zeros = [&whole[..cut], &[0; 9]].concat(); // the file grew, but the written bytes were lost
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
fn a_journal_is_rebuilt_from_the_shards() {
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
    // Shards after one that is damaged, missing or of another run are not used; a sound journal is not replaced by a
    // shorter one.
    let third = dir.path().join(journal::shard_file(2));
    let other = shard::encode(&small(2), &ShardRoot { seed: 1, ..root() }).unwrap();
    disk::write(&third, other).unwrap();
    assert!(matches!(Store::rebuild_journal(&DiskFs, dir.path()), Err(Error::Damaged(why)) if why.contains("has 4")));
    assert!(disk::read(&path).unwrap() == whole);
    disk::remove_file(&path).unwrap();
    assert_eq!(Store::rebuild_journal(&DiskFs, dir.path()).unwrap(), 2);
    // A sound shard that is not the committed one contradicts the journal.
    disk::write(&path, &whole).unwrap();
    disk::write(&third, shard::encode(&episode(2, 1, [2, 2, 1, 2, 2, 2]), &root()).unwrap()).unwrap();
    assert!(Store::rebuild_journal(&DiskFs, dir.path()).is_err());
    let held = Store::open(dir.path()).unwrap();
    assert!(matches!(Store::rebuild_journal(&DiskFs, dir.path()), Err(Error::Busy(_))));
    drop(held);
}

#[test]
fn a_damaged_line_is_named_and_writing_refused() {
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
        matches!(&refused, Error::Damaged(why) if why.contains("line 1") && why.contains("--rebuild-journal")),
        "{refused}"
    );
}
