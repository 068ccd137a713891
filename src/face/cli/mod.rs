//! The command line: one file a verb: its arguments, what it says, its exit code. stdout carries data, stderr progress and errors.

mod bench;
mod diagnose;
mod doctor;
mod evaluate;
mod explore;
mod export;
mod inspect;
mod output;
mod plot;
mod progress;
mod resume;
mod serve;
mod supervised;

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
  skewfit resume results/corridor/RUN              go on where it was stopped
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

/// Parses `command` (the program's name first), runs the verb and says in one sentence what went wrong.
#[must_use]
pub fn main(command: Vec<OsString>) -> ExitCode {
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let cli = match Cli::try_parse_from(command) {
        Ok(cli) => cli,
        Err(refusal) => {
            let _ = refusal.print(); // a closed pipe
            return ExitCode::from(u8::from(refusal.use_stderr()) * 2);
        }
    };
    match run(cli.verb, &words) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if let Some(account) = error.account() {
                let _ = writeln!(std::io::stderr(), "{account}"); // nobody listens
            }
            say(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

/// A sentence on stderr.
fn say(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "skewfit: {sentence}"); // nobody listens
}

/// The exit code of a verb that did what it was asked to.
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
