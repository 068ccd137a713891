//! Skew-Fit in Rust: leave a robot alone with a camera for a night; in the morning it reaches the picture you show it.
//!
//! Seven wings; each uses only the wings before it: [`learn`] (the maths), [`config`], [`keep`] (the disk),
//! [`task`] (scene, coverage, attempts), [`show`] (reports and pictures), [`run`] (the loop), [`face`] (the command line).

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
