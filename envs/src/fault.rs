//! What can go wrong in an environment, and what hardware and child processes report.

use crate::Name;

/// What can go wrong in an environment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvFault {
    /// No scene of that name.
    #[error("unknown scene `{name}`; known: {}", crate::scenes::NAMES.join(", "))]
    UnknownScene {
        /// As asked.
        name: String,
    },
    /// An option outside of what the scene can do.
    #[error("{what}")]
    BadOption {
        /// What, and what would be right.
        what: String,
    },
    /// An action of the wrong length or with a value that is not finite.
    #[error("action {got:?} is not {want} finite numbers")]
    BadAction {
        /// As given.
        got: Vec<f32>,
        /// Action dimensions.
        want: usize,
    },
    /// Bytes that are not a snapshot of this scene.
    #[error("snapshot does not belong to scene `{scene}`: {why}")]
    BadSnapshot {
        /// Scene that refused it.
        scene: Name,
        /// Why.
        why: String,
    },
    /// It cannot be frozen: it is a device, or a program that gives no snapshot.
    #[error("it cannot be frozen to a snapshot")]
    NoSnapshot,
    /// A state that the scene cannot be put into.
    #[error("state {what}")]
    BadState {
        /// Which, and why not.
        what: String,
    },
    /// Its own program reported an error.
    #[error("it reports an error: {what}")]
    Raised {
        /// In its words, on one line.
        what: String,
        /// Where in its program, as far as it told; empty where it did not.
        trace: String,
    },
    /// Device or process is gone.
    #[error("it is gone: {how}")]
    Lost {
        /// What was seen of it: an exit code, a signal, an error of the port.
        how: String,
    },
    /// It did not answer in time.
    #[error("it has not answered for {seconds} s")]
    Hung {
        /// How long it was waited for.
        seconds: f64,
    },
    /// It reported a value that cannot be.
    #[error("it reports a value out of range: {what}")]
    OutOfRange {
        /// Which value, and its range.
        what: String,
    },
}
