//! Errors of an environment: of a simulation, of hardware, of a child process.

use crate::Name;

/// An error of an environment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvFault {
    /// No scene of that name.
    #[error("unknown scene `{name}`; known: {}", crate::scenes::NAMES.join(", "))]
    UnknownScene {
        /// The requested name.
        name: String,
    },
    /// An option that the scene does not support.
    #[error("{what}")]
    BadOption {
        /// Which option, and which values are allowed.
        what: String,
    },
    /// An action of the wrong length or with a value that is not finite.
    #[error("action {got:?} is not {want} finite numbers")]
    BadAction {
        /// The action that was given.
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
    /// No snapshot exists: the environment is a device, or a program that gives no snapshot.
    #[error("it cannot be frozen to a snapshot")]
    NoSnapshot,
    /// A state that cannot be set.
    #[error("state {what}")]
    BadState {
        /// Which state, and why not.
        what: String,
    },
    /// The environment's own program reported an error.
    #[error("it reports an error: {what}")]
    Raised {
        /// The program's message, on one line.
        what: String,
        /// Where in that program, if it reported a place; else empty.
        trace: String,
    },
    /// The device or process is gone.
    #[error("it is gone: {how}")]
    Lost {
        /// The evidence: an exit code, a signal, an error of the port.
        how: String,
    },
    /// The environment did not answer in time.
    #[error("it has not answered for {seconds} s")]
    Hung {
        /// How long the caller waited.
        seconds: f64,
    },
    /// The environment reported a value out of range.
    #[error("it reports a value out of range: {what}")]
    OutOfRange {
        /// Which value, and its range.
        what: String,
    },
}
