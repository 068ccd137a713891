//! The errors of the program and their exit codes (`docs/CONFIG.md` has the table).

use skewfit_envs::EnvFault;

/// One sentence a case: what, where, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bad usage, configuration or picture: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// A mistake of the program that calls, which no input can cause: exit code 2.
    #[error("{0}")]
    Misuse(String),
    /// Damage found, or nothing sound to resume from: exit code 3.
    #[error("{0}")]
    Damaged(String),
    /// Not enough disk, or a write that failed: exit code 6.
    #[error("{0}")]
    Disk(String),
    /// The directory of a live run was moved or removed: exit code 6.
    #[error("{0}")]
    Lost(String),
    /// Another live process holds the run, or another run its place: exit code 75.
    #[error("{0}")]
    Busy(String),
    /// The environment refused an option (exit code 2) or a snapshot (3), or failed (4).
    #[error("environment: {0}")]
    Env(#[from] EnvFault),
    /// The environment failed before a run began: exit code 2.
    #[error("environment: {0}")]
    NotBegun(EnvFault),
    /// A number that is not finite came out of learning: exit code 70.
    #[error("{0}")]
    NotFinite(String),
    /// Output that could not be written where it was asked for: exit code 6, or 2 where that [is_permanent].
    #[error("{what}: {source}")]
    Io {
        /// Which file, and what was tried.
        what: String,
        /// The system's word.
        source: std::io::Error,
    },
}

/// Results of the program.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An environment that fails before there is a run is bad usage: there is nothing to take up again.
    #[must_use]
    pub fn before_a_run(self) -> Self {
        match self {
            Self::Env(fault) => Self::NotBegun(fault),
            other => other,
        }
    }

    /// The environment's own account of its error, on several lines; `None` where it gave none.
    #[must_use]
    pub fn traceback(&self) -> Option<&str> {
        match self {
            Self::Env(EnvFault::Raised { trace, .. }) | Self::NotBegun(EnvFault::Raised { trace, .. }) => {
                Some(trace).filter(|trace| !trace.is_empty()).map(String::as_str)
            }
            _ => None,
        }
    }

    /// The contract's exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::Misuse(_) | Self::NotBegun(_) => 2,
            Self::Damaged(_) => 3,
            Self::Env(EnvFault::BadSnapshot { .. }) => 3,
            Self::Env(EnvFault::BadOption { .. } | EnvFault::UnknownScene { .. } | EnvFault::BadState { .. }) => 2,
            Self::Env(_) => 4,
            Self::Io { source, .. } if is_permanent(source) => 2,
            Self::Disk(_) | Self::Lost(_) | Self::Io { .. } => 6,
            Self::NotFinite(_) => 70,
            Self::Busy(_) => 75,
        }
    }

    /// Whether the disk refused what it may take later: room or time may help, so it is worth waiting.
    #[must_use]
    pub fn is_disk(&self) -> bool {
        match self {
            Self::Disk(_) => true,
            Self::Io { source, .. } => !is_permanent(source),
            _ => false,
        }
    }
}

/// Whether a refusal is no matter of room or of time: what is asked for may not be written there.
#[must_use]
pub fn is_permanent(refusal: &std::io::Error) -> bool {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, PermissionDenied};
    matches!(refusal.kind(), PermissionDenied | NotADirectory | IsADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_is_waited_for() {
        use std::io::ErrorKind::{PermissionDenied, StorageFull};
        let io = |kind: std::io::ErrorKind| Error::Io { what: String::new(), source: kind.into() };
        let text = String::new;
        for (error, code, waits) in [
            (Error::Disk(text()), 6, true),
            (io(StorageFull), 6, true),
            (io(PermissionDenied), 2, false),
            (Error::Lost(text()), 6, false),
            (Error::Misuse(text()), 2, false),
            (Error::Damaged(text()), 3, false),
            (Error::Busy(text()), 75, false),
        ] {
            assert_eq!((error.exit_code(), error.is_disk()), (code, waits), "{error:?}");
        }
    }

    #[test]
    fn faults_of_the_environment_have_the_codes_of_their_causes() {
        let text = String::new;
        for (fault, code) in [
            (EnvFault::UnknownScene { name: text() }, 2),
            (EnvFault::BadOption { what: text() }, 2),
            (EnvFault::BadSnapshot { scene: "door".into(), why: text() }, 3),
            (EnvFault::BadState { what: text() }, 2),
            (EnvFault::BadAction { got: vec![], want: 3 }, 4),
            (EnvFault::Raised { what: text(), trace: text() }, 4),
            (EnvFault::Lost { how: text() }, 4),
            (EnvFault::Hung { seconds: 5.0 }, 4),
            (EnvFault::OutOfRange { what: text() }, 4),
        ] {
            assert_eq!(Error::from(fault).exit_code(), code);
        }
        assert_eq!(Error::from(EnvFault::Hung { seconds: 5.0 }).before_a_run().exit_code(), 2);
        let raised = |trace: &str| EnvFault::Raised { what: text(), trace: trace.into() };
        assert_eq!(Error::from(raised("line 7")).before_a_run().traceback(), Some("line 7"));
        assert_eq!((Error::from(raised("")).traceback(), Error::Usage(text()).traceback()), (None, None));
    }
}
