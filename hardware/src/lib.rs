//! Robots for `skewfit`: interfaces of an arm, a camera and a clock. A leaf crate: no learning, no physics, no driver
//! yet.

mod arm;
mod camera;
mod clock;
mod units;

pub use arm::{Arm, ArmFault, ArmState, Executed, Joint, SafeCommand, StopKind};
pub use camera::{Camera, CameraFault, Frame};
pub use clock::{Clock, ManualClock, Stamp, SystemClock};
pub use units::JointVec;
