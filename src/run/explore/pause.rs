//! Requests from outside: pause, resume, stop.

use std::sync::atomic::Ordering::Relaxed;

use super::Run;
use super::host::POLL_INTERVAL;
use crate::error::{Error, Result};
use crate::keep::supervise::control::{Request, read_request};
use crate::keep::supervise::events::Cause;
use crate::keep::supervise::status::RunPhase;

impl Run<'_> {
    /// True if the run should stop. Blocks while `control` says pause.
    pub(super) fn should_stop(&mut self) -> Result<bool> {
        self.log.store.still_ours()?; // else `control` is another run's
        match self.host.request(self.log.dir()) {
            Request::Stop => self.host.stop.store(true, Relaxed),
            Request::Pause => self.pause()?,
            Request::Run => {}
        }
        Ok(self.host.stop.load(Relaxed))
    }

    /// Waits until the request is to run or to stop.
    fn pause(&mut self) -> Result<()> {
        let (at, why) = (self.position(), "a pause was requested");
        self.log.retry(&mut self.host, &at, |log| log.record_pause(&at, Cause::Asked, why))?;
        self.log.retry(&mut self.host, &at, |log| log.status(&at, RunPhase::Paused, Some(why)))?;
        while !self.host.stop.load(Relaxed) && read_request(&*self.host.fs, self.log.dir()) == Request::Pause {
            self.host.wait(POLL_INTERVAL);
            self.log.store.still_ours()?;
            self.log.heartbeat(&at, RunPhase::Paused, Some(why));
        }
        self.log.end_pause(&at, why);
        Ok(())
    }

    /// Waits while less than `night.min_free_mb` is free. Returns false if a stop is requested meanwhile, for which
    /// there is room enough.
    pub(super) fn wait_for_room(&mut self) -> Result<bool> {
        let at = self.position();
        match self.log.retry(&mut self.host, &at, |log| log.check_free_space()) {
            Err(Error::Disk(_)) if self.host.stop_requested(self.log.dir()) => Ok(false),
            room => room.map(|()| true),
        }
    }
}
