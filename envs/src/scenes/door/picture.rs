//! The picture of the door scene: a pure function of hand position and door pose, in boxes, capsules and flat colours.
//!
//! The arm has no state of its own (the latents would have to encode a drifting elbow): a wrist is fixed to the hand,
//! and a forearm connects it to an elbow at a fixed place outside of the picture.

use rapier3d::math::{Pose, Vector};

use super::world::{BodyBox, CABINET, Configuration, DOOR, HOOK};
use crate::render::{Mat3, PinholeCamera, Primitive, Solid};

const TABLE: BodyBox = BodyBox { centre: Vector::new(0.0, 0.7, -0.51), half: Vector::new(0.4, 0.5, 0.41) };
/// A rim on the cabinet around the closed door.
const FRAME: [BodyBox; 4] = [
    BodyBox { centre: Vector::new(-0.21, 0.725, 0.1), half: Vector::new(0.01, 0.01, 0.22) },
    BodyBox { centre: Vector::new(0.21, 0.725, 0.1), half: Vector::new(0.01, 0.01, 0.22) },
    BodyBox { centre: Vector::new(0.0, 0.725, 0.31), half: Vector::new(0.2, 0.01, 0.01) },
    BodyBox { centre: Vector::new(0.0, 0.725, -0.09), half: Vector::new(0.2, 0.01, 0.01) },
];
const WRIST: Vector = Vector::new(0.0, 0.0, 0.12);
const ELBOW: Vector = Vector::new(0.0, 0.1, 0.6);

const TABLE_COLOUR: [f32; 3] = [0.80, 0.78, 0.72];
const CABINET_COLOUR: [f32; 3] = [0.25, 0.16, 0.10];
const FRAME_COLOUR: [f32; 3] = [0.50, 0.30, 0.15];
const PANEL_COLOUR: [f32; 3] = [0.90, 0.60, 0.25];
const HANDLE_COLOUR: [f32; 3] = [0.15, 0.15, 0.20];
const HOOK_COLOUR: [f32; 3] = [0.10, 0.35, 1.00];
const ARM_COLOUR: [f32; 3] = [0.75, 0.08, 0.10];

/// The official camera: look at (-.2, .55, .6) from .25 m, elevation -60, azimuth 360 degrees, fovy 45 degrees.
pub(super) fn camera() -> PinholeCamera {
    const COS_60: f32 = 0.5;
    const SIN_60: f32 = 0.866_025_4;
    const TAN_22_5: f32 = 0.414_213_57;
    PinholeCamera::orbit(Vector::new(-0.2, 0.55, 0.6), 0.25, Vector::new(COS_60, 0.0, -SIN_60), TAN_22_5)
}

/// Everything that is drawn.
pub(super) fn primitives(now: &Configuration) -> Vec<Primitive> {
    let hand = Pose::from_translation(now.hand);
    let wrist = now.hand + WRIST;
    let [panel, handle @ ..] = DOOR;
    let mut scene = vec![
        cuboid(&Pose::IDENTITY, TABLE, TABLE_COLOUR),
        cuboid(&Pose::IDENTITY, CABINET, CABINET_COLOUR),
        cuboid(&now.door, panel, PANEL_COLOUR),
        limb(now.hand, wrist, 0.022, ARM_COLOUR),
        limb(wrist, ELBOW, 0.03, ARM_COLOUR),
    ];
    scene.extend(FRAME.map(|strip| cuboid(&Pose::IDENTITY, strip, FRAME_COLOUR)));
    scene.extend(handle.map(|part| cuboid(&now.door, part, HANDLE_COLOUR)));
    scene.extend(HOOK.map(|part| cuboid(&hand, part, HOOK_COLOUR)));
    scene
}

fn cuboid(frame: &Pose, block: BodyBox, colour: [f32; 3]) -> Primitive {
    Primitive {
        shape: Solid::Box { half: block.half },
        position: frame.rotation * block.centre + frame.translation,
        rotation: Mat3::from_quat(frame.rotation),
        colour,
    }
}

/// A capsule between two points; the line between them must not be parallel to x.
fn limb(from: Vector, to: Vector, radius: f32, colour: [f32; 3]) -> Primitive {
    let length = (to - from).dot(to - from).sqrt();
    let along = (to - from) / length;
    let side = Vector::X.cross(along);
    let side = side / side.dot(side).sqrt();
    Primitive {
        shape: Solid::Capsule { radius, half_length: 0.5 * length },
        position: (from + to) * 0.5,
        rotation: Mat3::from_cols(side, along.cross(side), along),
        colour,
    }
}
