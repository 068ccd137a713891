//! `tb/events.out.tfevents.*`: the rows of `metrics.csv` and the final pictures for TensorBoard; step = `env_steps`.
//!
//! A record is the length of its data (u64), the masked CRC of these 8 bytes, the data, the masked CRC of the data, all
//! little-endian; masked = (CRC-32C rotated right by 15) plus 0xa282ead8, as in `tensorflow/core/lib/io/record_writer.h`.
//! Each process writes its own file, whose name sorts after the earlier ones; readers then discard earlier events from its
//! first step on. The files contain wall-clock times, so they differ between equal runs.

mod proto;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::Result;
use crate::keep::store::fs::{Fs, disk_error, names_in};
use crate::show::metrics::MetricsRow;
use proto::{EventContent, event};

/// The directory's name in a run.
pub const DIR: &str = "tb";
const STEM: &str = "events.out.tfevents.";
/// Pictures of a run's `plots/` that are included; the others are curves, which TensorBoard draws itself.
const SHOWN: [&str; 5] = ["reached", "reconstructions", "goals", "prior_samples", "states"];

/// The event files of a run. A file is created with its first event.
#[derive(Debug)]
pub struct Events {
    dir: PathBuf,
    /// The file of this process; `None` before its first event.
    file: Option<PathBuf>,
}

impl Events {
    /// For the run directory `run`.
    #[must_use]
    pub fn of(run: &Path) -> Self {
        Self { dir: run.join(DIR), file: None }
    }

    /// Writes each value of an epoch's row as a scalar under its name.
    ///
    /// # Errors
    /// `Disk`. The next event then goes to a new file, and readers ignore the torn end of this one.
    pub fn row(&mut self, fs: &dyn Fs, row: &MetricsRow) -> Result<()> {
        let values = row.values.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        self.write(fs, row.env_steps, &EventContent::Scalars(values))
    }

    /// Writes the contact sheets and maps among the drawn `files` as images named `plots/<name>`.
    ///
    /// # Errors
    /// As [`row`](Self::row).
    pub fn pictures(&mut self, fs: &dyn Fs, step: u64, files: &[PathBuf]) -> Result<()> {
        for name in SHOWN {
            let file = files.iter().find(|file| file.ends_with(format!("plots/{name}.png")));
            let png = file.and_then(|file| fs.read(file).ok()).unwrap_or_default();
            if let Some(size) = png_size(&png) {
                self.write(fs, step, &EventContent::Picture(&format!("plots/{name}"), size, &png))?;
            }
        }
        Ok(())
    }

    fn write(&mut self, fs: &dyn Fs, step: u64, content: &EventContent<'_>) -> Result<()> {
        let now = SystemTime::now();
        let data = record(&event(now, step, content));
        match self.file.take() {
            Some(path) => {
                fs.append_synced(&path, &data).map_err(|e| disk_error("extend", &path, &e))?;
                self.file = Some(path);
            }
            None => {
                let path = self.next(fs)?;
                let head =
                    [EventContent::FileVersion, EventContent::Start].map(|content| record(&event(now, step, &content)));
                let created = fs
                    .create_dir(&self.dir)
                    .and_then(|()| fs.write_new_synced(&path, &[&head.concat()[..], &data].concat()));
                created.and_then(|()| fs.sync_dir(&self.dir)).map_err(|e| disk_error("write", &path, &e))?;
                self.file = Some(path);
            }
        }
        Ok(())
    }

    /// Path of the next file. Files are numbered: readers sort them by name, and clocks may be set back.
    fn next(&self, fs: &dyn Fs) -> Result<PathBuf> {
        let names = names_in(fs, &self.dir)?;
        let numbers = names.iter().filter_map(|name| name.strip_prefix(STEM)?.parse::<u64>().ok());
        let next = numbers.max().map_or(0, |last| last.saturating_add(1));
        Ok(self.dir.join(format!("{STEM}{next:06}")))
    }
}

/// `data` as a record.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), data, &masked(data).to_le_bytes()].concat()
}

fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data).rotate_right(15).wrapping_add(0xA282_EAD8)
}

/// Width and height from a PNG's header.
fn png_size(png: &[u8]) -> Option<[u32; 2]> {
    let size = png.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")?.get(..8)?;
    Some([0, 4].map(|at| u32::from_be_bytes([size[at], size[at + 1], size[at + 2], size[at + 3]])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keep::store::faulty::FaultyFs;
    use crate::keep::store::fs::DiskFs;

    #[test]
    fn checksums_are_those_of_rfc_3720() {
        let ascending: Vec<u8> = (0..32).collect();
        let descending: Vec<u8> = (0..32).rev().collect();
        for (data, want) in [
            (&[0u8; 32][..], 0x8A91_36AA_u32),
            (&[0xFF; 32], 0x62A8_AB43),
            (&ascending, 0x46DD_794E),
            (&descending, 0x113F_DB5C),
            (b"123456789", 0xE306_9283),
        ] {
            assert_eq!(crc32c::crc32c(data), want);
        }
        assert_eq!(masked(b""), 0xA282_EAD8);
    }
    #[test]
    fn a_record_equals_one_written_by_tensorboard() {
        let hex: String = record(b"brain.Event:2").iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "0d000000000000003c37b834627261696e2e4576656e743a32ee01067c");
    }

    fn row(step: u64) -> MetricsRow {
        MetricsRow { env_steps: step, values: [("a/b".to_owned(), 0.5)].into() }
    }

    /// Steps of the rows in a file, up to its torn end.
    fn steps(mut file: &[u8]) -> Vec<u8> {
        let mut steps = Vec::new();
        while let Some((length, rest)) = file.split_first_chunk::<8>() {
            let length = u64::from_le_bytes(*length) as usize;
            let Some(data) = rest.get(4..4 + length).filter(|data| file.starts_with(&record(data))) else { break };
            if let [0x10, step, 0x2A, ..] = data[9..] {
                steps.push(step);
            }
            file = &rest[8 + length..];
        }
        steps
    }

    #[test]
    fn each_process_creates_its_file_with_its_first_event() {
        let dir = tempfile::tempdir().unwrap();
        let names = || names_in(&DiskFs, &dir.path().join(DIR)).unwrap();
        for process in 0..3 {
            let mut events = Events::of(dir.path());
            assert_eq!(names().len(), process);
            (1..4).for_each(|step| events.row(&DiskFs, &row(step)).unwrap());
            assert_eq!(steps(&DiskFs.read(events.file.as_ref().unwrap()).unwrap()), [1, 2, 3]);
        }
        assert_eq!(names(), [0, 1, 2].map(|n| format!("events.out.tfevents.00000{n}")));
    }

    #[test]
    fn a_failing_disk_loses_only_the_event_that_returned_an_error() {
        for n in 0..7 {
            let (dir, fs) = (tempfile::tempdir().unwrap(), FaultyFs::new(false));
            let mut events = Events::of(dir.path());
            fs.arm(n);
            let outcomes = (1..6).map(|step| (step as u8, events.row(&fs, &row(step))));
            let (written, failed): (Vec<_>, Vec<_>) = outcomes.partition(|(_, outcome)| outcome.is_ok());
            assert!(fs.heal() && matches!(failed[..], [(_, Err(crate::error::Error::Disk(_)))]), "{n}: {failed:?}");
            let files = names_in(&fs, &dir.path().join(DIR)).unwrap();
            let mut kept: Vec<u8> =
                files.iter().flat_map(|name| steps(&fs.read(&dir.path().join(DIR).join(name)).unwrap())).collect();
            kept.dedup();
            kept.retain(|step| *step != failed[0].0); // it may be complete if only its sync failed
            assert_eq!(kept, written.iter().map(|(step, _)| *step).collect::<Vec<_>>(), "{n}");
        }
    }
}
