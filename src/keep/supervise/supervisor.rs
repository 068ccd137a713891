//! `--supervised`: the work is done in a child process, which is started again after a crash or a stall, ever later,
//! and not for ever.
//!
//! The child tells signs of life that it has earned (`pulse.rs`); this process only listens, passes them on to whoever
//! started it, and never works itself, so nothing that befalls the work befalls it.

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
use super::notify_socket::NotifySocket;
use super::starts::{MAX_WAIT, RestartDecision, Starts};
use super::status::{RunPhase, Status};
use crate::error::{Error, Result};
use crate::keep::store::fs::DiskFs;

/// How long it waits, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Seconds without a sign of life after which a child is killed.
    pub stall_s: f64,
    /// Seconds before the second start; doubled with each start that comes to nothing, a minute at most.
    pub back_off_s: f64,
    /// Seconds that a child may take to end in order.
    pub end_s: f64,
}

/// A run under supervision.
pub struct Supervisor<'a> {
    /// The program.
    pub program: OsString,
    /// Arguments that begin the run; where `dir` is one already, it is taken up.
    pub begin: Vec<OsString>,
    /// Arguments that take it up go after `resume <dir>`.
    pub resume: Vec<OsString>,
    /// Run directory.
    pub dir: &'a Path,
    /// How long it waits.
    pub patience: Patience,
    /// Whether it was asked to end.
    pub stop: &'a AtomicBool,
    /// What happened, in words: a restart, giving up.
    pub record: &'a mut dyn FnMut(Kind, &str),
}

/// How a child ended.
enum End {
    /// By itself.
    Exited(ExitStatus),
    /// Killed, for want of a sign of life.
    Stalled,
}

impl Supervisor<'_> {
    /// Until the child ends in order, or does not come to anything any more. The exit code to pass on.
    ///
    /// # Errors
    /// `Io` where no child can be started; `Busy` after too many starts (a restart storm).
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
                    // A run that could not even be taken up: the disk is full, and may have room again.
                    Some(NO_DISK) if self.is_run() && !self.is_to_stop() => {
                        self.tell_and_wait("the disk had no room to take it up", MAX_WAIT);
                        continue;
                    }
                    Some(code) if is_final(code) => {
                        // A run that was begun tells its end itself; one that cannot be taken up any more does not.
                        if again && ![0, BUSY].contains(&code) && self.is_exploring() {
                            let way = "what it said last is on stderr and in run.log";
                            (self.record)(
                                Kind::Failed,
                                &format!("it could not be taken up again (code {code}): {way}"),
                            );
                        }
                        return Ok(u8::try_from(code).unwrap_or(1));
                    }
                    Some(code) => format!("it ended with code {code}"),
                    None => format!("it was killed by signal {}", status.signal().unwrap_or_default()),
                },
                End::Stalled => format!("it gave no sign of life for {} s and was killed", self.patience.stall_s),
            };
            if self.is_to_stop() {
                (self.record)(Kind::Stopped, &format!("{why} while it was to stop; it is as at its last checkpoint"));
                return Ok(BUSY as u8);
            }
            let (newest, from) = (before.first(), before.get(passes_over as usize).or(before.last()));
            let now = checkpoints(self.dir);
            let progressed = now.first() > from && now.first() != newest;
            let verdict = starts.ended(began, Instant::now(), progressed, self.patience.back_off_s);
            match verdict {
                RestartDecision::RestartAfter(wait) => {
                    self.tell_and_wait(&why, wait);
                    if self.is_to_stop() {
                        (self.record)(Kind::Stopped, "it was asked to stop before it was started again");
                        return Ok(0);
                    }
                }
                RestartDecision::GiveUp(times) => {
                    let way = "look at run.log, then resume it";
                    let why = format!("{why}, {times} times to no end; not started again: {way}");
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

    fn tell_and_wait(&mut self, why: &str, wait: Duration) {
        (self.record)(Kind::Restarted, &format!("{why}; started again in {:.0} s", wait.as_secs_f64()));
        let began = Instant::now();
        while began.elapsed() < wait && !self.is_to_stop() {
            std::thread::sleep(Duration::from_millis(100).min(wait));
            let _ = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]); // waiting is healthy; nobody may be there
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
        // A group of its own: what is typed at a terminal asks this process alone, which asks the child once.
        command.process_group(0).stdin(Stdio::null()).env("NOTIFY_SOCKET", &socket.path);
        command.spawn().map_err(|e| cannot("start the work", e))
    }

    /// Until the child has ended; it is ended where it must.
    fn attend(&self, socket: &NotifySocket, child: &mut Child) -> io::Result<End> {
        let mut alive = Instant::now();
        let mut asked: Option<Instant> = None;
        let [stall, patience] = [self.patience.stall_s, self.patience.end_s].map(Duration::from_secs_f64);
        loop {
            if socket.received() {
                alive = Instant::now();
            }
            if let Some(status) = child.try_wait()? {
                return Ok(End::Exited(status));
            }
            if self.stop.load(Relaxed) && asked.is_none() {
                asked = Some(Instant::now());
                signal(child, Signal::TERM);
            }
            let overdue = asked.is_some_and(|at| at.elapsed() > patience);
            let stalled = alive.elapsed() > if asked.is_some() { 2 * stall } else { stall };
            if overdue || stalled {
                signal(child, Signal::KILL);
                child.wait()?;
                return Ok(End::Stalled);
            }
        }
    }
}

/// The code of a disk that takes nothing.
const NO_DISK: i32 = 6;
/// The code of a run that is another process's, of one that is not started any more, and of one that had to be killed.
const BUSY: i32 = 75;

/// Codes after which a start would end the same way: done, usage, damage, safety, a disk too small to begin on or that
/// took nothing while it was to stop, numbers, another process.
fn is_final(code: i32) -> bool {
    [0, 2, 3, 5, NO_DISK, 70, BUSY].contains(&code)
}

/// Newest first.
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
