//! `skewfit serve`: serves a page about a run to a browser on this machine. `explore` and `resume` can serve it too.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::progress::TerminalProgress;
use crate::error::{Error, Result};
use crate::keep::store::Store;
use crate::keep::supervise::RESTARTED;
use crate::run::progress::{Progress, Tick};
use crate::show::dashboard::{Dashboard, PORT, Port};

/// Watch a run in a browser: camera, goals, curves, health; pause, resume or stop it
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit serve results/door/RUN               a live, paused or finished run
  skewfit serve results/door/RUN --port 9000   another port
  ssh -L 8377:127.0.0.1:8377 robot             from another machine: then open http://127.0.0.1:8377/ there

The page is served on 127.0.0.1 only and asks for the run's key, which is in its file serve.token. Ctrl-C ends it. A
run that is read-only is shown without pause and stop; its key is printed with the address and ends with this process.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Port of 127.0.0.1; 0 = any free port
    #[arg(long, default_value_t = PORT)]
    port: u16,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    drop(Store::read_tail(&args.run, 0)?); // an error if it is not a run
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        let handled = signal_hook::flag::register(signal, Arc::clone(&stop));
        handled.map_err(|source| Error::Io { what: format!("signal {signal} cannot be handled"), source })?;
    }
    let page = Dashboard::of_run(&args.run, Port::take(args.port)?)?;
    tell(&page);
    page.serve(&stop)
}

/// Prints the page's address. A key that is in a file is printed only to a terminal: any other stderr may be stored.
fn tell(page: &Dashboard) {
    let mut stderr = std::io::stderr();
    let written = match page.key_file() {
        None => {
            let why = "read-only: there is no permission to write to its directory, so it cannot be paused or stopped from here";
            writeln!(stderr, "page at {} ({why}; this key is valid until this process ends)", page.address_with_key())
        }
        Some(file) if !stderr.is_terminal() => {
            writeln!(stderr, "page at {} (its key is in {})", page.address(), file.display())
        }
        Some(_) => writeln!(stderr, "page at {}", page.address_with_key()),
    };
    drop(written); // stderr may be closed
}

/// Shows progress, and serves a page if there is a port. Serving begins at the first tick, when the run holds the
/// directory.
pub struct Served {
    shown: TerminalProgress,
    page: Option<(Port, PathBuf)>,
}

impl Served {
    /// Takes the port, if one is given.
    ///
    /// # Errors
    /// `Usage` if the port is not free.
    pub fn new(port: Option<u16>, dir: &Path) -> Result<Self> {
        let taken = match port.map(Port::take).transpose() {
            // A restarted run continues without its page.
            Err(e) if std::env::var_os(RESTARTED).is_some() => {
                super::say(&format!("{e}; the run continues without the page"));
                None
            }
            taken => taken?,
        };
        Ok(Self { shown: TerminalProgress::new(), page: taken.map(|port| (port, dir.to_owned())) })
    }

    /// Starts the page. After an error the run continues without it.
    fn serve(&mut self) {
        let Some((port, dir)) = self.page.take() else { return };
        let served = Dashboard::of_run(&dir, port).and_then(|page| {
            tell(&page);
            page.serve_aside()
        });
        if let Err(e) = served {
            tracing::error!("{e}; the run continues without the page");
        }
    }
}

impl Progress for Served {
    fn tick(&mut self, tick: &Tick<'_>) {
        self.serve();
        self.shown.tick(tick);
    }

    fn done(&mut self) {
        self.shown.done();
    }
}
