//! The errors of the program and their exit codes (`docs/CONFIG.md` has the table).

use skewfit_envs::EnvFault;

/// Each message is one sentence: what failed, where, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bad usage, configuration or picture: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// A mistake in the calling code, which no input can cause: exit code 2.
    #[error("{0}")]
    Misuse(String),
    /// A file is damaged, or no checkpoint is sound: exit code 3.
    #[error("{0}")]
    Damaged(String),
    /// Not enough free disk space, or a failed write: exit code 6.
    #[error("{0}")]
    Disk(String),
    /// The directory of a live run was moved or removed: exit code 6.
    #[error("{0}")]
    Lost(String),
    /// Another live process holds the run, or another run has taken its directory: exit code 75.
    #[error("{0}")]
    Busy(String),
    /// The environment refused an option (exit code 2) or a snapshot (3), or it failed (4).
    #[error("environment: {0}")]
    Env(#[from] EnvFault),
    /// The environment failed before a run began: exit code 2.
    #[error("environment: {0}")]
    NotBegun(EnvFault),
    /// Learning produced a non-finite value: exit code 70.
    #[error("{0}")]
    NotFinite(String),
    /// Output that could not be written: exit code 6, or 2 if that [is permanent](is_permanent).
    #[error("{what}: {source}")]
    Io {
        /// The file and the failed operation.
        what: String,
        /// The system's error.
        source: std::io::Error,
    },
}

/// A result with the program's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Turns a failure of the environment into bad usage, because no run has begun that could be resumed.
    #[must_use]
    pub fn before_a_run(self) -> Self {
        match self {
            Self::Env(fault) => Self::NotBegun(fault),
            other => other,
        }
    }

    /// The environment's traceback, on several lines; `None` if it gave none.
    #[must_use]
    pub fn traceback(&self) -> Option<&str> {
        match self {
            Self::Env(EnvFault::Raised { trace, .. }) | Self::NotBegun(EnvFault::Raised { trace, .. }) => {
                Some(trace).filter(|trace| !trace.is_empty()).map(String::as_str)
            }
            _ => None,
        }
    }

    /// The exit code, as in `docs/CONFIG.md`.
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

    /// True for a disk error that may pass, with more room or time, so that a retry is worth while.
    #[must_use]
    pub fn is_disk(&self) -> bool {
        match self {
            Self::Disk(_) => true,
            Self::Io { source, .. } => !is_permanent(source),
            _ => false,
        }
    }
}

/// True for an error that more room or time cannot solve, such as a missing permission or a name that cannot be used.
#[must_use]
pub fn is_permanent(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AlreadyExists, InvalidFilename, IsADirectory, NotADirectory, PermissionDenied};
    matches!(error.kind(), PermissionDenied | NotADirectory | IsADirectory | AlreadyExists | InvalidFilename)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_disk_errors_that_may_pass_are_retried() {
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
    fn environment_faults_have_the_exit_codes_of_their_causes() {
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
