use std::fs as disk;
use std::os::unix::fs::FileExt;

use serde_json::json;

use super::load::read_live;
use super::*;
use crate::error::Error;
use crate::keep::store::faulty::FaultyFs;
use crate::keep::store::fs::is_temporary;
use crate::keep::store::seal;
use crate::learn::nn::NamedTensor;
use crate::learn::nn::state::pack_step;

fn tensor(name: &str, shape: &[usize], salt: f32) -> NamedTensor {
    let n = shape.iter().product::<usize>();
    NamedTensor { name: name.into(), shape: shape.into(), data: (0..n).map(|i| salt + i as f32 / 3.0).collect() }
}

/// A small learner, different for each `salt`; its tensors are sorted by name, as when loaded.
fn snapshot(update: u64, salt: f32) -> CheckpointContent {
    CheckpointContent {
        update,
        models: ModelState {
            params: vec![
                tensor("actor.bias", &[2], salt),
                tensor("log_temperature", &[], -0.0),
                tensor("z", &[0, 3], 0.0),
            ],
            optimizer: vec![
                tensor("actor.bias.m", &[1, 2], -salt),
                NamedTensor { name: "actor.step".into(), shape: vec![3], data: pack_step(update).into() },
            ],
        },
        state: json!({"episodes": u64::MAX, "alpha": 0.1, "phase": [1, null, "vae"]}),
        env: vec![0, 255, update as u8],
    }
}

fn keep(newest: usize) -> Retention<'static> {
    Retention { newest, every_s: 0.0, protected: &[] }
}

#[test]
fn the_first_of_every_hour_stays() {
    let run = tempfile::tempdir().unwrap();
    let hourly = Retention { newest: 2, every_s: 3600.0, protected: &[] };
    for (update, minutes) in (100..).step_by(100).zip([0, 20, 50, 65, 90, 110, 250, 260]) {
        let state = json!({ "wall_s": f64::from(minutes) * 60.0 });
        save(&DiskFs, run.path(), &CheckpointContent { state, ..snapshot(update, 0.5) }, hourly).unwrap();
    }
    assert_eq!(names(run.path()), ["00000100", "00000400", "00000700", "00000800", "last"]);
    assert_eq!(updates(run.path()).unwrap(), [800, 700, 400, 100]);
    assert_eq!(load(run.path(), 400).unwrap().update, 400);
    assert!(matches!(load(run.path(), 500), Err(Error::Damaged(_))));
}

fn names(run: &Path) -> Vec<String> {
    names_in(&DiskFs, &run.join("checkpoints")).unwrap()
}

/// The sound checkpoint of one update.
fn of_update(run: &Path, update: u64) -> CheckpointContent {
    read_live(run, &format!("{update:08}")).unwrap().unwrap().unwrap()
}

fn newest(run: &Path) -> CheckpointContent {
    let loaded = newest_sound(run).unwrap().unwrap();
    assert_eq!(loaded.passed_over, []);
    loaded.content
}

#[test]
fn params_blake3_hashes_the_documented_bytes_in_any_order() {
    let mut by_hand = Vec::new();
    for (name, shape, data) in
        [("a", &[2_u64, 1][..], &[1.5_f32, -0.0][..]), ("b", &[], &[3.0]), ("a.step", &[1], &[7.0])]
    {
        by_hand.extend((name.len() as u64).to_le_bytes());
        by_hand.extend(name.as_bytes());
        by_hand.extend((shape.len() as u64).to_le_bytes());
        by_hand.extend(shape.iter().flat_map(|d| d.to_le_bytes()));
        by_hand.extend(data.iter().flat_map(|x| x.to_le_bytes()));
    }
    let a = NamedTensor { name: "a".into(), shape: vec![2, 1], data: vec![1.5, -0.0] };
    let b = NamedTensor { name: "b".into(), shape: vec![], data: vec![3.0] };
    let step = NamedTensor { name: "a.step".into(), shape: vec![1], data: vec![7.0] };
    let hash = |params, step: &NamedTensor| params_blake3(&ModelState { params, optimizer: vec![step.clone()] });
    let known = hash(vec![b.clone(), a.clone()], &step);
    assert_eq!(known, blake3::hash(&by_hand).to_string());
    let zero = NamedTensor { data: vec![1.5, 0.0], ..a };
    assert_ne!(known, hash(vec![zero, b], &step));
}

#[test]
fn what_was_saved_is_loaded() {
    let run = tempfile::tempdir().unwrap();
    assert_eq!(newest_sound(run.path()).unwrap(), None);
    for update in [50, 100, 200, 150] {
        let saved = save(&DiskFs, run.path(), &snapshot(update, 0.5), keep(2)).unwrap();
        assert_eq!(saved.params_blake3, params_blake3(&of_update(run.path(), update).models));
        assert_eq!(saved.dir, run.path().join(format!("checkpoints/{update:08}")));
    }
    assert_eq!(names(run.path()), ["00000100", "00000150", "00000200", "last"]); // 200 was saved before 150
    assert_eq!(disk::read_to_string(run.path().join("checkpoints/last")).unwrap(), "00000150\n");
    assert_eq!((newest(run.path()), of_update(run.path(), 100)), (snapshot(200, 0.5), snapshot(100, 0.5)));
    save(&DiskFs, run.path(), &snapshot(200, 0.75), keep(1)).unwrap();
    assert_eq!((names(run.path()), newest(run.path())), (vec!["00000200".into(), "last".into()], snapshot(200, 0.75)));
}

#[test]
fn tensors_that_could_not_be_loaded_are_not_saved() {
    let run = tempfile::tempdir().unwrap();
    let refused = |params: Vec<NamedTensor>| {
        let models = ModelState { params, optimizer: vec![] };
        save(&DiskFs, run.path(), &CheckpointContent { models, ..snapshot(1, 0.0) }, keep(1)).err()
    };
    let twice = vec![tensor("a", &[1], 0.0), tensor("b", &[1], 0.0), tensor("a", &[2], 0.0)];
    assert!(matches!(refused(twice), Some(Error::Usage(why)) if why.contains("`a`")));
    let short = vec![NamedTensor { shape: vec![3], ..tensor("a", &[2], 0.0) }];
    assert!(matches!(refused(short), Some(Error::Usage(why)) if why.contains("`a`")));
    let nan = vec![tensor("a", &[2], 0.0), tensor("b", &[2], f32::NAN)];
    assert!(matches!(refused(nan), Some(Error::NotFinite(why)) if why.contains("`b`")));
    assert_eq!(names(run.path()), Vec::<String>::new());
}

#[test]
fn damage_at_any_byte_is_named_and_passed_over() {
    let run = tempfile::tempdir().unwrap();
    for update in [100, 200] {
        save(&DiskFs, run.path(), &snapshot(update, 0.5), keep(3)).unwrap();
    }
    for name in FILES.iter().chain([&MANIFEST]) {
        let path = run.path().join("checkpoints/00000200").join(name);
        let sound = disk::read(&path).unwrap();
        let file = disk::File::options().write(true).open(&path).unwrap();
        let passed_over = |i: usize| {
            let loaded = newest_sound(run.path()).unwrap().unwrap();
            assert_eq!(loaded.content, snapshot(100, 0.5), "{name} byte {i}");
            assert_eq!(loaded.passed_over[0].file, format!("checkpoints/00000200/{name}"));
        };
        for (i, &byte) in sound.iter().enumerate() {
            file.write_all_at(&[byte ^ 1 << (i % 8)], i as u64).unwrap();
            passed_over(i);
            file.write_all_at(&[byte], i as u64).unwrap();
        }
        for i in (0..sound.len()).rev() {
            file.set_len(i as u64).unwrap();
            passed_over(i);
        }
        disk::remove_file(&path).unwrap();
        assert_eq!(newest_sound(run.path()).unwrap().unwrap().passed_over.len(), 1);
        assert!(verify(run.path()).unwrap()[0].file.ends_with(name));
        disk::write(&path, sound).unwrap();
    }
    assert_eq!((newest(run.path()), verify(run.path()).unwrap()), (snapshot(200, 0.5), vec![]));
    for update in [100, 200] {
        disk::write(run.path().join(format!("checkpoints/{update:08}/env.bin")), "x").unwrap();
    }
    assert!(matches!(newest_sound(run.path()), Err(Error::Damaged(_))));
    assert_eq!(verify(run.path()).unwrap().len(), 2);
}

#[test]
fn a_renamed_checkpoint_is_passed_over_and_a_newer_format_refused() {
    let run = tempfile::tempdir().unwrap();
    let dir = save(&DiskFs, run.path(), &snapshot(100, 0.5), keep(3)).unwrap().dir;
    disk::rename(&dir, dir.with_file_name("00000300")).unwrap();
    assert!(matches!(newest_sound(run.path()), Err(Error::Damaged(why)) if why.contains("is of update 100")));
    let newer =
        Manifest { format_version: 2, update: 300, wall_s: 0.0, params_blake3: String::new(), files: BTreeMap::new() };
    disk::write(dir.with_file_name("00000300").join(MANIFEST), seal(&newer).unwrap()).unwrap();
    save(&DiskFs, run.path(), &snapshot(200, 0.5), keep(3)).unwrap();
    let newer = |outcome: Option<Error>| matches!(outcome, Some(Error::Usage(why)) if why.contains("00000300") && why.contains("use the newer skewfit"));
    assert!(newer(newest_sound(run.path()).err()) && newer(verify(run.path()).err()));
}

/// The disk fails at each change of a save in turn, once or for good; the update is new or was saved before.
#[test]
fn a_failing_disk_loses_no_checkpoint() {
    let old = snapshot(100, 0.5);
    for (lasting, again) in [(false, 100), (true, 100), (false, 200), (true, 200)] {
        let new = snapshot(again, 0.75);
        for n in 0.. {
            let run = tempfile::tempdir().unwrap();
            let fs = FaultyFs::new(lasting);
            for earlier in [&snapshot(50, 0.5), &old] {
                save(&fs, run.path(), earlier, keep(2)).unwrap();
            }
            fs.arm(n);
            let outcome = save(&fs, run.path(), &new, keep(2));
            assert_eq!(outcome.is_err(), fs.heal());
            let done = outcome.is_ok();
            assert!(done || matches!(outcome, Err(Error::Disk(_))));
            let found = newest(run.path());
            assert!(found == new || found == old && !done, "change {n}: {}", found.update);
            assert_eq!(verify(run.path()).unwrap(), []);

            save(&fs, run.path(), &new, keep(1)).unwrap();
            crate::keep::store::fs::sweep(&fs, &run.path().join("checkpoints")).unwrap();
            assert_eq!(
                (names(run.path()), newest(run.path())),
                (vec![format!("{again:08}"), "last".into()], new.clone())
            );
            assert!(!names(run.path()).iter().any(|name| is_temporary(name)));
            if done {
                assert!(n >= 17, "a save is more than {n} changes");
                break;
            }
        }
    }
}
