//! The limit of a run's threads, and the warning if there are more threads than cores.

use crate::error::{Error, Result};
use crate::learn::nn::workers::{cores, most_threads};

/// Refuses to begin a run on more threads than [`most_threads`].
///
/// # Errors
/// `Usage`.
pub fn refuse_too_many(threads: usize) -> Result<()> {
    let (most, cores) = (most_threads(), of_cores());
    let way = format!("give at most {most}, or 0 for all cores");
    let refuse = || Error::Usage(format!("run.threads = {threads} is too many for {cores}: {way}"));
    if threads > most { Err(refuse()) } else { Ok(()) }
}

/// A warning if there are more threads than cores.
#[must_use]
pub fn beyond_cores(threads: usize) -> Option<String> {
    let slower =
        || format!("run.threads = {threads} is more threads than {}: it is no faster than with fewer", of_cores());
    (threads > cores()).then(slower)
}

/// Logs the warning of [`beyond_cores`]; above [`most_threads`] as an error, which also goes to stderr.
pub(super) fn note(threads: usize) {
    match beyond_cores(threads) {
        Some(why) if threads > most_threads() => tracing::error!("{why}"),
        Some(why) => tracing::warn!("{why}"),
        None => {}
    }
}

/// `the 2 cores that this process may use`.
fn of_cores() -> String {
    let n = cores();
    format!("the {n} {} that this process may use", if n == 1 { "core" } else { "cores" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_the_cores_and_eight_are_never_too_many() {
        for threads in [0, 1, 8, 2 * cores()] {
            assert!(refuse_too_many(threads).is_ok(), "{threads}");
        }
        let refused = refuse_too_many(most_threads() + 1).unwrap_err();
        assert_eq!(refused.exit_code(), 2);
        assert!(refused.to_string().contains(&format!("give at most {}", most_threads())), "{refused}");
        assert_eq!([0, cores(), cores() + 1].map(|n| beyond_cores(n).is_some()), [false, false, true]);
    }
}
