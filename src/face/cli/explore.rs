//! `skewfit explore`: resolves the configuration and the run directory, then runs.

use super::{output, run_dir, serve::Served, supervised::Supervised};
use crate::config::{Config, PRESETS, Setting, overrides};
use crate::error::{Error, Result};
use crate::keep::store::fs::DiskFs;
use crate::keep::store::{RUN_FILE, Store, refuse_if_used};
use crate::run::estimate;
use crate::run::progress::Progress;
use crate::run::threads;
use crate::task::scene;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Explore a scene: set goals, practise reaching them, learn from what the camera sees
#[derive(clap::Args)]
#[command(after_help = "Examples:
  skewfit explore                                       list the presets
  skewfit explore corridor                              run a preset, into results/corridor/...
  skewfit explore my.toml --seed 3 --out results/mine   run a file, into a directory of your choice
  skewfit explore door --set skew.power=-1 --dry-run    print settings and estimates, run nothing
  skewfit explore door --supervised                     for a night: restart it after a crash or stall
  skewfit explore door --serve                          show it at http://127.0.0.1:8377/

Keys for --set: docs/CONFIG.md.")]
pub struct Args {
    /// Name of a preset, or a .toml file; without it the presets are listed
    experiment: Option<String>,
    /// Seed of all random streams
    #[arg(long, allow_negative_numbers = true)]
    seed: Option<String>,
    /// Exploration steps, including the warm-up
    #[arg(long, allow_negative_numbers = true)]
    steps: Option<String>,
    /// Threads; 0 = all cores
    #[arg(long, allow_negative_numbers = true)]
    threads: Option<String>,
    /// Run directory, new or empty [default: results/<name>/<time>-s<seed>]
    #[arg(long, value_name = "DIR", value_parser = super::path::new_path())]
    out: Option<PathBuf>,
    /// Set a key of the configuration; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Resume the run if DIR holds it already, instead of refusing DIR
    #[arg(long, requires = "out")]
    resume: bool,
    #[command(flatten)]
    supervised: Supervised,
    /// Serve a page for a browser on this machine at this port of 127.0.0.1; 0 = any free port [default without a value: 8377]
    #[arg(long, value_name = "PORT", num_args = 0..=1, default_missing_value = "8377")]
    serve: Option<u16>,
    /// Print the resolved configuration and estimates, run nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object, as the last line
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: Args, command: &[String]) -> Result<u8> {
    let Some(experiment) = &args.experiment else {
        output::line("presets:")?;
        PRESETS.iter().try_for_each(|p| output::line(&format!("  {:14} {}", p.name, p.question())))?;
        return Ok(0);
    };
    let config = Config::resolve(experiment, settings(&args)?)?;
    let named = run_dir::by_time(&config, SystemTime::now());
    let mut dir = args.out.clone().unwrap_or_else(|| run_dir::unused(&named));
    let begun = args.resume && dir.join(RUN_FILE).exists();
    if begun {
        refuse_another(&dir, &config)?;
    } else {
        let named = |e: Error| if let Error::Usage(why) = e { Error::Usage(format!("--out {why}")) } else { e };
        refuse_if_used(&DiskFs, &dir).map_err(named)?;
        threads::refuse_too_many(config.run.threads)?;
    }
    if args.dry_run {
        return dry_run(&config, &dir, args.json).map(|()| 0);
    }
    if args.out.is_none() {
        dir = run_dir::claim(&named)?;
    }
    let outcome = explore(&args, config, experiment, &dir, begun, command);
    if args.out.is_none() {
        let _ = std::fs::remove_dir(&dir); // only where it is empty, as the run could not begin
    }
    outcome
}

/// Begins the run, or goes on with it where it is `begun`.
fn explore(args: &Args, config: Config, experiment: &str, dir: &Path, begun: bool, command: &[String]) -> Result<u8> {
    if args.supervised.wanted() {
        return args.supervised.explore(words(args, experiment, dir), dir, args.serve, args.json);
    }
    let mut progress = Served::new(args.serve, dir)?;
    let summary = match begun {
        true => crate::run::explore::resume(dir, None, 0, &mut progress),
        false => crate::run::explore::start(config, dir, command, &mut progress),
    };
    progress.done();
    output::summary(&summary?, args.json).map(|()| 0)
}

/// The arguments for a child process that begins this exploration.
fn words(args: &Args, experiment: &str, dir: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["explore".into(), experiment.into(), "--out".into(), dir.into()];
    for (flag, value) in [("--seed", &args.seed), ("--steps", &args.steps), ("--threads", &args.threads)] {
        words.extend(value.iter().flat_map(|v| [flag.into(), v.into()]));
    }
    words.extend(args.set.iter().flat_map(|set| ["--set".into(), set.into()]));
    words
}

/// Refuses to resume a run of other settings.
fn refuse_another(dir: &Path, config: &Config) -> Result<()> {
    let root = Store::read_only(dir)?.root().clone();
    let held = Config::of_run(dir, Vec::new())?;
    if root.seed == config.seed && held.identity()? == config.identity()? {
        return Ok(());
    }
    let (is, wanted) = (root.run_id, config.run_id()?);
    let way = "use the arguments of that run, or resume it with `skewfit resume`";
    Err(Error::Usage(format!("{} holds run {is}, but these settings make run {wanted}; {way}", dir.display())))
}

fn settings(args: &Args) -> Result<Vec<Setting>> {
    let mut settings = args.set.iter().map(|text| overrides::parse(text)).collect::<Result<Vec<_>>>()?;
    for (key, flag, value) in [
        ("seed", "--seed", &args.seed),
        ("run.steps", "--steps", &args.steps),
        ("run.threads", "--threads", &args.threads),
    ] {
        settings.extend(value.iter().map(|text| overrides::setting(key, text, flag)));
    }
    Ok(settings)
}

fn dry_run(config: &Config, dir: &Path, json: bool) -> Result<()> {
    let estimate = estimate::of(config, scene::build(&config.env, 0)?.spec())?;
    let note = threads::beyond_cores(config.run.threads);
    if json {
        let dir = dir.display().to_string();
        return output::json(&serde_json::json!({ "run": dir, "config": config, "estimate": estimate, "note": note }));
    }
    output::line(config.to_toml()?.trim_end())?;
    output::line(&format!("\n# run directory: {}", dir.display()))?;
    output::line(&format!("# estimates, for two cores with AVX-512: {estimate}"))?;
    note.map_or(Ok(()), |note| output::line(&format!("# {note}")))
}
