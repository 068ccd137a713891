//! The interface of an arm: it reports its joint angles and executes commands that the safety envelope has admitted.

use std::time::Duration;

use crate::{JointVec, Stamp};

/// One joint and its mechanical limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Joint {
    /// Name, e.g. `shoulder_pan`.
    pub name: String,
    /// Lowest angle, rad.
    pub low_rad: f64,
    /// Highest angle, rad.
    pub high_rad: f64,
}

/// Measured joint angles.
#[derive(Clone, Debug, PartialEq)]
pub struct ArmState {
    /// Measured angles, (J), rad.
    pub angles: JointVec,
    /// Time of the bus's answer.
    pub measured: Stamp,
}

/// The command that was sent on the bus; replay stores this, not the action that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Executed {
    /// Target angles, (J), rad.
    pub targets: JointVec,
    /// Time of sending.
    pub sent: Stamp,
}

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopKind {
    /// Hold the present angles; the usual choice, because an arm without torque falls.
    Hold,
    /// Switch the torque off.
    TorqueOff,
}

/// What can go wrong with an arm.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ArmFault {
    /// An angle is NaN or infinite.
    #[error("angle of joint {joint} is {rad}, not a finite number of radians")]
    NotFinite {
        /// Index into [`Arm::joints`].
        joint: usize,
        /// The angle, as given or measured.
        rad: f64,
    },
    /// A command was used too late.
    #[error("command expired {late:?} ago; ask the envelope for a new one")]
    Expired {
        /// Time since the command expired.
        late: Duration,
    },
    /// The bus did not answer.
    #[error("no answer from the arm on `{port}` within {waited:?}; check cable and power")]
    NoAnswer {
        /// Serial port or address.
        port: String,
        /// The deadline that passed.
        waited: Duration,
    },
}

/// Target angles that the safety envelope has admitted.
///
/// It cannot be created outside this crate,
/// ```compile_fail,E0451
/// # use skewfit_hardware::{JointVec, SafeCommand, Stamp};
/// fn forge(targets: JointVec, expires: Stamp) -> SafeCommand {
///     SafeCommand { targets, expires }
/// }
/// ```
/// cannot be copied,
/// ```compile_fail,E0599
/// # use skewfit_hardware::SafeCommand;
/// fn twice(command: SafeCommand) -> (SafeCommand, SafeCommand) {
///     (command.clone(), command)
/// }
/// ```
/// and using it consumes it, which must happen before it expires:
/// ```
/// # use skewfit_hardware::{ArmFault, JointVec, SafeCommand, Stamp};
/// fn send(command: SafeCommand, now: Stamp) -> Result<JointVec, ArmFault> {
///     command.spend(now)
/// }
/// ```
/// ```compile_fail,E0382
/// # use skewfit_hardware::{ArmFault, JointVec, SafeCommand, Stamp};
/// fn send_twice(command: SafeCommand, now: Stamp) -> Result<JointVec, ArmFault> {
///     command.spend(now)?;
///     command.spend(now)
/// }
/// ```
#[derive(Debug)]
#[must_use = "a command does nothing until an arm gets it"]
pub struct SafeCommand {
    targets: JointVec,
    expires: Stamp,
}

impl SafeCommand {
    /// The target angles, for a driver that sends them at `now`; consumes the command.
    ///
    /// # Errors
    /// `Expired` if `now` is after the command's expiry.
    pub fn spend(self, now: Stamp) -> Result<JointVec, ArmFault> {
        if now <= self.expires { Ok(self.targets) } else { Err(ArmFault::Expired { late: now.since(self.expires) }) }
    }
}

/// A position-controlled arm with J joints. Every call returns within the driver's deadline.
pub trait Arm: Send {
    /// The joints, (J), in the order of every [`JointVec`].
    fn joints(&self) -> &[Joint];

    /// Measures the joint angles.
    ///
    /// # Errors
    /// What the bus or a servo reports.
    fn state(&mut self) -> Result<ArmState, ArmFault>;

    /// Sends targets and returns what was sent.
    ///
    /// # Errors
    /// `Expired`, or what the bus or a servo reports; then nothing was sent.
    fn command(&mut self, command: SafeCommand) -> Result<Executed, ArmFault>;

    /// Stops the arm; always allowed.
    ///
    /// # Errors
    /// What the bus or a servo reports.
    fn stop(&mut self, kind: StopKind) -> Result<(), ArmFault>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_valid_until_it_expires() {
        let command = || SafeCommand { targets: JointVec::from_rad(vec![0.5]).unwrap(), expires: Stamp::from_ns(100) };
        assert_eq!(command().spend(Stamp::from_ns(100)).unwrap().as_rad(), [0.5]);
        let late = command().spend(Stamp::from_ns(107));
        assert_eq!(late, Err(ArmFault::Expired { late: Duration::from_nanos(7) }));
    }
}
