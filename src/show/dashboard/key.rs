//! The key to a run's page: 256 bits from the system, 64 hexadecimal digits in `serve.token`, for its owner's eyes alone.
//!
//! A run keeps its key, so that a page that is open works on when the process behind it is another one. Whoever wants a
//! new one deletes the file.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::error::{Error, Result};

/// The file's name in a run directory.
pub const FILE: &str = "serve.token";
const DIGITS: usize = 64;

/// Not `Debug`, not `Display`: it gets into no log by mistake.
pub struct Key(String);

impl Key {
    /// The one in the file where nobody else may read it, else a new one.
    ///
    /// # Errors
    /// `Io` where the system gives no bits or the file cannot be written.
    pub fn of_run(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let failed = |source| Error::Io { what: format!("{}: cannot be written", path.display()), source };
        if let Some(kept) = kept(&path) {
            return Ok(Self(kept));
        }
        let mut bits = [0; DIGITS / 2];
        getrandom::fill(&mut bits).map_err(|e| failed(e.into()))?;
        let digits: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(failed(e)),
            _ => {}
        }
        let file = File::options().write(true).create_new(true).mode(0o600).open(&path); // never through a link
        file.and_then(|mut file| writeln!(file, "{digits}")).map_err(failed)?;
        Ok(Self(digits))
    }

    /// Whether `given` is this key, in a time that does not tell how much of it is right.
    pub fn opens(&self, given: &str) -> bool {
        blake3::hash(given.as_bytes()) == blake3::hash(self.0.as_bytes())
    }

    /// The digits.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// What is in the file, if it is a key and its owner's alone.
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
    fn a_run_keeps_its_key_and_one_that_others_saw_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let key = || Key::of_run(dir.path()).unwrap().0;
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
        let key = Key::of_run(dir.path()).unwrap();
        assert!(key.0 != "a".repeat(64) && dir.path().join(FILE).symlink_metadata().unwrap().is_file());
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), format!("{}\n", "a".repeat(64)));
        assert!(key.opens(&key.0) && !key.opens(&key.0[..63]) && !key.opens(""));
    }
}
