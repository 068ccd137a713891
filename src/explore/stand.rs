//! Standing still: while the disk takes nothing, or while it is asked to; with all it has in memory, and nothing lost.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use super::Run;
use super::record::HEARTBEAT;
use crate::error::{Error, Result};
use crate::figures::bytes;
use crate::provenance::{Whose, cpu_s};
use crate::store::fs::disk_error;
use crate::supervise::control::{Request, asked};
use crate::supervise::events::Kind;

/// Room set aside in the run directory, given back when the disk is full.
const BALLAST: &str = "ballast";
/// Time between two looks at what is asked.
const LOOK: Duration = Duration::from_millis(250);

impl Run<'_> {
    /// Whether to end in order. Looks at what is asked from outside, and stands still while that is a pause.
    pub(super) fn stopping(&mut self) -> Result<bool> {
        match self.request() {
            Request::Stop => self.house.stop.store(true, Relaxed),
            Request::Pause => self.rest()?,
            Request::Run => {}
        }
        Ok(self.house.stop.load(Relaxed))
    }

    /// What is asked, as far as it was looked at.
    fn request(&mut self) -> Request {
        if self.house.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return Request::Run;
        }
        self.house.looked = Some(Instant::now());
        asked(&*self.house.fs, self.store.dir())
    }

    /// Until it is asked to go on or to stop.
    fn rest(&mut self) -> Result<()> {
        let why = "it was asked to pause";
        self.durably(|run| run.tell(Kind::Paused, why))?;
        self.durably(|run| run.status("paused", Some(why)))?;
        while !self.house.stop.load(Relaxed) && asked(&*self.house.fs, self.store.dir()) == Request::Pause {
            self.breathe(LOOK);
            if self.told.is_none_or(|told| told.elapsed() >= HEARTBEAT) {
                let _ = self.status("paused", Some(why)); // it is told again
            }
        }
        self.went_on(why);
        Ok(())
    }

    /// Does what needs the disk; as long as the disk refuses, the run stands still and tries again.
    ///
    /// # Errors
    /// What `work` says of anything else; the disk's refusal where the run is asked to stop meanwhile.
    pub(super) fn durably<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        let mut waited: Option<String> = None;
        loop {
            let (cpu, began) = (cpu_s(Whose::Thread), Instant::now());
            let done = work(self);
            let spent = cpu_s(Whose::Thread) - cpu;
            self.state.sums.safety_cpu_s += spent;
            self.state.sums.safety_wait_s += (began.elapsed().as_secs_f64() - spent).max(0.0);
            match done {
                Err(refusal) if refusal.exit_code() == 6 => {
                    let why = refusal.to_string();
                    self.drop_ballast();
                    if waited.is_none() {
                        let _ = self.tell(Kind::Paused, &why); // it is in the log if the disk does not even take this
                    }
                    let _ = self.status("paused", Some(&why));
                    waited = Some(why);
                    self.wait_for_disk(refusal)?;
                }
                done => {
                    if let Some(why) = waited {
                        self.went_on(&why);
                    }
                    return done;
                }
            }
        }
    }

    /// Stands still where less is free than `night.min_free_mb`; `false` where it is asked to stop meanwhile, for which
    /// there is room.
    pub(super) fn need_room(&mut self) -> Result<bool> {
        match self.durably(|run| run.room()) {
            Err(Error::Disk(_)) if self.stop_is_asked() => Ok(false),
            room => room.map(|()| true),
        }
    }

    fn stop_is_asked(&self) -> bool {
        self.house.stop.load(Relaxed) || asked(&*self.house.fs, self.store.dir()) == Request::Stop
    }

    /// Refuses where less is free than `night.min_free_mb`.
    fn room(&self) -> Result<()> {
        let dir = self.store.dir();
        let free = self.house.fs.free_bytes(dir).map_err(|e| disk_error("ask for room at", dir, &e))?;
        let floor = self.cfg.night.min_free_mb * 1_000_000;
        let [has, wants] = [free, floor].map(|n| bytes(n as f64));
        let way = "make room, or lower night.min_free_mb";
        let short = || Error::Disk(format!("{}: the disk has {has} free, less than {wants}; {way}", dir.display()));
        if free < floor { Err(short()) } else { Ok(()) }
    }

    /// Until there is room, for `night.poll_s` at least.
    fn wait_for_disk(&mut self, refusal: Error) -> Result<()> {
        let why = refusal.to_string();
        let pause = Duration::from_secs_f64(self.cfg.night.poll_s);
        loop {
            let began = Instant::now();
            while began.elapsed() < pause {
                if self.stop_is_asked() {
                    return Err(refusal);
                }
                self.breathe(LOOK.min(pause));
            }
            let room = self.lay_ballast().and_then(|()| self.room());
            if room.and_then(|()| self.status("paused", Some(&why))).is_ok() {
                return Ok(());
            }
            self.drop_ballast();
        }
    }

    fn went_on(&mut self, why: &str) {
        let _ = self.tell(Kind::WentOn, &format!("after a pause: {why}")); // whoever needs the disk finds out by itself
        let _ = self.status("exploring", None);
    }

    /// Standing still is healthy: it tells so.
    fn breathe(&mut self, time: Duration) {
        std::thread::sleep(time);
        self.house.pulse.beat();
    }

    /// Sets room aside, where the file system can.
    pub(super) fn lay_ballast(&self) -> Result<()> {
        let path = self.store.dir().join(BALLAST);
        let size = self.cfg.night.ballast_mb * 1_000_000;
        match self.house.fs.reserve(&path, size) {
            Err(e) if size > 0 && e.kind() != std::io::ErrorKind::Unsupported => {
                Err(disk_error("set aside", &path, &e))
            }
            _ => Ok(()),
        }
    }

    /// Gives it back.
    pub(super) fn drop_ballast(&self) {
        let _ = self.house.fs.remove(&self.store.dir().join(BALLAST)); // it is tried again
    }
}
