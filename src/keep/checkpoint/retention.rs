//! Which checkpoints are kept: the newest, the first of each period of the run, and protected ones. Checkpoints newer
//! than the one a run resumes from are set aside.

use std::path::Path;

use super::{DirName, FORMAT_VERSION, MANIFEST, Manifest, parse_name};
use crate::error::Result;
use crate::keep::store::fs::{Fs, disk_error, names_in, read_if_there, write_atomic};
use crate::keep::store::unseal_versioned;

/// Suffix of a checkpoint that was set aside.
const ASIDE: &str = ".aside";

/// Which checkpoints are kept when another one is saved.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Retention<'a> {
    /// Number of newest checkpoints to keep; the saved one is always kept.
    pub newest: usize,
    /// Also keep the first checkpoint in each period of this many seconds of the run; 0 = off.
    pub every_s: f64,
    /// Also keep the checkpoints of these updates.
    pub protected: &'a [u64],
}

/// Renames the checkpoints newer than `update`, so nothing reads them; returns their names. For a run that resumes from
/// `update`: its journal will be cut back to that checkpoint, so no newer one can be resumed from.
///
/// # Errors
/// `Disk`.
pub fn set_aside(fs: &dyn Fs, run_dir: &Path, update: u64) -> Result<Vec<String>> {
    let parent = run_dir.join("checkpoints");
    let mut newer = names_in(fs, &parent)?;
    newer.retain(|name| parse_name(name).is_some_and(|n| n.update > update));
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

/// The names that are not needed once `update` is saved: its own former version, and older checkpoints beyond the
/// newest `keep`. Newer ones are kept: a run that was rolled back reaches those updates again.
pub(super) fn superseded(names: &[String], update: u64, keep: usize) -> Vec<&str> {
    let mut older =
        names.iter().filter_map(|n| parse_name(n)).map(|n| n.update).filter(|&u| u < update).collect::<Vec<_>>();
    older.sort_unstable();
    older.dedup();
    let drop = &older[..older.len().saturating_sub(keep.saturating_sub(1))];
    let own_former = DirName { update, in_place: false };
    let is_superseded = |name: &&str| parse_name(name).is_some_and(|n| n == own_former || drop.contains(&n.update));
    names.iter().map(String::as_str).filter(is_superseded).collect()
}

/// The first checkpoint in each period of `every_s` seconds of the run, by the times in their manifests; also those
/// whose manifest cannot be read.
pub(super) fn first_of_every(fs: &dyn Fs, parent: &Path, names: &[String], every_s: f64) -> Vec<u64> {
    if every_s <= 0.0 {
        return Vec::new();
    }
    let (mut timed, mut unreadable) = (Vec::new(), Vec::new());
    for name in names {
        let Some(DirName { update, in_place: true }) = parse_name(name) else { continue };
        let Ok(bytes) = read_if_there(fs, &parent.join(name).join(MANIFEST)) else {
            unreadable.push(update);
            continue;
        };
        let manifest = unseal_versioned::<Manifest>(name, &bytes.unwrap_or_default(), FORMAT_VERSION);
        timed.extend(manifest.ok().map(|manifest| ((manifest.wall_s / every_s) as u64, update)));
    }
    timed.sort_unstable();
    timed.dedup_by_key(|(bucket, _)| *bucket);
    timed.into_iter().map(|(_, update)| update).chain(unreadable).collect()
}
