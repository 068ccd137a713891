//! The key to a run's page: 256 random bits from the system, as 64 hexadecimal digits in `serve.token`, which only its owner
//! can read.
//!
//! A run keeps its key, so an open page still works after the serving process was restarted. To get a new key, delete the
//! file. The key to a read-only run is in memory only, and ends with the process.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::error::{Error, Result};
use crate::keep::store::fs::may_write;

/// The file's name in a run directory.
pub const FILE: &str = "serve.token";
const DIGITS: usize = 64;

/// The key. Neither `Debug` nor `Display`, so it cannot get into a log by mistake.
pub struct AccessKey {
    digits: String,
    /// True if it is in the run's file.
    pub kept: bool,
}

impl AccessKey {
    /// The key in the run's file, or a new one if the file is missing, invalid or readable by others. A new key is not saved
    /// if `dir` cannot be written.
    ///
    /// # Errors
    /// `Io` if the system provides no random bits or the file cannot be written.
    pub fn of_run(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let failed = |source| Error::Io { what: format!("{}: cannot write it", path.display()), source };
        if let Some(digits) = kept(&path) {
            return Ok(Self { digits, kept: true });
        }
        let mut bits = [0; DIGITS / 2];
        getrandom::fill(&mut bits).map_err(|e| failed(e.into()))?;
        let digits: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
        if may_write(dir).is_err() {
            return Ok(Self { digits, kept: false });
        }
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(failed(e)),
            _ => {}
        }
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path); // never follows a link
        file.and_then(|mut file| writeln!(file, "{digits}")).map_err(failed)?;
        Ok(Self { digits, kept: true })
    }

    /// True if `given` is this key. The time taken does not depend on how many digits match.
    pub fn opens(&self, given: &str) -> bool {
        blake3::hash(given.as_bytes()) == blake3::hash(self.digits.as_bytes())
    }

    /// The digits.
    pub fn reveal(&self) -> &str {
        &self.digits
    }
}

/// The key in the file; `None` if it is not a key, or others can read it.
fn kept(path: &Path) -> Option<String> {
    let facts = path.symlink_metadata().ok()?;
    if !facts.is_file() || facts.permissions().mode() & 0o077 != 0 {
        return None;
    }
    let mut text = String::new();
    File::open(path).ok()?.take(DIGITS as u64 + 8).read_to_string(&mut text).ok()?;
    let digits = text.trim_start_matches('\u{feff}').trim_end_matches(['\r', '\n']);
    let is_key = digits.len() == DIGITS && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    is_key.then(|| digits.to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_run_keeps_its_key_and_a_key_readable_by_others_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let key = || AccessKey::of_run(dir.path()).unwrap().digits;
        let mode = || path.metadata().unwrap().permissions().mode() & 0o777;
        let first = key();
        assert_eq!((first.len(), mode(), fs::read_to_string(&path).unwrap()), (64, 0o600, format!("{first}\n")));
        assert_eq!(key(), first);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let second = key();
        assert!(second != first && mode() == 0o600);
        for saved in [second.clone(), format!("{second}\r\n"), format!("\u{feff}{second}\n\n")] {
            fs::write(&path, &saved).unwrap();
            assert_eq!(key(), second, "another program saved it: {saved:?}");
        }
        for broken in ["", "short\n", &second[..63], &format!("{}\n", second.to_uppercase()), &format!("{second}0\n")] {
            fs::write(&path, broken).unwrap();
            let third = key();
            assert!(third != broken.trim() && third != second && mode() == 0o600, "{broken}");
        }
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::write(&elsewhere, format!("{}\n", "a".repeat(64))).unwrap();
        fs::set_permissions(&elsewhere, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&elsewhere, dir.path().join(FILE)).unwrap();
        let key = AccessKey::of_run(dir.path()).unwrap();
        assert!(key.digits != "a".repeat(64) && dir.path().join(FILE).symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), format!("{}\n", "a".repeat(64)));
        assert!(key.opens(&key.digits) && !key.opens(&key.digits[..63]) && !key.opens(""));
    }
}
