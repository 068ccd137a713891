//! Quantities in SI units: joint angles in radians. Degrees and servo ticks are used only inside drivers.

use crate::ArmFault;

/// One angle per joint, (J), rad; always finite.
#[derive(Clone, Debug, PartialEq)]
pub struct JointVec(Vec<f64>);

impl JointVec {
    /// Angles in the order of [`crate::Arm::joints`].
    ///
    /// # Errors
    /// `NotFinite`, for the first angle that is NaN or infinite.
    pub fn from_rad(angles_rad: Vec<f64>) -> Result<Self, ArmFault> {
        match angles_rad.iter().position(|a| !a.is_finite()) {
            Some(joint) => Err(ArmFault::NotFinite { joint, rad: angles_rad[joint] }),
            None => Ok(Self(angles_rad)),
        }
    }

    /// The angles, rad.
    #[must_use]
    pub fn as_rad(&self) -> &[f64] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_finite_angles() {
        assert_eq!(JointVec::from_rad(vec![0.1, -0.0]).unwrap().as_rad(), [0.1, -0.0]);
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(matches!(JointVec::from_rad(vec![0.0, bad]), Err(ArmFault::NotFinite { joint: 1, .. })));
        }
    }
}
