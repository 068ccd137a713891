//! Retries when the disk fails: the run keeps everything in memory, waits, and tries the same write again.

use std::time::{Duration, Instant};

use super::host::{Host, POLL_INTERVAL};
use super::recorder::{Position, Recorder};
use crate::error::{Error, Result};
use crate::format::bytes;
use crate::keep::provenance::{CpuClock, cpu_s};
use crate::keep::store::fs::disk_error;
use crate::keep::supervise::events::{Cause, Kind};
use crate::keep::supervise::status::RunPhase;

/// File that reserves room in the run directory; it is deleted when the disk is full.
const BALLAST: &str = "ballast";

impl Recorder {
    /// Does `work`. While it fails with a disk error, pauses the run and retries.
    ///
    /// # Errors
    /// Any other error of `work`; the disk error if a stop is requested meanwhile.
    pub(super) fn retry<T>(
        &mut self,
        host: &mut Host<'_>,
        at: &Position,
        mut work: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let mut waited: Option<String> = None;
        loop {
            let (cpu, began) = (cpu_s(CpuClock::Thread), Instant::now());
            let done = self.store.still_ours().and_then(|()| work(self));
            let spent = cpu_s(CpuClock::Thread) - cpu;
            self.safety.cpu_s += spent;
            self.safety.wait_s += (began.elapsed().as_secs_f64() - spent).max(0.0);
            match done {
                Err(refusal) if refusal.is_disk() => {
                    let why = refusal.to_string();
                    self.release_ballast();
                    if waited.is_none() {
                        let _ = self.record_pause(at, Cause::Disk, &why); // the disk may take it
                    }
                    let _ = self.status(at, RunPhase::Paused, Some(&why));
                    waited = Some(why);
                    self.wait_for_disk(host, at, refusal)?;
                }
                done => {
                    if let Some(why) = waited {
                        self.end_pause(at, &why);
                    }
                    return done;
                }
            }
        }
    }

    /// Waits at least `night.poll_s`, until there is room again.
    fn wait_for_disk(&mut self, host: &mut Host<'_>, at: &Position, refusal: Error) -> Result<()> {
        let why = refusal.to_string();
        let pause = Duration::from_secs_f64(self.night.poll_s);
        loop {
            let began = Instant::now();
            while began.elapsed() < pause {
                if host.stop_requested(self.dir()) {
                    return Err(refusal);
                }
                host.wait(POLL_INTERVAL.min(pause));
                self.store.still_ours()?;
            }
            let room = self.reserve_ballast().and_then(|()| self.check_free_space());
            if room.and_then(|()| self.status(at, RunPhase::Paused, Some(&why))).is_ok() {
                return Ok(());
            }
            self.release_ballast();
        }
    }

    /// Records that a pause is over; best effort, the next durable write reports the error.
    pub(super) fn end_pause(&mut self, at: &Position, why: &str) {
        let _ = self.event(at, Kind::WentOn, &format!("the pause is over ({why})"));
        let _ = self.status(at, RunPhase::Exploring, None);
    }

    /// Fails with `Disk` if less than `night.min_free_mb` is free.
    pub(super) fn check_free_space(&self) -> Result<()> {
        let dir = self.dir();
        let free = self.fs.free_bytes(dir).map_err(|e| disk_error("read the free space of", dir, &e))?;
        let floor = self.night.min_free_mb * 1_000_000;
        let [has, wants] = [free, floor].map(|n| bytes(n as f64));
        let way = "make room, or lower night.min_free_mb";
        let short = || Error::Disk(format!("{}: the disk has {has} free, less than {wants}; {way}", dir.display()));
        if free < floor { Err(short()) } else { Ok(()) }
    }

    /// Reserves the ballast, if the file system supports it.
    pub(super) fn reserve_ballast(&self) -> Result<()> {
        let path = self.dir().join(BALLAST);
        let size = self.night.ballast_mb * 1_000_000;
        match self.fs.reserve(&path, size) {
            Err(e) if size > 0 && e.kind() != std::io::ErrorKind::Unsupported => Err(disk_error("reserve", &path, &e)),
            _ => Ok(()),
        }
    }

    /// Deletes the ballast; best effort.
    pub(super) fn release_ballast(&self) {
        let _ = self.fs.remove(&self.dir().join(BALLAST));
    }
}
