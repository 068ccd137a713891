//! Fuzz target: any bytes, read as a file of a checkpoint.
#![no_main]

#[path = "../../tests/common/bytes.rs"]
mod bytes;

use libfuzzer_sys::fuzz_target;

thread_local!(static SAVED: bytes::Checkpoint = bytes::Checkpoint::saved());

fuzz_target!(|data: &[u8]| SAVED.with(|saved| saved.read(data)));
