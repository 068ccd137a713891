//! The process around a run: file system, signals, watchdog, faults on purpose, who is told, the log.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, atomic::AtomicBool};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::writer::MakeWriterExt;

use crate::error::{Error, Result};
use crate::keep::faults::{Chaos, VARIABLE, disk::disk};
use crate::keep::store::fs::Fs;
use crate::keep::supervise::control::{self, Request, asked};
use crate::keep::supervise::log::RollingLog;
use crate::keep::supervise::pulse::Pulse;
use crate::run::progress::Progress;

/// Time between two looks at what is asked.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// What a run needs of the process that it runs in.
pub(super) struct Host<'a> {
    pub fs: Arc<dyn Fs>,
    pub stop: Arc<AtomicBool>,
    pub pulse: Pulse,
    pub faults: Chaos,
    pub progress: &'a mut dyn Progress,
    /// Work done besides steps and updates: attempts, episodes read, pictures drawn.
    pub work: u64,
    /// When `control` was looked at last.
    polled: Option<Instant>,
}

impl<'a> Host<'a> {
    /// The disk, faults and signals of this process.
    pub(super) fn of_this_process(progress: &'a mut dyn Progress) -> Result<Self> {
        let faults = Chaos::from_env()?;
        let (fs, stop, pulse) = (disk(&faults), stop_flag(true), Pulse::new(faults.clone()));
        Ok(Self { fs, stop, pulse, faults, progress, work: 0, polled: None })
    }

    /// Says in the log that faults are on; they are never silent.
    pub(super) fn warn_of_faults(&self) {
        if !self.faults.is_none() {
            tracing::error!("{VARIABLE} is set: faults on purpose");
        }
    }

    /// Drops what was asked of an earlier process, unless a supervisor goes on with the same run.
    pub(super) fn clear_requests(&self, dir: &Path) {
        if std::env::var_os(crate::keep::supervise::RESTARTED).is_none() {
            control::forget(&*self.fs, dir);
        }
    }

    /// What is asked from outside, read at most every [`POLL_INTERVAL`].
    pub(super) fn request(&mut self, dir: &Path) -> Request {
        if self.polled.is_some_and(|at| at.elapsed() < POLL_INTERVAL) {
            return Request::Run;
        }
        self.polled = Some(Instant::now());
        asked(&*self.fs, dir)
    }

    /// Whether a signal or a request asks for an end.
    pub(super) fn stop_requested(&self, dir: &Path) -> bool {
        self.stop.load(Relaxed) || asked(&*self.fs, dir) == Request::Stop
    }

    /// Sleeps, and gives a sign of life: waiting is healthy.
    pub(super) fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
        self.pulse.beat();
    }
}
/// SIGTERM, SIGINT and SIGHUP ask for an orderly stop; with `impatient`, a second Ctrl-C ends the process at once. A SIGHUP
/// that is ignored, as under `nohup`, stays so.
pub fn stop_flag(impatient: bool) -> Arc<AtomicBool> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let flag = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT, SIGHUP].into_iter().filter(|signal| *signal != SIGHUP || !hangup_is_ignored()) {
        let second = || signal_hook::flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&flag));
        let handled = if impatient && signal == SIGINT { second().map(drop) } else { Ok(()) };
        if let Err(e) = handled.and(signal_hook::flag::register(signal, Arc::clone(&flag)).map(drop)) {
            tracing::warn!("signal {signal} cannot be handled: {e}");
        }
    }
    flag
}

/// Whether this process was begun with SIGHUP ignored; where the system does not tell, not.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Events go to the run's `run.log`, errors to stderr as well, and so do the last words of a thread that panics; the first
/// run of a process takes it.
pub(super) fn log_to(dir: &Path, megabytes: f64) -> Result<()> {
    let path = dir.join("run.log");
    let file = RollingLog::open(&path, (megabytes * 1e6) as u64);
    let file = file.map_err(|source| Error::Io { what: format!("{}: cannot write it", path.display()), source })?;
    let writer = Mutex::new(file).and(std::io::stderr.with_max_level(tracing::Level::ERROR));
    let log = tracing_subscriber::fmt().log_internal_errors(false).with_ansi(false).with_target(false);
    if log.with_writer(writer).try_init().is_ok() {
        let to_stderr = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            tracing::warn!("{panic}"); // not an error, which stderr would have twice
            to_stderr(panic);
        }));
    }
    Ok(())
}
