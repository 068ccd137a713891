//! The errors of the program and their exit codes (`docs/CONFIG.md` has the table).

/// One sentence a case: what, where, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bad usage, configuration or picture: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Damage found, or nothing sound to resume from: exit code 3.
    #[error("{0}")]
    Damaged(String),
    /// Not enough disk, or a write that failed: exit code 6.
    #[error("{0}")]
    Disk(String),
    /// Another live process holds the run: exit code 75.
    #[error("{0}")]
    Busy(String),
    /// The environment failed: exit code 4.
    #[error("environment: {0}")]
    Env(#[from] skewfit_envs::EnvFault),
    /// A number that is not finite came out of learning: exit code 70.
    #[error("{0}")]
    NotFinite(String),
    /// Output that could not be written where it was asked for.
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
    /// The contract's exit code.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Damaged(_) => 3,
            Self::Env(_) => 4,
            Self::Disk(_) | Self::Io { .. } => 6,
            Self::NotFinite(_) => 70,
            Self::Busy(_) => 75,
        }
    }
}
