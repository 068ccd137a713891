//! The dashboard from outside: raw requests to the real binary, and a real browser if one is installed.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "a test may fail")]

mod browser;
#[path = "../common/mod.rs"]
mod common;
mod key_and_control;
mod live;
mod looks;
mod requests;
mod served;
