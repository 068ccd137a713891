//! `skewfit serve`: a page about a run, for a browser of this machine; and the same beside `explore` and `resume`.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::progress::Shown;
use crate::error::{Error, Result};
use crate::keep::store::Store;
use crate::keep::supervise::RESTARTED;
use crate::run::progress::{Progress, Tick};
use crate::show::dashboard::{Dashboard, PORT, Port};

/// Look at a run in a browser: camera, goals, curves, health; pause it, go on, stop it
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit serve results/door/RUN               a live run, a paused one, a finished one
  skewfit serve results/door/RUN --port 9000   at another port
  ssh -L 8377:127.0.0.1:8377 robot             from elsewhere: the same port at both ends, then http://127.0.0.1:8377/

The page answers on 127.0.0.1 only and asks for the run's key, which is in its file serve.token. Ends at Ctrl-C.")]
pub struct Args {
    /// Run directory
    run: PathBuf,
    /// Port of 127.0.0.1; 0 = any free one
    #[arg(long, default_value_t = PORT)]
    port: u16,
}

/// Runs the verb.
pub fn run(args: &Args) -> Result<()> {
    drop(Store::read_tail(&args.run, 0)?); // is it a run?
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT, SIGHUP] {
        let handled = signal_hook::flag::register(signal, Arc::clone(&stop));
        handled.map_err(|source| Error::Io { what: format!("signal {signal} cannot be handled"), source })?;
    }
    let page = Dashboard::of_run(&args.run, Port::take(args.port)?)?;
    tell(&page);
    page.serve(&stop)
}

/// The key goes to a terminal only: whatever else stderr is may be kept.
fn tell(page: &Dashboard) {
    let mut stderr = std::io::stderr();
    let told = if stderr.is_terminal() {
        writeln!(stderr, "page at {}", page.address_with_key())
    } else {
        writeln!(stderr, "page at {} (its key is in {})", page.address(), page.key_file().display())
    };
    drop(told); // nobody listens
}

/// Progress of a run that may have a page, which is there from the first tick on: then the directory is this run's.
pub struct Served {
    shown: Shown,
    page: Option<(Port, PathBuf)>,
}

impl Served {
    /// Takes the port, if there is to be a page.
    ///
    /// # Errors
    /// `Usage` where it cannot be had.
    pub fn new(port: Option<u16>, dir: &Path) -> Result<Self> {
        let taken = match port.map(Port::take).transpose() {
            // A night is not given up for a page that was there before.
            Err(e) if std::env::var_os(RESTARTED).is_some() => {
                super::say(&format!("{e}; the run goes on without it"));
                None
            }
            taken => taken?,
        };
        Ok(Self { shown: Shown::new(), page: taken.map(|port| (port, dir.to_owned())) })
    }

    /// A run goes on without its page rather than not at all.
    fn serve(&mut self) {
        let Some((port, dir)) = self.page.take() else { return };
        let served = Dashboard::of_run(&dir, port).and_then(|page| {
            tell(&page);
            page.serve_aside()
        });
        if let Err(e) = served {
            tracing::error!("{e}; the run goes on without it");
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
