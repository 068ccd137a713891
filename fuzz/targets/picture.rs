//! Any bytes for a picture.
#![no_main]

#[path = "../../tests/common/bytes.rs"]
mod bytes;

use libfuzzer_sys::fuzz_target;

thread_local!(static PLACE: bytes::Picture = bytes::Picture(tempfile::tempdir().unwrap()));

fuzz_target!(|data: &[u8]| PLACE.with(|place| place.read(data)));
