//! How often the tests of a goal try, and where they say what came of it; of tests alone.

use std::fs;
use std::path::Path;
use std::time::Instant;

/// So many trials: `few` in an ordinary test run, `SKEWFIT_TRIALS` where somebody wants to know it well.
#[must_use]
pub fn trials(few: u64) -> u64 {
    std::env::var("SKEWFIT_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

/// Now, for [`record`]; rooms that may not name a clock ask here.
#[must_use]
pub fn begin() -> Instant {
    Instant::now()
}

/// Keeps a goal's figures as `<SKEWFIT_RECORD>/<goal>.toml`, where that is set: what was tried, how often, that nothing
/// failed, and the rule of three's bound. Called after the last assertion, so a failure is never recorded as none.
///
/// # Panics
/// Where it cannot be written.
#[allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "of tests alone")]
pub fn record((goal, seed): (&str, u64), what: &str, trials: u64, begun: Instant) {
    let Ok(out) = std::env::var("SKEWFIT_RECORD") else { return };
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu =
        cpu.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": ")).map_or("unknown", |(_, name)| name);
    let asked = std::env::var("SKEWFIT_TRIALS").map_or(String::new(), |n| format!("SKEWFIT_TRIALS={n} "));
    let length =
        [("G17", "SKEWFIT_FUZZ_S"), ("G19", "SKEWFIT_SOAK_S")].into_iter().find(|(of, _)| goal.starts_with(of));
    let length = length.and_then(|(_, key)| Some(format!("{key}={} ", std::env::var(key).ok()?)));
    let asked = asked + &length.unwrap_or_default();
    let bound = match trials {
        3.. => format!("< {:.1e} a trial (rule of three: 3/n)", 3.0 / trials as f64),
        _ => "none from so few trials".to_owned(),
    };
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let row = format!(
        "goal = \"{goal}\"\nwhat = \"{what}\"\nseed = {seed}\ntrials = {trials}\nfailures = 0\n\
         bound_95 = \"{bound}\"\nwall_s = {}\nmachine = \"{cpu}\"\ncommit = \"{}\"\n\
         command = \"{asked}cargo test {test}\"\n",
        begun.elapsed().as_secs(),
        env!("SKEWFIT_COMMIT"),
    );
    fs::create_dir_all(&out).unwrap();
    fs::write(Path::new(&out).join(format!("{goal}.toml")), row).unwrap();
}
