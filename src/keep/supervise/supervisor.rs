//! `--supervised`: the run is a child process, which is restarted after a crash or a stall, after growing waits and a
//! limited number of times.
//!
//! The child sends heartbeats (`pulse.rs`). This process only receives them and passes them on to its own watchdog. It
//! does none of the child's work, so a crash of the child cannot take it down.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::control::{self, Request};
use super::events::Kind;
use super::notify_socket::{NotifySocket, POLL};
use super::starts::{MAX_WAIT, RestartDecision, Starts};
use super::status::{RunPhase, Status};
use crate::error::{Error, Result};
use crate::keep::store::fs::DiskFs;

/// How long the supervisor waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Seconds without a heartbeat after which a child is killed.
    pub stall_s: f64,
    /// Seconds before the first restart; doubled with each start that saves no new checkpoint, a minute at most.
    pub back_off_s: f64,
    /// Seconds that a child may take to stop after SIGTERM.
    pub end_s: f64,
}

/// A run under supervision.
pub struct Supervisor<'a> {
    /// The program to start.
    pub program: OsString,
    /// Arguments that begin the run; if `dir` is a run already, it is resumed instead.
    pub begin: Vec<OsString>,
    /// Arguments after `resume <dir>`.
    pub resume: Vec<OsString>,
    /// Run directory.
    pub dir: &'a Path,
    /// How long it waits.
    pub patience: Patience,
    /// Whether a signal asked this process to stop.
    pub stop: &'a AtomicBool,
    /// Records an event and its reason in words.
    pub record: &'a mut dyn FnMut(Kind, &str),
}

/// How a child ended.
enum End {
    /// By itself.
    Exited(ExitStatus),
    /// Killed: it sent no heartbeat, or did not stop in time.
    Stalled,
}

impl Supervisor<'_> {
    /// Runs and restarts the child until it ends for good; the exit code to pass on.
    ///
    /// # Errors
    /// `Io` where no child can be started; `Busy` after too many restarts; `Lost` where the directory is gone.
    pub fn watch(&mut self) -> Result<u8> {
        let socket = NotifySocket::bind()?;
        let (mut starts, mut first, mut begun) = (Starts::default(), true, false);
        loop {
            if std::mem::replace(&mut begun, self.is_run()) && !begun {
                let way = "resume it where it is now";
                return Err(Error::Lost(format!("{} is gone or was moved: {way}", self.dir.display())));
            }
            let (before, passes_over) = (checkpoints(self.dir), starts.passes_over());
            let began = Instant::now();
            let mut child = self.start(&socket, passes_over)?;
            let end = self.attend(&socket, &mut child).map_err(|e| cannot("wait for the work", e))?;
            let again = !std::mem::replace(&mut first, false);
            let why = match &end {
                End::Exited(status) => match status.code() {
                    // The run could not be resumed because the disk is full; it may have room again later.
                    Some(NO_DISK) if self.is_run() && !self.is_to_stop() => {
                        self.record_and_wait("the disk had no room to resume it", MAX_WAIT);
                        continue;
                    }
                    Some(code) if is_final(code) => {
                        // A run that has begun records its end itself; one that cannot be resumed does not.
                        if again && ![0, BUSY].contains(&code) && self.is_exploring() {
                            let way = "its last message is on stderr and in run.log";
                            (self.record)(Kind::Failed, &format!("it could not be resumed (code {code}): {way}"));
                        }
                        return Ok(u8::try_from(code).unwrap_or(1));
                    }
                    Some(code) => format!("it ended with code {code}"),
                    None => format!("it was killed by signal {}", status.signal().unwrap_or_default()),
                },
                End::Stalled => format!("it sent no heartbeat for {} s and was killed", self.patience.stall_s),
            };
            if self.is_to_stop() {
                (self.record)(Kind::Stopped, &format!("{why} while stopping; it is as at its last checkpoint"));
                return Ok(BUSY as u8);
            }
            let (newest, from) = (before.first(), before.get(passes_over as usize).or(before.last()));
            let now = checkpoints(self.dir);
            let progressed = now.first() > from && now.first() != newest;
            let verdict = starts.ended(began, Instant::now(), progressed, self.patience.back_off_s);
            match verdict {
                RestartDecision::RestartAfter(wait) => {
                    self.record_and_wait(&why, wait);
                    if self.is_to_stop() {
                        (self.record)(Kind::Stopped, "it was asked to stop before it was restarted");
                        return Ok(0);
                    }
                }
                RestartDecision::GiveUp(times) => {
                    let way = "look at run.log, then resume it";
                    let why = format!(
                        "{why}; {times} starts are too many (five in ten minutes, or ten in a row without a new checkpoint), so it is not restarted: {way}"
                    );
                    (self.record)(Kind::GaveUp, &why);
                    return Err(Error::Busy(format!("{}: {why}", self.dir.display())));
                }
            }
        }
    }

    fn is_run(&self) -> bool {
        self.dir.join(crate::keep::store::RUN_FILE).exists()
    }

    fn is_exploring(&self) -> bool {
        Status::read(&DiskFs, self.dir).is_ok_and(|status| status.state == RunPhase::Exploring)
    }

    fn is_to_stop(&self) -> bool {
        self.stop.load(Relaxed) || control::read_request(&DiskFs, self.dir) == Request::Stop
    }

    fn record_and_wait(&mut self, why: &str, wait: Duration) {
        (self.record)(Kind::Restarted, &format!("{why}; restarted in {:.0} s", wait.as_secs_f64()));
        let began = Instant::now();
        while began.elapsed() < wait && !self.is_to_stop() {
            std::thread::sleep(Duration::from_millis(100).min(wait));
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]); // waiting is no stall
        }
    }

    fn start(&self, socket: &NotifySocket, pass_over: u32) -> Result<Child> {
        let mut command = Command::new(&self.program);
        if self.is_run() {
            command
                .env(super::RESTARTED, "1")
                .arg("resume")
                .arg(self.dir)
                .args(&self.resume)
                .args(["--pass-over", &pass_over.to_string()]);
        } else {
            command.args(&self.begin);
        }
        // In a process group of its own: Ctrl-C in a terminal reaches this process only, which sends one SIGTERM.
        command.process_group(0).stdin(Stdio::null()).env("NOTIFY_SOCKET", &socket.path);
        command.spawn().map_err(|e| cannot("start the work", e))
    }

    /// Waits until the child has ended; stops or kills it when needed.
    fn attend(&self, socket: &NotifySocket, child: &mut Child) -> io::Result<End> {
        let (mut silent, mut polled) = (Duration::ZERO, Instant::now());
        let mut asked: Option<Instant> = None;
        let [stall, patience] = [self.patience.stall_s, self.patience.end_s].map(Duration::from_secs_f64);
        loop {
            let received = socket.received();
            let passed = std::mem::replace(&mut polled, Instant::now()).elapsed();
            // A longer poll means that this process itself was stopped (Ctrl-Z, a frozen container, a suspended machine).
            silent = if received { Duration::ZERO } else { silent + passed.min(2 * POLL) };
            if let Some(status) = child.try_wait()? {
                return Ok(End::Exited(status));
            }
            if self.stop.load(Relaxed) && asked.is_none() {
                asked = Some(Instant::now());
                signal(child, Signal::TERM);
            }
            let overdue = asked.is_some_and(|at| at.elapsed() > patience);
            let stalled = silent > if asked.is_some() { 2 * stall } else { stall };
            if overdue || stalled {
                signal(child, Signal::KILL);
                child.wait()?;
                return Ok(End::Stalled);
            }
        }
    }
}

/// Exit code for a disk that refuses writes.
const NO_DISK: i32 = 6;
/// Exit code for a run that another process holds, that is not restarted any more, or that had to be killed.
const BUSY: i32 = 75;

/// Exit codes after which a restart would end the same way: finished, usage, damage, safety stop, too little disk space
/// (at the start, or while stopping), non-finite values, another process.
fn is_final(code: i32) -> bool {
    [0, 2, 3, 5, NO_DISK, 70, BUSY].contains(&code)
}

/// Updates of the checkpoints, newest first.
fn checkpoints(dir: &Path) -> Vec<u64> {
    crate::keep::checkpoint::updates(dir).unwrap_or_default()
}

fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal); // it may have ended by itself
    }
}

fn cannot(what: &str, source: io::Error) -> Error {
    Error::Io { what: format!("the supervisor cannot {what}"), source }
}
