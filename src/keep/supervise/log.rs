//! Log rotation by size: `run.log` grows to its limit, then is renamed to `run.log.1`, an older one to `run.log.2`, ...

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::keep::store::fs::{DiskFs, Fs, is_same_file};

/// Number of rotated logs kept.
const KEPT: u32 = 4;

/// The log, open for appending.
#[derive(Debug)]
pub struct RollingLog {
    path: PathBuf,
    file: File,
    bytes: u64,
    limit: u64,
}

impl RollingLog {
    /// Opens the log at `path`, which may exist. It and the rotated logs together never hold more than 5 `limit` bytes
    /// and one line.
    ///
    /// # Errors
    /// Any error of the operating system.
    pub fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes, limit })
    }

    fn roll(&mut self) -> io::Result<()> {
        let former = |n: u32| self.path.with_added_extension(n.to_string());
        if !is_same_file(&self.file, &self.path).unwrap_or(false) {
            return Ok(()); // the file was moved: keep writing to the open one
        }
        DiskFs.remove(&former(KEPT))?;
        for n in (1..KEPT).rev().filter(|n| former(*n).exists()) {
            DiskFs.rename(&former(n), &former(n + 1))?;
        }
        DiskFs.rename(&self.path, &former(1))?;
        *self = Self::open(&self.path, self.limit)?;
        Ok(())
    }
}

impl Write for RollingLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.limit {
            self.roll()?;
        }
        let written = self.file.write(line)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_lines_stay_and_the_size_is_bounded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run.log");
        for part in 0..10 {
            let mut log = RollingLog::open(&path, 100).unwrap(); // as after a restart
            for line in 0..10 {
                log.write_all(format!("{part} {line} ........\n").as_bytes()).unwrap();
            }
        }
        let read = |name: &str| std::fs::read_to_string(dir.path().join(name)).unwrap();
        let all: String = ["run.log.4", "run.log.3", "run.log.2", "run.log.1", "run.log"].map(read).concat();
        let lines: Vec<_> = all.lines().map(|l| l[..3].to_owned()).collect();
        let wrote: Vec<_> = (0..100).map(|i| format!("{} {}", i / 10, i % 10)).collect();
        assert_eq!(lines, wrote[100 - lines.len()..]);
        assert!(lines.len() >= 30 && all.len() <= 500, "{} lines", lines.len());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 5);
    }
}
