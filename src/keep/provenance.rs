//! What produced a run: code, compiler, libraries, machine, command, time. For `provenance.json` and `skewfit doctor`.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// Libraries whose version may change the bytes of a run.
const KEY_LIBRARIES: &[&str] =
    &["gemm-f32", "hdf5-pure", "image", "rand", "rand_chacha", "rand_distr", "rapier3d", "rayon", "safetensors"];

/// What this program runs on.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Machine {
    /// Model of the first processor, or its architecture.
    pub cpu: String,
    /// Vector extensions in use.
    pub features: Vec<&'static str>,
    /// Number of threads that the system allows this process.
    pub cores: usize,
    /// Main memory, bytes; `None` where the system does not report it.
    pub memory_bytes: Option<u64>,
}

/// The content of `provenance.json`. `threads` is the number in use, never 0; `started` is when the run began.
#[must_use]
pub fn collect(command: &[String], threads: usize, started: SystemTime) -> Value {
    let machine = machine();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "git_commit": env!("SKEWFIT_COMMIT"),
        "git_dirty": env!("SKEWFIT_DIRTY").parse::<bool>().ok(),
        "rustc": env!("SKEWFIT_RUSTC"),
        "program_blake3": program(),
        "libraries": libraries(),
        "cpu": machine.cpu,
        "cpu_features": machine.features,
        "cores": machine.cores,
        "memory_bytes": machine.memory_bytes,
        "os": std::env::consts::OS,
        "threads": threads,
        "command": command,
        "started_at": utc(started),
    })
}

/// First 16 digits of BLAKE3 of this program's file; they differ between two builds of one commit.
fn program() -> Option<String> {
    let bytes = std::fs::read(std::env::current_exe().ok()?).ok()?;
    Some(blake3::hash(&bytes).to_hex()[..16].to_owned())
}

/// Describes this machine.
#[must_use]
pub fn machine() -> Machine {
    let field = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        let line = text.lines().find(|l| l.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let kilobytes = field("/proc/meminfo", "MemTotal").and_then(|m| m.split(' ').next()?.parse::<u64>().ok());
    Machine {
        cpu: field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
        features: features(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: kilobytes.map(|k| k * 1024),
    }
}

#[cfg(target_arch = "x86_64")]
fn features() -> Vec<&'static str> {
    [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ]
    .into_iter()
    .filter_map(|(name, there)| there.then_some(name))
    .collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn features() -> Vec<&'static str> {
    if cfg!(target_feature = "neon") { vec!["neon"] } else { Vec::new() }
}

/// Whose CPU time is measured.
#[derive(Clone, Copy, Debug)]
pub enum CpuClock {
    /// That of the calling thread.
    Thread,
    /// That of all threads of this process together.
    Process,
}

/// CPU time, seconds: user and system time together.
#[must_use]
pub fn cpu_s(clock: CpuClock) -> f64 {
    let clock = match clock {
        CpuClock::Thread => rustix::time::ClockId::ThreadCPUTime,
        CpuClock::Process => rustix::time::ClockId::ProcessCPUTime,
    };
    let time = rustix::time::clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Memory of this process, MB. `field`: `VmRSS` is resident memory now, `VmHWM` its peak. `None` where the system does
/// not report it.
#[must_use]
pub fn resident_mb(field: &str) -> Option<f64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = text.lines().find_map(|l| l.strip_prefix(field)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib * 1024.0 / 1e6)
}

/// Versions of [`KEY_LIBRARIES`] in the lock file of this build; of several versions, the one our crates depend on.
fn libraries() -> BTreeMap<String, String> {
    let lock: toml::Table = include_str!("../../Cargo.lock").parse().unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let text = |package: &toml::Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    let ours = packages.iter().filter(|p| text(p, "name").is_some_and(|name| name.starts_with("skewfit")));
    let named: Vec<&str> =
        (ours.filter_map(|p| p.get("dependencies")?.as_array()).flatten()).filter_map(toml::Value::as_str).collect();
    let all = packages.iter().filter_map(|p| Some((text(p, "name")?, text(p, "version")?)));
    let ours = |(name, version): &(String, String)| {
        KEY_LIBRARIES.contains(&name.as_str()) && named.iter().any(|n| n == name || *n == format!("{name} {version}"))
    };
    all.filter(ours).collect()
}

/// RFC 3339 in UTC, to the second: `2026-01-31T23:59:59Z`. Times before 1970 count as 1970.
#[must_use]
pub fn utc(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days to a date, counted from 1 March of the year 0 (H. Hinnant, "chrono-compatible low-level date algorithms").
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The inverse of [`utc`]: seconds since 1970; `None` for a text of another form.
#[must_use]
pub fn parse_utc(utc: &str) -> Option<u64> {
    let parts: Vec<u64> =
        utc.strip_suffix('Z')?.split(['-', 'T', ':']).map(|n| n.parse().ok()).collect::<Option<_>>()?;
    let [year, month @ 1..=12, day @ 1..=31, hour, minute, second] = parts[..] else { return None };
    // As in `utc`: years begin in March.
    let shifted = year.checked_sub(u64::from(month <= 2)).filter(|year| (1969..=9999).contains(year))?;
    let (era, year_of_era, march_month) = (shifted / 400, shifted % 400, (month + 9) % 12);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * march_month + 2) / 5 + day - 1;
    let days = (era * 146_097 + day_of_era).checked_sub(719_468)?;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_of_known_seconds() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_000_000_000, "2001-09-09T01:46:40Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(utc(UNIX_EPOCH + Duration::from_secs(seconds)), text);
            assert_eq!(super::parse_utc(text), Some(seconds));
        }
        for text in ["", "2026-11-20", "2026-13-20T00:00:00Z", "2026-11-20T00:00:00", "18446744073709551615-1-1T0:0:0Z"]
        {
            assert_eq!(super::parse_utc(text), None, "{text}");
        }
    }

    #[test]
    fn every_fact_is_collected() {
        let facts = collect(&["skewfit".into(), "explore".into()], 2, UNIX_EPOCH);
        assert_eq!(facts["started_at"], "1970-01-01T00:00:00Z");
        assert_eq!(facts["command"], json!(["skewfit", "explore"]));
        assert!(facts["rustc"].as_str().unwrap().starts_with("rustc 1."), "{}", facts["rustc"]);
        for library in KEY_LIBRARIES {
            assert!(facts["libraries"][library].is_string(), "{library} is not in the lock file");
        }
        assert!(facts["cores"].as_u64().unwrap() >= 1 && !facts["cpu"].as_str().unwrap().is_empty());
    }
}
