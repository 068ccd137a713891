//! Fault injection: `SKEWFIT_CHAOS` says which faults occur and when, so anyone can test that a run survives them.
//!
//! The variable holds `what@place:n` or `what@place:n+count`, comma-separated. The fault occurs at count `n` of the
//! place, or at `count` counts from `n` on. The places and their faults:
//!
//! - `disk`, changes (create, write, sync, rename, ...) of this process, from 1: `kill` before it, `tear` (half of a
//!   write, then kill), `full`, `eio`, `short` (half of a write, then full).
//! - `beat` and `page`, heartbeats and requests to the page, of this process, from 1: `kill`, `hang`, `spin`, `panic`.
//! - `update`, SAC updates of the run, from 0: `nan-reward`, `nan-latent`, `nan-action`.
//! - `vae`, VAE minibatches of the run, from 0: `nan-noise`.
//! - `refresh`, refreshes of the run, from 1: `nan-density`.
//! - `episode`, attempts at an episode of the run, from 0.
//! - `nan-policy`, `nan-critic` and `nan-encoder` on any of the last four places.
//!
//! Off by default; a run with faults says so in its log.

pub mod disk;
#[cfg(test)]
mod tests;

use std::env::VarError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::{Error, Result};

/// The environment variable.
pub const VARIABLE: &str = "SKEWFIT_CHAOS";

/// Where a fault occurs, and what is counted to find its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultSite {
    /// Changes to the disk, from 1.
    Disk,
    /// Heartbeats, from 1.
    Beat,
    /// Requests to the page, from 1.
    Page,
    /// SAC updates, from 0.
    Update,
    /// VAE minibatches, from 0.
    Vae,
    /// Refreshes of the latents, from 1.
    Refresh,
    /// Attempts at an episode, from 0: the episode's id plus the number of updates and episodes skipped before.
    Episode,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The process is killed, as by `kill -9`.
    Kill,
    /// Half of a write, then the process is killed.
    Tear,
    /// The change fails: no space left.
    Full,
    /// The change fails: input/output error.
    Eio,
    /// Half of a write, then it fails: no space left.
    Short,
    /// The thread sleeps for ever.
    Hang,
    /// The thread computes for ever.
    Spin,
    /// The thread panics.
    Panic,
    /// A value that learning uses becomes NaN.
    Nan(NanTarget),
}

/// The value that becomes NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NanTarget {
    /// A reward of the batch.
    Reward,
    /// A latent of the batch.
    Latent,
    /// An action of the batch.
    Action,
    /// The noise of a minibatch, and with it loss and gradient.
    Noise,
    /// A log density of a refresh.
    Density,
    /// A parameter of the policy; it stays NaN.
    Policy,
    /// A parameter of a critic; it stays NaN.
    Critic,
    /// A parameter of the VAE's encoder; it stays NaN.
    Encoder,
}

const SITES: [(&str, FaultSite); 7] = [
    ("disk", FaultSite::Disk),
    ("beat", FaultSite::Beat),
    ("page", FaultSite::Page),
    ("update", FaultSite::Update),
    ("vae", FaultSite::Vae),
    ("refresh", FaultSite::Refresh),
    ("episode", FaultSite::Episode),
];

const ON_DISK: [(&str, FaultKind); 5] = [
    ("kill", FaultKind::Kill),
    ("tear", FaultKind::Tear),
    ("full", FaultKind::Full),
    ("eio", FaultKind::Eio),
    ("short", FaultKind::Short),
];
const ON_BEATS: [(&str, FaultKind); 4] =
    [("kill", FaultKind::Kill), ("hang", FaultKind::Hang), ("spin", FaultKind::Spin), ("panic", FaultKind::Panic)];
const ON_LEARNING: [(&str, FaultKind); 8] = [
    ("nan-reward", FaultKind::Nan(NanTarget::Reward)),
    ("nan-latent", FaultKind::Nan(NanTarget::Latent)),
    ("nan-action", FaultKind::Nan(NanTarget::Action)),
    ("nan-noise", FaultKind::Nan(NanTarget::Noise)),
    ("nan-density", FaultKind::Nan(NanTarget::Density)),
    ("nan-policy", FaultKind::Nan(NanTarget::Policy)),
    ("nan-critic", FaultKind::Nan(NanTarget::Critic)),
    ("nan-encoder", FaultKind::Nan(NanTarget::Encoder)),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScheduledFault {
    what: FaultKind,
    place: FaultSite,
    first: u64,
    count: u64,
}

/// The faults of a process; none by default. Clones share their counts.
#[derive(Clone, Debug, Default)]
pub struct Chaos {
    faults: Arc<[ScheduledFault]>,
    changes: Arc<AtomicU64>,
    beats: Arc<AtomicU64>,
    requests: Arc<AtomicU64>,
}

impl Chaos {
    /// The faults that the environment variable asks for; none if it is not set.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn from_env() -> Result<Self> {
        match std::env::var(VARIABLE) {
            Ok(text) => Self::parse(&text),
            Err(VarError::NotPresent) => Ok(Self::default()),
            Err(VarError::NotUnicode(text)) => Self::parse(&text.to_string_lossy()),
        }
    }

    /// Parses the value of the variable, in the form given at the head of this file.
    ///
    /// # Errors
    /// `Usage`: names the fault that cannot be parsed.
    pub fn parse(text: &str) -> Result<Self> {
        let faults = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(fault);
        Ok(Self { faults: faults.collect::<Result<_>>()?, ..Self::default() })
    }

    /// Whether no faults are configured.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.faults.is_empty()
    }

    /// Counts a change to the disk and returns its fault, if any.
    pub fn change(&self) -> Option<FaultKind> {
        if self.is_none() { None } else { self.at(FaultSite::Disk, self.changes.fetch_add(1, Relaxed) + 1).next() }
    }

    /// Counts a heartbeat and applies its fault, if any.
    pub fn beat(&self) {
        self.apply_next(FaultSite::Beat, &self.beats);
    }

    /// Counts a request to the page and applies its fault, if any.
    pub fn request(&self) {
        self.apply_next(FaultSite::Page, &self.requests);
    }

    fn apply_next(&self, place: FaultSite, count: &AtomicU64) {
        if self.is_none() {
            return;
        }
        match self.at(place, count.fetch_add(1, Relaxed) + 1).next() {
            Some(FaultKind::Kill) => kill(),
            Some(FaultKind::Hang) => loop {
                std::thread::sleep(std::time::Duration::from_secs(1));
            },
            Some(FaultKind::Spin) => loop {
                std::hint::spin_loop();
            },
            #[expect(clippy::panic, reason = "the user asked for a panic")]
            Some(FaultKind::Panic) => panic!("{VARIABLE} asked for it"),
            _ => {}
        }
    }

    /// The values that become NaN at count `n` of `place`.
    pub fn nan_targets(&self, place: FaultSite, n: u64) -> impl Iterator<Item = NanTarget> + '_ {
        self.at(place, n).filter_map(|what| if let FaultKind::Nan(part) = what { Some(part) } else { None })
    }

    fn at(&self, place: FaultSite, n: u64) -> impl Iterator<Item = FaultKind> + '_ {
        let hit = move |f: &&ScheduledFault| f.place == place && n >= f.first && n - f.first < f.count;
        self.faults.iter().filter(hit).map(|f| f.what)
    }
}

fn fault(text: &str) -> Result<ScheduledFault> {
    let read = || {
        let (what, at) = text.split_once('@')?;
        let (place, n) = at.split_once(':')?;
        let (first, count) = n.split_once('+').unwrap_or((n, "1"));
        let place = SITES.iter().find(|(word, _)| *word == place)?.1;
        let known: &[(&str, FaultKind)] = match place {
            FaultSite::Disk => &ON_DISK,
            FaultSite::Beat | FaultSite::Page => &ON_BEATS,
            _ => &ON_LEARNING,
        };
        let what = known.iter().find(|(word, _)| *word == what)?.1;
        let fault = ScheduledFault { what, place, first: first.parse().ok()?, count: count.parse().ok()? };
        let occurs = match what {
            FaultKind::Nan(NanTarget::Reward | NanTarget::Latent | NanTarget::Action) => place == FaultSite::Update,
            FaultKind::Nan(NanTarget::Noise) => place == FaultSite::Vae,
            FaultKind::Nan(NanTarget::Density) => place == FaultSite::Refresh,
            _ => true,
        };
        let from_1 = matches!(place, FaultSite::Disk | FaultSite::Beat | FaultSite::Page | FaultSite::Refresh);
        (occurs && fault.count > 0 && fault.first >= u64::from(from_1)).then_some(fault) // else it would never occur
    };
    let way = "write what@place:n or what@place:n+count, as in kill@disk:40 or nan-reward@update:7+3";
    read().ok_or_else(|| Error::Usage(format!("{VARIABLE}: `{text}` cannot be understood: {way}")))
}

/// Ends this process as `kill -9` does: no destructor and no handler runs.
pub fn kill() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1)); // until the signal arrives
    }
}
