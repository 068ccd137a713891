//! What is asked of a run from outside: pause, go on, stop.

use std::sync::atomic::Ordering::Relaxed;

use super::Run;
use super::host::LOOK;
use crate::error::{Error, Result};
use crate::keep::supervise::control::{Request, read_request};
use crate::keep::supervise::events::Cause;
use crate::keep::supervise::status::RunPhase;

impl Run<'_> {
    /// True if the run should stop. Blocks while `control` says pause.
    pub(super) fn stopping(&mut self) -> Result<bool> {
        self.log.store.still_ours()?; // else what is asked there is not asked of this run
        match self.host.request(self.log.dir()) {
            Request::Stop => self.host.stop.store(true, Relaxed),
            Request::Pause => self.pause()?,
            Request::Run => {}
        }
        Ok(self.host.stop.load(Relaxed))
    }

    /// Waits until it is asked to go on or to stop.
    fn pause(&mut self) -> Result<()> {
        let (at, why) = (self.position(), "it was asked to pause");
        self.log.durably(&mut self.host, &at, |log| log.paused(&at, Cause::Asked, why))?;
        self.log.durably(&mut self.host, &at, |log| log.status(&at, RunPhase::Paused, Some(why)))?;
        while !self.host.stop.load(Relaxed) && read_request(&*self.host.fs, self.log.dir()) == Request::Pause {
            self.host.breathe(LOOK);
            self.log.store.still_ours()?;
            self.log.heartbeat(&at, RunPhase::Paused, Some(why));
        }
        self.log.went_on(&at, why);
        Ok(())
    }

    /// Waits where less is free than `night.min_free_mb`; `false` where it is asked to stop meanwhile, for which there is
    /// room.
    pub(super) fn need_room(&mut self) -> Result<bool> {
        let at = self.position();
        match self.log.durably(&mut self.host, &at, |log| log.room()) {
            Err(Error::Disk(_)) if self.host.stop_is_asked(self.log.dir()) => Ok(false),
            room => room.map(|()| true),
        }
    }
}
