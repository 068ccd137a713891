//! The directory of a run that was begun without `--out`.

use std::fs;
use std::io::ErrorKind::AlreadyExists;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::keep::provenance::utc;
use crate::keep::store::fs::disk_error;

/// `results/<name>/<yyyymmdd-hhmmss>-s<seed>`.
pub fn by_time(config: &Config, now: SystemTime) -> PathBuf {
    let stamp = utc(now).replace(['-', ':', 'Z'], "").replace('T', "-");
    Path::new("results").join(&config.name).join(format!("{stamp}-s{}", config.seed))
}

/// `named`, or the first of `named-2`, `named-3`, ... that does not exist yet.
pub fn unused(named: &Path) -> PathBuf {
    names(named).find(|dir| !dir.exists()).unwrap_or_else(|| named.to_owned())
}

/// Makes [`unused`] for this process alone: runs may begin in the same second.
///
/// # Errors
/// As [`disk_error`]; `Usage` where all names are taken.
pub fn claim(named: &Path) -> Result<PathBuf> {
    let parent = named.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|e| disk_error("create", parent, &e))?;
    for dir in names(named) {
        match fs::create_dir(&dir) {
            Err(e) if e.kind() == AlreadyExists => {}
            made => return made.map_err(|e| disk_error("create", &dir, &e)).map(|()| dir),
        }
    }
    Err(Error::Usage(format!("{}: all its names are taken: give --out", named.display())))
}

fn names(named: &Path) -> impl Iterator<Item = PathBuf> {
    let others = (2..1000).map(move |n| PathBuf::from(format!("{}-{n}", named.display())));
    std::iter::once(named.to_owned()).chain(others)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn run_directories_are_named_by_experiment_time_and_seed() {
        let config = Config::parse("name = \"night\"\nseed = 7", "t", vec![]).unwrap();
        let dir = by_time(&config, UNIX_EPOCH + Duration::from_secs(1_000_000_000));
        assert_eq!(dir, Path::new("results/night/20010909-014640-s7"));
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let place = tempfile::tempdir().unwrap();
        let named = place.path().join("night/20010909-014640-s7");
        for number in ["", "-2", "-3"] {
            let next = PathBuf::from(format!("{}{number}", named.display()));
            assert_eq!((unused(&named), claim(&named).unwrap()), (next.clone(), next));
        }
    }
}
