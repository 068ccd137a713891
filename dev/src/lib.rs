//! Trial counts and result records of the reliability tests; only tests use this crate.

use std::fs;
use std::path::Path;
use std::time::Instant;

/// Number of trials: `SKEWFIT_TRIALS` if it is set, else `few`.
#[must_use]
pub fn trials(few: u64) -> u64 {
    std::env::var("SKEWFIT_TRIALS").ok().and_then(|n| n.parse().ok()).unwrap_or(few)
}

/// The present time, for [`record`]; rooms that may not use a clock call this.
#[must_use]
pub fn begin() -> Instant {
    Instant::now()
}

/// Writes the record `<SKEWFIT_RECORD>/<goal>.toml` if `SKEWFIT_RECORD` is set: what was tried, how often, zero
/// failures, and the bound by the rule of three. Call it after the last assertion: then a test that failed leaves no
/// record.
///
/// # Panics
/// If the record cannot be written.
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
