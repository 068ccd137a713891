//! Writing to a disk that may refuse: the run waits with all it has in memory, and tries the same write again.

use std::time::{Duration, Instant};

use super::host::{Host, POLL_INTERVAL};
use super::recorder::{Position, Recorder};
use crate::error::{Error, Result};
use crate::format::bytes;
use crate::keep::provenance::{Whose, cpu_s};
use crate::keep::store::fs::disk_error;
use crate::keep::supervise::events::{Cause, Kind};
use crate::keep::supervise::status::Phase;

/// Room set aside in the run directory, given back when the disk is full.
const BALLAST: &str = "ballast";

impl Recorder {
    /// Does what needs the disk; as long as the disk refuses, waits and tries again.
    ///
    /// # Errors
    /// What `work` reports of anything else; the disk's refusal where the run is asked to stop meanwhile.
    pub(super) fn retry<T>(
        &mut self,
        host: &mut Host<'_>,
        at: &Position,
        mut work: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let mut waited: Option<String> = None;
        loop {
            let (cpu, began) = (cpu_s(Whose::Thread), Instant::now());
            let done = self.store.still_ours().and_then(|()| work(self));
            let spent = cpu_s(Whose::Thread) - cpu;
            self.safety.cpu_s += spent;
            self.safety.wait_s += (began.elapsed().as_secs_f64() - spent).max(0.0);
            match done {
                Err(refusal) if refusal.is_disk() => {
                    let why = refusal.to_string();
                    self.release_ballast();
                    if waited.is_none() {
                        let _ = self.record_pause(at, Cause::Disk, &why); // in the log at least
                    }
                    let _ = self.status(at, Phase::Paused, Some(&why));
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

    /// Waits until there is room, for `night.poll_s` at least.
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
            if room.and_then(|()| self.status(at, Phase::Paused, Some(&why))).is_ok() {
                return Ok(());
            }
            self.release_ballast();
        }
    }

    /// Records that a pause is over; best effort, the next durable write reports the error.
    pub(super) fn end_pause(&mut self, at: &Position, why: &str) {
        let _ = self.event(at, Kind::WentOn, &format!("after a pause: {why}"));
        let _ = self.status(at, Phase::Exploring, None);
    }

    /// Refuses where less is free than `night.min_free_mb`.
    pub(super) fn check_free_space(&self) -> Result<()> {
        let dir = self.dir();
        let free = self.fs.free_bytes(dir).map_err(|e| disk_error("ask for room at", dir, &e))?;
        let floor = self.night.min_free_mb * 1_000_000;
        let [has, wants] = [free, floor].map(|n| bytes(n as f64));
        let way = "make room, or lower night.min_free_mb";
        let short = || Error::Disk(format!("{}: the disk has {has} free, less than {wants}; {way}", dir.display()));
        if free < floor { Err(short()) } else { Ok(()) }
    }

    /// Sets room aside, where the file system can.
    pub(super) fn reserve_ballast(&self) -> Result<()> {
        let path = self.dir().join(BALLAST);
        let size = self.night.ballast_mb * 1_000_000;
        match self.fs.reserve(&path, size) {
            Err(e) if size > 0 && e.kind() != std::io::ErrorKind::Unsupported => {
                Err(disk_error("set aside", &path, &e))
            }
            _ => Ok(()),
        }
    }

    /// Gives it back; best effort.
    pub(super) fn release_ballast(&self) {
        let _ = self.fs.remove(&self.dir().join(BALLAST));
    }
}
