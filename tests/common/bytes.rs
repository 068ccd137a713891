//! What each reader of files guarantees for arbitrary bytes. `tests/damage_bytes.rs` calls these functions with damaged
//! samples, and `fuzz/` with the inputs of libFuzzer.
#![allow(dead_code, clippy::unwrap_used, clippy::disallowed_methods, reason = "of tests; each target uses its part")]

use std::fs;
use std::path::PathBuf;

use skewfit::config::Config;
use skewfit::keep::checkpoint::{self, CheckpointContent, Retention};
use skewfit::keep::store::{fs::DiskFs, journal, shard};
use skewfit::learn::nn::{ModelState, NamedTensor};
use skewfit::show::pictures::load_goal;

/// The bytes are refused, or give settings that are the same after writing and reading again.
pub fn configuration(bytes: &[u8]) {
    if let Ok(config) = Config::parse(&String::from_utf8_lossy(bytes), "fuzz.toml", vec![]) {
        assert_eq!(Config::parse(&config.to_toml().unwrap(), "again", vec![]).unwrap(), config);
    }
}

/// Without the check of the hash: the bytes are refused, or give an episode that can be written again.
pub fn shard(bytes: &[u8]) {
    if let Ok((episode, root)) = shard::decode(bytes) {
        shard::encode(&episode, &root).unwrap();
    }
}

/// The lines that were read can be written again, whatever is between them.
pub fn journal(bytes: &[u8]) {
    let lines = journal::parse(bytes).lines;
    let again = journal::tail(&journal::format(&lines).unwrap());
    assert!(again == lines);
}

/// A directory for one picture.
pub struct Picture(pub tempfile::TempDir);

impl Picture {
    /// The bytes are refused, or give a picture of the requested size.
    pub fn read(&self, bytes: &[u8]) {
        let path = self.0.path().join("goal");
        fs::write(&path, bytes).unwrap();
        if let Ok(goal) = load_goal(&path, 48) {
            assert_eq!(goal.pixels.len(), 48 * 48 * 3);
        }
    }
}

/// A checkpoint in which one file at a time is replaced.
pub struct Checkpoint {
    dir: tempfile::TempDir,
    content: CheckpointContent,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Checkpoint {
    pub fn saved() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tensor = |name: &str, n: usize| NamedTensor { name: name.into(), shape: vec![n], data: vec![0.5; n] };
        let content = CheckpointContent {
            update: 5,
            models: ModelState { params: vec![tensor("a", 7), tensor("b", 3)], optimizer: vec![tensor("a.m", 7)] },
            state: serde_json::json!({ "x": 1 }),
            env: vec![1, 2, 3],
        };
        let keep = Retention { newest: 1, every_s: 0.0, protected: &[] };
        let at = checkpoint::save(&DiskFs, dir.path(), &content, keep).unwrap().dir;
        let mut names: Vec<_> = fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        let files = names.into_iter().map(|name| (name.clone(), fs::read(name).unwrap())).collect();
        Self { dir, content, files }
    }

    /// The bytes of each file, after one byte with the index of the file.
    pub fn samples(&self) -> Vec<Vec<u8>> {
        (0..).zip(&self.files).map(|(which, (_, sound))| [&[which], &sound[..]].concat()).collect()
    }

    /// The checkpoint is refused, or has the same content.
    pub fn read(&self, bytes: &[u8]) {
        let Some((which, bytes)) = bytes.split_first() else { return };
        let (name, sound) = &self.files[usize::from(*which) % self.files.len()];
        fs::write(name, bytes).unwrap();
        if let Ok(loaded) = checkpoint::load(self.dir.path(), 5) {
            assert!(loaded == self.content);
        }
        fs::write(name, sound).unwrap();
    }
}
