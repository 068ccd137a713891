//! The hand: a 5 kg body that cannot turn, tied to a target by a critically soft tether (30 Hz, damping ratio 5).
//!
//! An action moves the target; the hand follows the target and yields at contacts. If the action moved the hand itself,
//! the hand would penetrate other bodies and push them away with a jerk.

use rapier3d::prelude::*;
use serde::{Deserialize, Serialize};

/// Handles of the hand in its world, and the target position.
#[derive(Serialize, Deserialize)]
pub(crate) struct Hand {
    anchor: RigidBodyHandle,
    body: RigidBodyHandle,
    target: Vector,
}

impl Hand {
    /// Puts a hand without colliders at `position` (m) into `world`.
    pub(crate) fn insert(world: &mut PhysicsWorld, position: Vector) -> Self {
        let anchor = world.insert_body(RigidBodyBuilder::kinematic_position_based().translation(position));
        let body = RigidBodyBuilder::dynamic().translation(position).lock_rotations().gravity_scale(0.0);
        let body = world.insert_body(body.can_sleep(false).additional_mass(5.0));
        let mut tether: GenericJoint = FixedJointBuilder::new().contacts_enabled(false).into();
        tether.softness = SpringCoefficients::new(30.0, 5.0);
        world.impulse_joints.insert(anchor, body, tether, true);
        Self { anchor, body, target: position }
    }

    /// The body that carries the hand's colliders.
    pub(crate) fn body(&self) -> RigidBodyHandle {
        self.body
    }

    /// True if `world` contains this hand at a finite position.
    pub(crate) fn belongs_to(&self, world: &PhysicsWorld) -> bool {
        self.target.is_finite() && [self.anchor, self.body].iter().all(|b| world.bodies.contains(*b))
    }

    /// Moves the target by `delta` (m), clipped to the box `low..=high`, evenly over `substeps` physics steps.
    pub(crate) fn drive(&mut self, world: &mut PhysicsWorld, delta: Vector, [low, high]: [Vector; 2], substeps: usize) {
        let start = self.target;
        self.target = (start + delta).clamp(low, high);
        for substep in 1..=substeps {
            let at = start + (self.target - start) * (substep as f32 / substeps as f32);
            world.bodies[self.anchor].set_next_kinematic_translation(at);
            world.step();
        }
    }
}
