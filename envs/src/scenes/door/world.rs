//! The door's bodies: a cabinet, a door on a hinge with damping 0.1 N m s, a handle bar, and a hook on a tethered hand.
//!
//! Geometry after the Sawyer door of Skew-Fit (Pong et al. 2020, arXiv 1903.03698); all lengths in metres, z up.
//! The hinge stands at x = .21, y = .725; a positive angle swings the free edge towards the robot (-y). Between the
//! handle bar and the panel is a gap of 4 cm for the 2 cm hook.

use std::f32::consts::FRAC_PI_3;

use rapier3d::{math::Vec2, prelude::*};
use serde::{Deserialize, Serialize};

use crate::{StateVec, physics::hand::Hand};

/// Corners of the box that limits the hand's target, m.
pub(super) const HAND_BOX: [Vector; 2] = [Vector::new(-0.1, 0.45, 0.1), Vector::new(0.05, 0.65, 0.25)];
/// Where the hand starts, m.
pub(super) const HAND_START: Vector = Vector::new(-0.05, 0.5, 0.2);
/// Displacement of the target for an action of 1, m.
pub(super) const ACTION_SCALE: f32 = 0.02;
/// Seconds a control step.
pub(super) const CONTROL_PERIOD_S: f64 = 0.15;
/// The door's widest angle, rad.
pub(super) const WIDEST: f64 = FRAC_PI_3 as f64;
const SUBSTEPS: usize = 10;
const HINGE: Vector = Vector::new(0.21, 0.725, 0.1);

/// A box fixed to a body: centre in the body's frame and half sides, m.
#[derive(Clone, Copy)]
pub(super) struct BodyBox {
    pub(super) centre: Vector,
    pub(super) half: Vector,
}

const fn body_box(centre: [f32; 3], half: [f32; 3]) -> BodyBox {
    BodyBox { centre: Vector::from_array(centre), half: Vector::from_array(half) }
}

/// The cabinet, in the world's frame.
pub(super) const CABINET: BodyBox = body_box([0.0, 0.935, 0.1], [0.22, 0.2, 0.22]);
/// Where the closed door's body is, m.
pub(super) const DOOR_CENTRE: Vector = Vector::new(0.0, 0.725, 0.1);
/// Panel, handle bar and its two posts, in the door's frame.
pub(super) const DOOR: [BodyBox; 4] = [
    body_box([0.0, 0.0, 0.0], [0.2, 0.01, 0.2]),
    body_box([-0.05, -0.06, 0.05], [0.1085, 0.01, 0.01]),
    body_box([0.05, -0.03, 0.05], [0.01, 0.03, 0.01]),
    body_box([-0.15, -0.03, 0.05], [0.01, 0.03, 0.01]),
];
/// The hook's finger (+y) and its vertical piece, in the hand's frame.
pub(super) const HOOK: [BodyBox; 2] =
    [body_box([0.0, 0.03, 0.0], [0.01, 0.03, 0.01]), body_box([0.0, 0.05, -0.01], [0.01, 0.01, 0.03])];

// Collision groups: the hook collides with cabinet and door; the door does not collide with its cabinet.
const CABINET_GROUP: Group = Group::GROUP_1;
const HOOK_GROUP: Group = Group::GROUP_2;
const DOOR_GROUP: Group = Group::GROUP_3;

/// The poses that determine a picture and the true state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Configuration {
    /// Hand origin, m.
    pub(super) hand: Vector,
    /// Pose of the door's body.
    pub(super) door: Pose,
}

impl Configuration {
    /// Opening of the door, rad. `to_angle` uses `libm`'s atan2 (glam's feature `libm`, which Rapier's
    /// `enhanced-determinism` enables), not the system's, so the bits are the same on every machine.
    pub(super) fn angle(&self) -> f64 {
        let across = self.door.rotation * Vector::X;
        f64::from(Vec2::new(across.x, across.y).to_angle())
    }

    /// hand_x, hand_y, hand_z (m), angle (rad).
    pub(super) fn state(&self) -> StateVec {
        let [x, y, z] = self.hand.to_array().map(f64::from);
        StateVec(vec![x, y, z, self.angle()])
    }
}

/// The bodies and their handles: everything that the next step depends on.
#[derive(Serialize, Deserialize)]
pub(super) struct World {
    physics: PhysicsWorld,
    door: RigidBodyHandle,
    hand: Hand,
}

impl World {
    /// A closed door, the hand at [`HAND_START`], everything at rest.
    pub(super) fn new() -> Self {
        Self::with_hand_at(HAND_START)
    }

    /// Hand and door placed in a state, then 20 control periods with zero action.
    pub(super) fn settled(state: &StateVec) -> Self {
        let [x, y, z, angle] = std::array::from_fn(|i| state.0.get(i).copied().unwrap_or_default() as f32);
        let mut world = Self::with_hand_at(Vector::new(x, y, z).clamp(HAND_BOX[0], HAND_BOX[1]));
        let rotation = Rotation::from_axis_angle(Vector::Z, angle);
        let translation = HINGE + rotation * (DOOR_CENTRE - HINGE);
        world.physics.bodies[world.door].set_position(Pose::from_parts(translation, rotation), true);
        (0..20).for_each(|_| world.step([0.0; 3]));
        world
    }

    fn with_hand_at(hand: Vector) -> Self {
        let mut physics = PhysicsWorld::new();
        physics.gravity = Vector::new(0.0, 0.0, -9.81);
        physics.integration_parameters.dt = CONTROL_PERIOD_S as f32 / SUBSTEPS as f32;
        physics.integration_parameters.length_unit = 0.1;

        let cabinet = physics.insert_body(RigidBodyBuilder::fixed().translation(CABINET.centre));
        let shell = BodyBox { centre: Vector::ZERO, ..CABINET };
        attach(&mut physics, cabinet, &[shell], CABINET_GROUP, HOOK_GROUP);

        let door = RigidBodyBuilder::dynamic().translation(DOOR_CENTRE).can_sleep(false).ccd_enabled(false);
        let door = physics.insert_body(door);
        attach(&mut physics, door, &DOOR, DOOR_GROUP, HOOK_GROUP);
        physics.impulse_joints.insert(cabinet, door, hinge(), true);

        let hand = Hand::insert(&mut physics, hand);
        attach(&mut physics, hand.body(), &HOOK, HOOK_GROUP, CABINET_GROUP | DOOR_GROUP);
        Self { physics, door, hand }
    }

    /// Simulates one control period; `action` in [-1, 1]^3.
    pub(super) fn step(&mut self, action: [f32; 3]) {
        let delta = Vector::from_array(action) * ACTION_SCALE;
        self.hand.drive(&mut self.physics, delta, HAND_BOX, SUBSTEPS);
    }

    /// The present poses of hand and door.
    pub(super) fn configuration(&self) -> Configuration {
        let bodies = &self.physics.bodies;
        Configuration { hand: bodies[self.hand.body()].translation(), door: *bodies[self.door].position() }
    }

    /// True if the handles refer to existing bodies; false only for invented snapshot bytes.
    pub(super) fn is_sound(&self) -> bool {
        self.physics.bodies.contains(self.door) && self.hand.belongs_to(&self.physics)
    }
}

fn attach(physics: &mut PhysicsWorld, body: RigidBodyHandle, blocks: &[BodyBox], group: Group, meets: Group) {
    let groups = InteractionGroups::new(group, meets, InteractionTestMode::And);
    for block in blocks {
        let collider = ColliderBuilder::cuboid(block.half.x, block.half.y, block.half.z).translation(block.centre);
        physics.insert_collider(collider.density(1000.0).collision_groups(groups), Some(body));
    }
}

/// A vertical hinge with stops at 0 and 60 degrees; its damping is a motor that holds zero speed with 0.1 N m s.
fn hinge() -> GenericJoint {
    let joint = RevoluteJointBuilder::new(Vector::Z)
        .local_anchor1(HINGE - CABINET.centre)
        .local_anchor2(HINGE - DOOR_CENTRE)
        .limits([0.0, FRAC_PI_3])
        .contacts_enabled(false);
    let mut joint: GenericJoint = joint.into();
    joint.set_motor_model(JointAxis::AngX, MotorModel::ForceBased);
    joint.set_motor_velocity(JointAxis::AngX, 0.0, 0.1);
    joint
}
