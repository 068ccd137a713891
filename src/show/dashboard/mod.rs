//! A page about one run, on this machine alone: what the camera sees, goals and what was reached, curves, health; it can
//! ask for pause, go on and stop, and for nothing else.
//!
//! It reads the run's directory and writes one file there, `control`. It holds no lock and shares nothing with the loop,
//! so a run of this process, of another one and a finished one are all the same to it.

mod gate;
mod key;
mod lines;
mod listen;
mod pictures;
mod routes;
mod watch;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::{Error, Result};
use crate::keep::faults::Chaos;
use crate::keep::store::fs::may_write;
use gate::Gate;
use key::Key;
use routes::Shared;

/// The port where none is asked for.
pub const PORT: u16 = 8377;

/// A port of 127.0.0.1, held; nothing is served and nothing written yet.
pub struct Port(TcpListener);

impl Port {
    /// Takes `port`, or any free one for 0.
    ///
    /// # Errors
    /// `Usage` where it cannot be had.
    pub fn take(port: u16) -> Result<Self> {
        let refuse = |e: std::io::Error| {
            let way = "stop what uses it, or give another port (0 = any free one)";
            Error::Usage(format!("port {port} of 127.0.0.1 cannot be had ({e}): {way}"))
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refuse)?;
        listener.set_nonblocking(true).map_err(refuse)?;
        Ok(Self(listener))
    }
}

/// The page of a run, ready to be served.
pub struct Page {
    listener: TcpListener,
    port: u16,
    dir: PathBuf,
    key: Key,
}

impl Page {
    /// Of the run in `dir`; makes the run's key where there is none, and keeps it there if it may.
    ///
    /// # Errors
    /// `Io` where the key cannot be written.
    pub fn of_run(dir: &Path, Port(listener): Port) -> Result<Self> {
        let port = listener.local_addr().map_err(not_served)?.port();
        let dir = std::path::absolute(dir).map_err(not_served)?;
        Ok(Self { listener, port, key: Key::of_run(&dir)?, dir })
    }

    /// Where it is, without the key.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// The file that holds the key; `None` where the run may only be read.
    #[must_use]
    pub fn key_file(&self) -> Option<PathBuf> {
        self.key.kept.then(|| self.dir.join(key::FILE))
    }

    /// [`address`](Self::address) with the key behind `#`, which a browser keeps to itself. For the eyes of whoever sits at
    /// the terminal, not for a log.
    #[must_use]
    pub fn address_with_key(&self) -> String {
        format!("{}#{}", self.address(), self.key.reveal())
    }

    /// Serves it from this thread, at the lowest priority, until `stop`.
    ///
    /// # Errors
    /// `Io` where the system refuses.
    pub fn serve(self, stop: &AtomicBool) -> Result<()> {
        #[cfg(target_os = "linux")] // where priorities are a thread's own
        let _ = rustix::process::setpriority_process(None, LOWEST); // else it is as good as the others
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(not_served)?;
        let shared = Arc::new(Shared::new(self.dir, Gate::new(self.port, self.key), Chaos::from_env()?));
        runtime.block_on(listen::listen(self.listener, routes::router(shared), stop)).map_err(not_served)
    }

    /// Serves it from a thread of its own, which ends with the process.
    ///
    /// # Errors
    /// `Io` where there is no thread to be had.
    pub fn serve_aside(self) -> Result<()> {
        let serve = move || self.serve(&AtomicBool::new(false));
        std::thread::Builder::new().name("page".into()).spawn(serve).map(drop).map_err(not_served)
    }
}

/// Nobody is kept waiting by a page.
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// Whether a page of this process may only look at the run in `dir`.
fn is_read_only(dir: &Path) -> bool {
    may_write(dir).is_err()
}

fn not_served(source: std::io::Error) -> Error {
    Error::Io { what: "the page cannot be served".into(), source }
}
