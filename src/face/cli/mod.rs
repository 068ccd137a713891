//! The command line. Each file holds one verb: its arguments, output and exit code. Data goes to stdout, progress and
//! errors go to stderr.

mod bench;
mod diagnose;
mod doctor;
mod evaluate;
mod explore;
mod export;
mod inspect;
mod limits;
mod output;
mod path;
mod plot;
mod progress;
mod resume;
mod run_dir;
mod serve;
mod supervised;

use crate::config::written;
use crate::error::Result;
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Leave a robot alone with a camera for a night; in the morning it reaches the picture you show it.
#[derive(Parser)]
#[command(name = "skewfit", version, arg_required_else_help = true)]
#[command(after_help = "Examples:
  skewfit explore                                  list the presets
  skewfit explore corridor --seed 1                explore, into results/corridor/...
  skewfit resume results/corridor/RUN              resume a stopped run
  skewfit evaluate results/corridor/RUN --goal picture.png
  skewfit serve results/corridor/RUN               look at it in a browser, live or finished

Exit codes: 0 done, 2 usage, 3 damage, 4 hardware, 5 safety stop, 6 disk, 70 not finite, 75 busy (docs/CONFIG.md).")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Explore(explore::Args),
    Resume(resume::Args),
    Evaluate(evaluate::Args),
    Diagnose(diagnose::Args),
    Plot(plot::Args),
    Inspect(inspect::Args),
    Export(export::Args),
    Serve(serve::Args),
    Bench(bench::Args),
    Doctor(doctor::Args),
}

/// Parses `command` (the program's name first) and runs the verb. Prints an error as one sentence.
#[must_use]
pub fn main(command: Vec<OsString>) -> ExitCode {
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let cli = match Cli::try_parse_from(command) {
        Ok(cli) => cli,
        Err(refusal) => {
            let _ = refusal.print(); // the pipe may be closed
            return ExitCode::from(u8::from(refusal.use_stderr()) * 2);
        }
    };
    limits::prepare();
    match run(cli.verb, &words) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if let Some(traceback) = error.traceback() {
                let _ = writeln!(std::io::stderr(), "{traceback}"); // stderr may be closed
            }
            say(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

/// Parses a number of steps: `30_000`, `3e4`.
fn steps(text: &str) -> Result<u64, String> {
    let whole = written::whole(text).and_then(|n| u64::try_from(n).ok());
    whole.ok_or_else(|| "must be a whole number of steps".into())
}

/// Prints a sentence to stderr.
fn say(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "skewfit: {sentence}"); // stderr may be closed
}

/// Runs a verb and returns the exit code of its success.
fn run(verb: Verb, command: &[String]) -> Result<u8> {
    let done = match verb {
        Verb::Explore(args) => return explore::run(args, command),
        Verb::Resume(args) => return resume::run(&args),
        Verb::Evaluate(args) => evaluate::run(&args),
        Verb::Diagnose(args) => diagnose::run(&args),
        Verb::Plot(args) => plot::run(&args),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Export(args) => export::run(&args),
        Verb::Serve(args) => serve::run(&args),
        Verb::Bench(args) => bench::run(&args),
        Verb::Doctor(args) => doctor::run(&args),
    };
    done.map(|()| 0)
}
