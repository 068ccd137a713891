//! What surrounds a run in this process: the disk, signals, the log, who watches, what shall go wrong.

use std::path::Path;
use std::sync::{Arc, Mutex, atomic::AtomicBool};
use std::time::Instant;

use tracing_subscriber::fmt::writer::MakeWriterExt;

use crate::chaos::Chaos;
use crate::error::{Error, Result};
use crate::store::fs::Fs;
use crate::store::trouble::disk;
use crate::supervise::control;
use crate::supervise::log::RollingLog;
use crate::supervise::pulse::Pulse;

/// What surrounds a run: the disk, who asks it to stop, who watches, what shall go wrong.
pub(super) struct House {
    pub fs: Arc<dyn Fs>,
    pub stop: Arc<AtomicBool>,
    pub pulse: Pulse,
    pub chaos: Chaos,
    /// When `control` was looked at last.
    pub looked: Option<Instant>,
}

impl House {
    /// The disk, faults and signals of this process.
    pub(super) fn of_this_process() -> Result<Self> {
        let chaos = Chaos::from_env()?;
        Ok(Self { fs: disk(&chaos), stop: stop_flag(true), pulse: Pulse::new(chaos.clone()), chaos, looked: None })
    }

    /// What was asked of an earlier process is done with, unless a supervisor goes on with the same run.
    pub(super) fn forget_requests(&self, dir: &Path) {
        if std::env::var_os(crate::supervise::RESTARTED).is_none() {
            control::forget(&*self.fs, dir);
        }
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
