//! Which checkpoints stay: the newest ones, landmarks of the hours, those to go back to; newer ones that a run went on
//! without are set aside.

use std::path::Path;

use super::{FORMAT_VERSION, MANIFEST, Manifest, key};
use crate::error::Result;
use crate::keep::store::fs::{Fs, disk_error, names_in, read_if_there, write_atomic};
use crate::keep::store::unseal_versioned;

/// Ends the name of one that the run went on without.
const ASIDE: &str = ".aside";

/// Which checkpoints stay when another one is saved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Retention<'a> {
    /// The newest so many, at least the one that is saved.
    pub newest: usize,
    /// Also the first of every so many seconds of the run; 0 = none.
    pub every_s: f64,
    /// Also those of these updates.
    pub protected: &'a [u64],
}

/// Gives those newer than `update` names that nothing reads; which ones. For a run that goes on from there: its journal
/// is about to be cut back to that checkpoint, and none of the newer ones could be gone on from.
///
/// # Errors
/// `Disk`.
pub fn set_aside(fs: &dyn Fs, run_dir: &Path, update: u64) -> Result<Vec<String>> {
    let parent = run_dir.join("checkpoints");
    let mut newer = names_in(fs, &parent)?;
    newer.retain(|name| key(name).is_some_and(|k| k.0 > update));
    for name in &newer {
        let aside = parent.join(format!("{name}{ASIDE}"));
        let moved = fs.remove(&aside).and_then(|()| fs.rename(&parent.join(name), &aside));
        moved.map_err(|e| disk_error("set aside", &parent.join(name), &e))?;
    }
    if !newer.is_empty() {
        fs.sync_dir(&parent).map_err(|e| disk_error("set aside in", &parent, &e))?;
        write_atomic(fs, &parent.join("last"), format!("{update:08}\n").as_bytes())?;
    }
    Ok(newer)
}

/// What goes once `update` is saved: its former self, and older ones beyond `keep`. Newer ones, which a run that fell
/// back will meet again, stay.
pub(super) fn superseded(names: &[String], update: u64, keep: usize) -> Vec<&str> {
    let mut older = names.iter().filter_map(|n| key(n)).map(|k| k.0).filter(|&u| u < update).collect::<Vec<_>>();
    older.sort_unstable();
    older.dedup();
    let drop = &older[..older.len().saturating_sub(keep.saturating_sub(1))];
    let goes = |name: &&str| key(name).is_some_and(|k| k == (update, false) || drop.contains(&k.0));
    names.iter().map(String::as_str).filter(goes).collect()
}

/// The first checkpoint of every `every_s` seconds of the run, of those that tell; and those that may not be read.
pub(super) fn landmarks(fs: &dyn Fs, parent: &Path, names: &[String], every_s: f64) -> Vec<u64> {
    if every_s <= 0.0 {
        return Vec::new();
    }
    let (mut told, mut unread) = (Vec::new(), Vec::new());
    for (name, update) in names.iter().filter_map(|name| Some((name, key(name).filter(|k| k.1)?.0))) {
        let Ok(bytes) = read_if_there(fs, &parent.join(name).join(MANIFEST)) else {
            unread.push(update);
            continue;
        };
        let manifest = unseal_versioned::<Manifest>(name, &bytes.unwrap_or_default(), FORMAT_VERSION);
        told.extend(manifest.ok().map(|manifest| ((manifest.wall_s / every_s) as u64, update)));
    }
    told.sort_unstable();
    told.dedup_by_key(|(bucket, _)| *bucket);
    told.into_iter().map(|(_, update)| update).chain(unread).collect()
}
