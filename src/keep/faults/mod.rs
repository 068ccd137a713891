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
pub enum Place {
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
pub enum What {
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
    Nan(Part),
}

/// What becomes not a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
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

const PLACES: [(&str, Place); 7] = [
    ("disk", Place::Disk),
    ("beat", Place::Beat),
    ("page", Place::Page),
    ("update", Place::Update),
    ("vae", Place::Vae),
    ("refresh", Place::Refresh),
    ("episode", Place::Episode),
];

const ON_DISK: [(&str, What); 5] =
    [("kill", What::Kill), ("tear", What::Tear), ("full", What::Full), ("eio", What::Eio), ("short", What::Short)];
const ON_BEATS: [(&str, What); 4] =
    [("kill", What::Kill), ("hang", What::Hang), ("spin", What::Spin), ("panic", What::Panic)];
const PARTS: [(&str, What); 8] = [
    ("nan-reward", What::Nan(Part::Reward)),
    ("nan-latent", What::Nan(Part::Latent)),
    ("nan-action", What::Nan(Part::Action)),
    ("nan-noise", What::Nan(Part::Noise)),
    ("nan-density", What::Nan(Part::Density)),
    ("nan-policy", What::Nan(Part::Policy)),
    ("nan-critic", What::Nan(Part::Critic)),
    ("nan-encoder", What::Nan(Part::Encoder)),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fault {
    what: What,
    place: Place,
    first: u64,
    count: u64,
}

/// The faults of a process; none by default. Clones share their counts.
#[derive(Clone, Debug, Default)]
pub struct Chaos {
    faults: Arc<[Fault]>,
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
    pub fn change(&self) -> Option<What> {
        if self.is_none() { None } else { self.at(Place::Disk, self.changes.fetch_add(1, Relaxed) + 1).next() }
    }

    /// Applies the fault due at this beat of the work, if any.
    pub fn beat(&self) {
        self.suffer(Place::Beat, &self.beats);
    }

    /// Does what the next request of the page shall suffer.
    pub fn request(&self) {
        self.suffer(Place::Page, &self.requests);
    }

    fn suffer(&self, place: Place, count: &AtomicU64) {
        if self.is_none() {
            return;
        }
        match self.at(place, count.fetch_add(1, Relaxed) + 1).next() {
            Some(What::Kill) => kill(),
            Some(What::Hang) => loop {
                std::thread::sleep(std::time::Duration::from_secs(1));
            },
            Some(What::Spin) => loop {
                std::hint::spin_loop();
            },
            #[expect(clippy::panic, reason = "it is what was asked for")]
            Some(What::Panic) => panic!("{VARIABLE} asked for it"),
            _ => {}
        }
    }

    /// What shall not be a number at the `n`-th of `place`.
    pub fn spoils(&self, place: Place, n: u64) -> impl Iterator<Item = Part> + '_ {
        self.at(place, n).filter_map(|what| if let What::Nan(part) = what { Some(part) } else { None })
    }

    fn at(&self, place: Place, n: u64) -> impl Iterator<Item = What> + '_ {
        let hit = move |f: &&Fault| f.place == place && n >= f.first && n - f.first < f.count;
        self.faults.iter().filter(hit).map(|f| f.what)
    }
}

fn fault(text: &str) -> Result<Fault> {
    let read = || {
        let (what, at) = text.split_once('@')?;
        let (place, n) = at.split_once(':')?;
        let (first, count) = n.split_once('+').unwrap_or((n, "1"));
        let place = PLACES.iter().find(|(word, _)| *word == place)?.1;
        let known: &[(&str, What)] = match place {
            Place::Disk => &ON_DISK,
            Place::Beat | Place::Page => &ON_BEATS,
            _ => &PARTS,
        };
        let what = known.iter().find(|(word, _)| *word == what)?.1;
        let fault = Fault { what, place, first: first.parse().ok()?, count: count.parse().ok()? };
        let comes = match what {
            What::Nan(Part::Reward | Part::Latent | Part::Action) => place == Place::Update,
            What::Nan(Part::Noise) => place == Place::Vae,
            What::Nan(Part::Density) => place == Place::Refresh,
            _ => true,
        };
        let from_1 = matches!(place, Place::Disk | Place::Beat | Place::Page | Place::Refresh);
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
