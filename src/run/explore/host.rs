//! Services of the process: file system, signals, watchdog, injected faults, progress reports, log.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, atomic::AtomicBool};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::writer::MakeWriterExt;

use crate::error::{Error, Result};
use crate::keep::faults::{Chaos, VARIABLE, disk::disk};
use crate::keep::store::fs::Fs;
use crate::keep::supervise::control::{self, Request, read_request};
use crate::keep::supervise::log::RollingLog;
use crate::keep::supervise::pulse::Pulse;
use crate::run::progress::Progress;

/// Time between two reads of `control`.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Services of the process that runs the loop.
pub(super) struct Host<'a> {
    pub fs: Arc<dyn Fs>,
    pub stop: Arc<AtomicBool>,
    pub pulse: Pulse,
    pub faults: Chaos,
    pub progress: &'a mut dyn Progress,
    /// Counts work besides steps and updates: episodes read, checkpoints, pictures drawn.
    pub work: u64,
    /// Time of the last read of `control`.
    polled: Option<Instant>,
}

impl<'a> Host<'a> {
    /// Sets up disk, faults and signal handlers of this process.
    pub(super) fn of_this_process(progress: &'a mut dyn Progress) -> Result<Self> {
        let faults = Chaos::from_env()?;
        let (fs, stop, pulse) = (disk(&faults), stop_flag(true), Pulse::new(faults.clone()));
        Ok(Self { fs, stop, pulse, faults, progress, work: 0, polled: None })
    }

    /// Logs an error if faults are configured.
    pub(super) fn warn_of_faults(&self) {
        if !self.faults.is_none() {
            tracing::error!("{VARIABLE} is set: this run injects faults");
        }
    }

    /// Deletes requests to an earlier process, unless a supervisor has restarted this one.
    pub(super) fn clear_requests(&self, dir: &Path) {
        if std::env::var_os(crate::keep::supervise::RESTARTED).is_none() {
            control::clear_request(&*self.fs, dir);
        }
    }

    /// The current request in `control`, read at most once in [`POLL_INTERVAL`].
    pub(super) fn request(&mut self, dir: &Path) -> Request {
        if self.polled.is_some_and(|at| at.elapsed() < POLL_INTERVAL) {
            return Request::Run;
        }
        self.polled = Some(Instant::now());
        read_request(&*self.fs, dir)
    }

    /// True if a signal or `control` requests a stop.
    pub(super) fn stop_requested(&self, dir: &Path) -> bool {
        self.stop.load(Relaxed) || read_request(&*self.fs, dir) == Request::Stop
    }

    /// Sleeps for `time`, then sends a heartbeat: a pause is not a hang.
    pub(super) fn wait(&mut self, time: Duration) {
        std::thread::sleep(time);
        self.pulse.beat();
    }
}

/// Returns a flag that SIGTERM, SIGINT and SIGHUP set to request a stop. With `impatient`, a second Ctrl-C ends the
/// process at once. An ignored SIGHUP, as under `nohup`, stays ignored.
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

/// True if this process was started with SIGHUP ignored; false if the system does not report it.
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 1)
}

/// Sends log events to the run's `run.log`, and errors to stderr too. A panic's message goes to both. Only the first
/// run of a process gets a log.
pub(super) fn log_to(dir: &Path, megabytes: f64) -> Result<()> {
    let path = dir.join("run.log");
    let file = RollingLog::open(&path, (megabytes * 1e6) as u64);
    let file = file.map_err(|source| Error::Io { what: format!("{}: cannot be written", path.display()), source })?;
    let writer = Mutex::new(file).and(std::io::stderr.with_max_level(tracing::Level::ERROR));
    let log = tracing_subscriber::fmt().log_internal_errors(false).with_ansi(false).with_target(false);
    if log.with_writer(writer).try_init().is_ok() {
        let to_stderr = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            tracing::warn!("{panic}"); // not an error: stderr would show it twice
            to_stderr(panic);
        }));
    }
    Ok(())
}
