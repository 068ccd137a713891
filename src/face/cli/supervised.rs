//! `--supervised`: runs `explore` or `resume` in a child process, watches it, and restarts it after a crash or stall.

use std::ffi::OsString;
use std::path::Path;
use std::time::SystemTime;

use crate::config::written;
use crate::error::{Error, Result};
use crate::keep::provenance::utc;
use crate::keep::store::fs::DiskFs;
use crate::keep::store::has_no_writer;
use crate::keep::supervise::control;
use crate::keep::supervise::events::{self, Event, Kind};
use crate::keep::supervise::status::{RunPhase, Status};
use crate::keep::supervise::supervisor::{Patience, Supervisor};

/// Options of the supervisor.
#[derive(clap::Args)]
pub struct Supervised {
    /// Work in a child process that is restarted after a crash or a stall; for unattended runs
    #[arg(long)]
    supervised: bool,
    /// Kill and restart the child after this many seconds without progress
    #[arg(long, value_name = "SECONDS", default_value_t = 30.0, requires = "supervised", value_parser = seconds)]
    stall_s: f64,
    /// Seconds before the first restart; doubled after each restart that makes no progress
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, requires = "supervised", value_parser = seconds)]
    back_off_s: f64,
}

/// A number of seconds from 0.01 to a day.
fn seconds(text: &str) -> Result<f64, String> {
    let number = written::number(text).filter(|s| (0.01..=86_400.0).contains(s));
    number.ok_or_else(|| "enter a number from 0.01 to 86400".into())
}

impl Supervised {
    /// Whether `--supervised` was given.
    pub fn wanted(&self) -> bool {
        self.supervised
    }

    /// Begins the run in `dir` with the arguments `begin`, and watches it.
    ///
    /// # Errors
    /// As [`Supervisor::watch`].
    pub fn explore(&self, mut begin: Vec<OsString>, dir: &Path, serve: Option<u16>, json: bool) -> Result<u8> {
        let shown = display_args(serve, json);
        begin.extend(shown.clone());
        self.watch(begin, shown, dir)
    }

    /// Resumes the run in `dir`, and watches it.
    ///
    /// # Errors
    /// As [`Supervisor::watch`]; `Usage` if `dir` is not a run.
    pub fn resume(&self, dir: &Path, steps: Option<u64>, serve: Option<u16>, json: bool) -> Result<u8> {
        crate::keep::store::Store::read_only(dir)?;
        let steps = steps.into_iter().flat_map(|n| ["--steps".into(), n.to_string().into()]);
        self.watch(Vec::new(), steps.chain(display_args(serve, json)).collect(), dir)
    }

    fn watch(&self, begin: Vec<OsString>, resume: Vec<OsString>, dir: &Path) -> Result<u8> {
        let program = std::env::current_exe();
        let program =
            program.map_err(|source| Error::Io { what: "cannot find this program's own file".into(), source })?;
        let stop = crate::run::explore::stop_flag(false);
        if has_no_writer(dir) {
            control::clear_request(&DiskFs, dir); // a live run keeps its requests
        }
        Supervisor {
            program: program.into(),
            begin,
            resume,
            dir,
            patience: Patience { stall_s: self.stall_s, back_off_s: self.back_off_s, end_s: 240.0 },
            stop: &stop,
            record: &mut |event, why| record(dir, event, why),
        }
        .watch()
    }
}

/// The child's arguments for its output.
fn display_args(serve: Option<u16>, json: bool) -> Vec<OsString> {
    let serve = serve.into_iter().flat_map(|port| ["--serve".into(), port.to_string().into()]);
    serve.chain(json.then(|| "--json".into())).collect()
}

/// Records an event in `night.jsonl` and `STATUS.json`, which no child writes now, and prints it to stderr.
fn record(dir: &Path, event: Kind, why: &str) {
    let state = match event {
        Kind::Restarted => RunPhase::Exploring,
        Kind::Stopped => RunPhase::Paused,
        _ => RunPhase::Failed,
    };
    let (why, updated_at) = (why.to_owned(), utc(SystemTime::now()));
    let before = Status::read(&DiskFs, dir).unwrap_or_default();
    let status = Status { state, why: Some(why.clone()), updated_at, ..before };
    let (at, env_steps, updates) = (status.updated_at.clone(), status.env_steps, status.updates);
    let line = Event { at, env_steps, updates, event, cause: None, why: why.clone() };
    let written = if dir.join(crate::keep::store::RUN_FILE).exists() {
        events::record(&DiskFs, dir, &line).and_then(|()| status.write(&DiskFs, dir))
    } else {
        Ok(())
    };
    if let Err(e) = written {
        super::say(&e.to_string());
    }
    super::say(&why);
    if event != Kind::Restarted
        && let Err(e) = crate::show::redraw::plot(&[dir.to_owned()], None)
    {
        super::say(&format!("the report could not be drawn: {e}"));
    }
}
