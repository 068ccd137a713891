//! Faults on purpose: `SKEWFIT_CHAOS` says what goes wrong and when, so that anyone can see a night survive it.
//!
//! `what@place:n` or `what@place:n+count`, comma-separated; `disk`, `beat` and `page` are counted from 1 in each process,
//! the others are the run's own counters. On `disk` (changes: create, write, sync, rename, ...): `kill` before it, `tear`
//! (half of a write, then kill), `full`, `eio`, `short` (half of a write, then full). On `beat` (of the work) and `page` (a
//! request of it): `kill`, `hang`, `spin`, `panic`. On `update`, `vae`, `refresh`, `episode`: `nan-<part>`, a
//! part of a batch on `update`, the noise on `vae`, a density on `refresh`. It is loud in the log, and off unless asked for.

pub mod disk;
#[cfg(test)]
mod tests;

use std::env::VarError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::error::{Error, Result};

/// The variable.
pub const VARIABLE: &str = "SKEWFIT_CHAOS";

/// Where faults are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultSite {
    /// Changes of the disk.
    Disk,
    /// Beats of the work.
    Beat,
    /// Requests of the page.
    Page,
    /// SAC updates, by number from 0.
    Update,
    /// VAE minibatches, by number from 0.
    Vae,
    /// Refreshes of the latents, by number from 1.
    Refresh,
    /// Tries at an episode, from 0: its id and what was left out before.
    Episode,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The process is killed, as by `kill -9`.
    Kill,
    /// Half of a write, then that.
    Tear,
    /// No space left.
    Full,
    /// Input/output error.
    Eio,
    /// Half of a write, then no space left.
    Short,
    /// The thread waits for ever.
    Hang,
    /// The thread computes for ever.
    Spin,
    /// The thread panics.
    Panic,
    /// A part of what is learned from is not a number.
    Nan(NanTarget),
}

/// What becomes not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NanTarget {
    /// A reward of the batch.
    Reward,
    /// A latent of the batch.
    Latent,
    /// An action of the batch.
    Action,
    /// The noise of a minibatch: its loss and gradient follow.
    Noise,
    /// A log density.
    Density,
    /// A parameter of the policy, which stays.
    Policy,
    /// A parameter of a critic, which stays.
    Critic,
    /// A parameter of the VAE, which stays.
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
    /// What the environment asks for.
    ///
    /// # Errors
    /// `Usage` where it cannot be understood.
    pub fn from_env() -> Result<Self> {
        match std::env::var(VARIABLE) {
            Ok(text) => Self::parse(&text),
            Err(VarError::NotPresent) => Ok(Self::default()),
            Err(VarError::NotUnicode(text)) => Self::parse(&text.to_string_lossy()),
        }
    }

    /// As the head of this file says.
    ///
    /// # Errors
    /// `Usage`, naming the part that cannot be understood.
    pub fn parse(text: &str) -> Result<Self> {
        let faults = text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(fault);
        Ok(Self { faults: faults.collect::<Result<_>>()?, ..Self::default() })
    }

    /// Whether no faults are configured.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.faults.is_empty()
    }

    /// The fault of the next change of the disk.
    pub fn change(&self) -> Option<FaultKind> {
        if self.is_none() { None } else { self.at(FaultSite::Disk, self.changes.fetch_add(1, Relaxed) + 1).next() }
    }

    /// Applies the fault due at this beat of the work, if any.
    pub fn beat(&self) {
        self.apply_next(FaultSite::Beat, &self.beats);
    }

    /// Does what the next request of the page shall suffer.
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
            #[expect(clippy::panic, reason = "it is what was asked for")]
            Some(FaultKind::Panic) => panic!("{VARIABLE} asked for it"),
            _ => {}
        }
    }

    /// What shall not be a number at the `n`-th of `place`.
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
        let comes = match what {
            FaultKind::Nan(NanTarget::Reward | NanTarget::Latent | NanTarget::Action) => place == FaultSite::Update,
            FaultKind::Nan(NanTarget::Noise) => place == FaultSite::Vae,
            FaultKind::Nan(NanTarget::Density) => place == FaultSite::Refresh,
            _ => true,
        };
        let from_1 = matches!(place, FaultSite::Disk | FaultSite::Beat | FaultSite::Page | FaultSite::Refresh);
        (comes && fault.count > 0 && fault.first >= u64::from(from_1)).then_some(fault) // else it would never come
    };
    let way = "write what@place:n or what@place:n+count, as in kill@disk:40 or nan-reward@update:7+3";
    read().ok_or_else(|| Error::Usage(format!("{VARIABLE}: `{text}` cannot be understood: {way}")))
}

/// Ends this process as `kill -9` does: no destructor, no handler.
pub fn kill() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    loop {
        std::thread::sleep(std::time::Duration::from_secs(1)); // until the signal arrives
    }
}
