//! Skew-Fit in Rust: a robot, a camera and a night; in the morning it reaches the picture you show it.
//!
//! Seven wings, each of which uses only those named before it: [`learn`] (the maths), [`config`], [`keep`] (the disk),
//! [`task`] (what is explored), [`show`] (what people look at), [`run`] (the loop) and [`face`] (the command line).

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests damage files and lay out their own"))]

#[deny(clippy::disallowed_types, reason = "reads no clock")]
pub mod config;
pub mod error;
pub mod face;
pub mod format;
pub mod keep;
#[deny(clippy::disallowed_types, reason = "reads no clock")]
pub mod learn;
pub mod run;
pub mod show;
pub mod statistics;
#[deny(clippy::disallowed_types, reason = "reads no clock")]
pub mod task;
