//! A page about one run, served on this machine only: camera and goal pictures, curves, health; its only requests are
//! pause, run and stop.
//!
//! It reads the run's directory and writes two files there: `control`, and the key in `serve.token`. It takes no lock and
//! shares no state with the loop, so it works alike for runs of this process, of another process, and finished runs.

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
use key::AccessKey;
use routes::Shared;

/// The default port.
pub const PORT: u16 = 8377;

/// A bound port of 127.0.0.1; nothing is served or written yet.
pub struct Port(TcpListener);

impl Port {
    /// Binds `port`, or any free port for 0.
    ///
    /// # Errors
    /// `Usage` if it cannot be bound.
    pub fn take(port: u16) -> Result<Self> {
        let refuse = |e: std::io::Error| {
            let way = "stop the program that uses it, or give another port (0 = any free port)";
            Error::Usage(format!("port {port} of 127.0.0.1 cannot be used ({e}): {way}"))
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(refuse)?;
        listener.set_nonblocking(true).map_err(refuse)?;
        Ok(Self(listener))
    }
}

/// The page of a run, ready to serve.
pub struct Dashboard {
    listener: TcpListener,
    port: u16,
    dir: PathBuf,
    key: AccessKey,
}

impl Dashboard {
    /// For the run in `dir`; creates the run's key if there is none, and saves it if it can.
    ///
    /// # Errors
    /// `Io` if the key cannot be written.
    pub fn of_run(dir: &Path, Port(listener): Port) -> Result<Self> {
        let port = listener.local_addr().map_err(not_served)?.port();
        let dir = std::path::absolute(dir).map_err(not_served)?;
        Ok(Self { listener, port, key: AccessKey::of_run(&dir)?, dir })
    }

    /// Address of the page, without the key.
    #[must_use]
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// The file that holds the key; `None` where the run may only be read.
    #[must_use]
    pub fn key_file(&self) -> Option<PathBuf> {
        self.key.kept.then(|| self.dir.join(key::FILE))
    }

    /// [`address`](Self::address) with the key behind `#`, which a browser does not send. For the user's terminal, not for a
    /// log.
    #[must_use]
    pub fn address_with_key(&self) -> String {
        format!("{}#{}", self.address(), self.key.reveal())
    }

    /// Serves the page from this thread, at the lowest priority, until `stop`.
    ///
    /// # Errors
    /// `Io` if the system refuses.
    pub fn serve(self, stop: &AtomicBool) -> Result<()> {
        #[cfg(target_os = "linux")] // here each thread has a priority
        let _ = rustix::process::setpriority_process(None, LOWEST); // best effort
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(not_served)?;
        let shared = Arc::new(Shared::new(self.dir, Gate::new(self.port, self.key), Chaos::from_env()?));
        runtime.block_on(listen::listen(self.listener, routes::router(shared), stop)).map_err(not_served)
    }

    /// Serves the page from a new thread, which ends with the process.
    ///
    /// # Errors
    /// `Io` if the thread cannot be started.
    pub fn serve_aside(self) -> Result<()> {
        let serve = move || self.serve(&AtomicBool::new(false));
        std::thread::Builder::new().name("page".into()).spawn(serve).map(drop).map_err(not_served)
    }
}

/// Lowest priority, so the page does not slow down a run.
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// Whether a page of this process may only look at the run in `dir`.
fn is_read_only(dir: &Path) -> bool {
    may_write(dir).is_err()
}

fn not_served(source: std::io::Error) -> Error {
    Error::Io { what: "the page cannot be served".into(), source }
}
